"""What kernels of a worker find in their environment: as here what libraries heed, and what is another told apart."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.pipeline.cache.variables import HEEDED, variables, variables_of
from cellops.pipeline.steps.python import parse
from cellops.records.cached import Dependencies
from cellops.records.handover import HandedOver

if TYPE_CHECKING:
    from nbformat import NotebookNode

OF_THE_MACHINE = frozenset({"CUDA_VISIBLE_DEVICES", "PYTHONPATH"})
"""What libraries heed, and each machine has to say for itself."""


def heeded() -> dict[str, str | None]:
    """The variables by which libraries compute as on this machine; None where one is not set."""
    return {name: os.environ.get(name) for name in HEEDED if name not in OF_THE_MACHINE}


def as_there(environment: Mapping[str, str], heeded: Mapping[str, str | None]) -> dict[str, str]:
    """An environment with what libraries heed as another machine has it."""
    own = {name: value for name, value in environment.items() if name not in heeded}
    return own | {name: value for name, value in heeded.items() if value is not None}


def asked_for(made: "NotebookNode", found: Dependencies | None, project: Path, salt: bytes) -> dict[str, str]:
    """Digests of the variables that cells, and the modules that they have imported, ask this process for, by name."""
    trees = [parse(cell.source) for cell in made.cells if cell.cell_type == "code"]
    asked = variables(trees, salt) | variables_of(() if found is None else found.modules, project, salt)
    return {name: text for name, text in asked.items() if name not in HEEDED or name == "PYTHONPATH"}


def told_apart(answer: HandedOver, here: Mapping[str, str], there: Mapping[str, str]) -> HandedOver:
    """An answer that is not taken for what this machine would have given, where code has asked for other variables."""
    others = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
    if answer.dependencies is None or not others:
        return answer
    reason = f"it depends on {', '.join(others)} in the environment, which the worker that executed it had otherwise"
    unknown = (*answer.dependencies.unknown, reason)
    return answer.replace(dependencies=answer.dependencies.replace(unknown=unknown))
