"""What an exported pipeline needs that its file does not hold, whichever the target."""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cellops.capture.environment.distributions import normalise
from cellops.pipeline.export.repository import not_in_git
from cellops.pipeline.export.workflow import Workflow
from cellops.records.run import Environment
from cellops.tracking.client import QUIET

if TYPE_CHECKING:
    from nbformat import NotebookNode

OWN = "cellops"
OF_SETTINGS = ("CELLOPS_", "MLFLOW_")
"""How variables begin that decide what an execution does."""
OF_KERNELS = (
    "CELLOPS_CACHE_LIMIT",
    "CELLOPS_DEBUG",
    "CELLOPS_EXECUTION",
    "CELLOPS_FOLDER",
    "CELLOPS_NOTEBOOK",
    "CELLOPS_PARAM_",
    "CELLOPS_PROJECT",
    "CELLOPS_SECRET_",
    "CELLOPS_STEP_STORE",
    "CELLOPS_WRITER",
)
"""And those that are of this machine, or are told otherwise."""
PYTHON_KERNEL = "python3"


def notes(workflow: Workflow, notebook: "NotebookNode", experiment: str, text: str) -> Iterator[str]:
    """What is to be said of the notebook and of this environment.

    Parameters
    ----------
    experiment
        The one of runs that name none.
    text
        The file; variables that it names are told there.
    """
    if not workflow.steps:
        yield f"{workflow.notebook} has no steps: it is one task, and executed in whole each time"
    kernel = notebook.metadata.get("kernelspec", {}).get("name", PYTHON_KERNEL)
    if kernel != PYTHON_KERNEL:
        yield f"{workflow.notebook} asks for a kernel named {kernel}: it must be there"
    files = (workflow.notebook, workflow.parameters_file, workflow.drift)
    named = [path for path in files if path is not None]
    for path in not_in_git(workflow.root, named):
        yield f"{path} is not in git yet: commit it"
    for path in named:
        if not os.path.lexists(workflow.root / path):
            yield f"{path} is not here now, and must be there before {OWN} drift reads it"
    if workflow.store is not None and not workflow.store.startswith(("file:", "/")):
        yield f"What reaches {workflow.store} reads its credentials from variables of the environment: set them there"
    is_other = workflow.promote not in (None, experiment)
    if is_other and any("champion" in gate for gate in workflow.gates):
        yield f"Gates compare with the champion of {experiment}, the experiment, and {workflow.promote} is promoted"
    for name, value in sorted(os.environ.items()):
        is_ours = name.startswith(OF_KERNELS) or QUIET.get(name) == value
        if name.startswith(OF_SETTINGS) and not is_ours and value and name not in text:
            yield f"The variable {name} is set here and not carried over"


def of_lock(workflow: Workflow, environment: Environment) -> Iterator[str]:
    """What is to be said of the lock."""
    own = ".".join(environment.python.split(".")[:2])
    if workflow.python != own:
        yield f"The lock is of Python {own}, and the pipeline takes {workflow.python}: some versions may not be had"
    if sys.platform != "linux":
        yield f"The lock was made on {sys.platform}: what only Linux needs is not in it"
    others = [name for name in environment.local if normalise(name) != OWN]
    if others:
        yield f"No index brings {', '.join(others)}, installed here from a folder, a file or a repository"
    if not workflow.locked:
        yield f"{OWN} {workflow.cellops} is not from an index here: one of yours must have it"
