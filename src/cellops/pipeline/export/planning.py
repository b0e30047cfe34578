"""From what a person asks for to what an exported file says, checked as an execution of the notebook would be."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellops.capture import header
from cellops.capture.environment.repository import repository
from cellops.errors import UsageError
from cellops.pipeline.export.given import given_values, require_plain
from cellops.pipeline.export.repository import branch, top, within
from cellops.pipeline.export.schedule import check as check_schedule
from cellops.pipeline.export.targets import Target
from cellops.pipeline.export.workflow import Task, Workflow
from cellops.pipeline.gates.notebook import opens_no_run
from cellops.pipeline.notebook import read
from cellops.pipeline.parameters.declaration import Declared, declared
from cellops.pipeline.parameters.showing import descriptions
from cellops.pipeline.preparation import prepare
from cellops.pipeline.refusals import Refusals
from cellops.pipeline.stepwise.options import StepsAsked
from cellops.records.step import StepGraph
from cellops.settings import names_server, without_credentials
from cellops.version import __version__

if TYPE_CHECKING:
    from nbformat import NotebookNode

OLDEST_PYTHON = (3, 11)
KEPT = ".cellops/steps"
"""Where steps are kept in a repository whose project no variable moves elsewhere."""
PYTHON = re.compile(r"(\d)\.(\d\d?)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks for, as it was given."""

    notebook: Path
    parameters: Mapping[str, object]
    parameters_file: Path | None
    gates: tuple[str, ...]
    schedule: str | None
    store: str | None
    jobs: int | None
    seed: int | None
    drift: Path | None
    promote: str | None
    python: str | None


class Planned(NamedTuple):
    workflow: Workflow
    notebook: "NotebookNode"
    notes: tuple[str, ...]


def plan(wanted: Wanted, target: Target, project: Path, steps: Path, refusals: Refusals) -> Planned:
    """Check all that is asked for, and bring it into the form that all targets read.

    Parameters
    ----------
    project, steps
        The folder of the project, and where its steps are kept.
    refusals
        What was found wrong before, to be told with the rest.

    Raises
    ------
    UsageError, NotFoundError, NotebookError, ParameterError, UnfitError
        When anything of it is wrong: all at once.
    """
    path, source = wanted.notebook, read(wanted.notebook)
    known, root, schedule, places = Declared(), path.parent, None, dict[str, str | None]()
    with refusals.collecting():
        known = declared(source, path.parent)
    given = given_values(known, wanted.parameters, wanted.parameters_file, refusals, keeps_secrets=target.SECRETS)
    _check(wanted, source, refusals)
    with refusals.collecting():
        schedule = None if wanted.schedule is None else check_schedule(wanted.schedule)
    with refusals.collecting():
        root = top(path, project, in_git=target.IN_GIT)
        for name, file in {"parameters_file": wanted.parameters_file, "drift": wanted.drift}.items():
            with refusals.collecting():
                places[name] = None if file is None else within(root, file, "The file")
    made = prepare(
        path,
        given.checked,
        folder=path.parent,
        parameters_file=wanted.parameters_file,
        steps=StepsAsked(folder=steps, project=project) if _has_steps(source) else None,
        seed=wanted.seed,
        refusals=refusals,
    )
    workflow = Workflow(
        root=root,
        notebook=within(root, path, "The notebook"),
        python=wanted.python or f"{sys.version_info.major}.{sys.version_info.minor}",
        interpreter=Path(sys.executable),
        cellops=__version__,
        project=_from(root, project.resolve()) or ".",
        kept=_from(root, steps.resolve()) if project.resolve().is_relative_to(root) else KEPT,
        branch=branch(root),
        has_server=project.resolve().is_relative_to(root) and names_server(project),
        steps=() if made.steps is None else _tasks(made.steps.graph),
        parameters=tuple(given.fixed),
        open=tuple(one for one in descriptions(known) if one.name in {unset.name for unset in given.unset}),
        secrets=tuple(given.secrets),
        gates=wanted.gates,
        schedule=schedule,
        store=wanted.store,
        jobs=wanted.jobs,
        seed=wanted.seed,
        promote=wanted.promote,
        parameters_file=places.get("parameters_file"),
        drift=places.get("drift"),
    )
    return Planned(workflow, source, tuple(given.notes))


def _from(root: Path, folder: Path) -> str | None:
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else None


def _has_steps(notebook: "NotebookNode") -> bool:
    return any(cell.cell_type == "code" and header.step(cell.source) is not None for cell in notebook.cells)


def _tasks(graph: StepGraph) -> tuple[Task, ...]:
    return tuple(
        Task(step.name, tuple(edge.producer for edge in graph.edges if edge.consumer == step.name))
        for step in graph.steps
    )


def _check(wanted: Wanted, notebook: "NotebookNode", refusals: Refusals) -> None:
    for gate in wanted.gates:
        with refusals.collecting():
            require_plain("A gate", gate)
    with refusals.collecting():
        _check_store(wanted.store)
    with refusals.collecting():
        _check_results(wanted, notebook)
    with refusals.collecting():
        _check_branch(wanted)
    with refusals.collecting():
        _check_model(wanted.promote)
    with refusals.collecting():
        _check_python(wanted.python)


def _check_store(address: str | None) -> None:
    if address is None:
        return
    if not address.strip():
        fact = "--store is empty"
        raise UsageError(fact, remedy="Give it a value, or leave it out")
    if without_credentials(address) != address:
        fact = "The address of the store holds a password, and what is exported can be read by others"
        raise UsageError(fact, remedy="Take it out: fsspec's drivers read passwords from variables of the environment")
    require_plain("The address of the store", address)


def _check_results(wanted: Wanted, notebook: "NotebookNode") -> None:
    option = "--promote" if wanted.promote is not None else "--drift" if wanted.drift is not None else None
    if option is not None and opens_no_run(notebook):
        fact = f"No cell of {wanted.notebook.name} opens a run, and {option} needs one with a model"
        remedy = "Begin the cell that fits the model with %%mlops run, below a cell with %load_ext cellops"
        raise UsageError(fact, remedy=remedy)


def _check_branch(wanted: Wanted) -> None:
    if wanted.promote is not None and repository(wanted.notebook.parent) is None:
        fact = f"{wanted.notebook.name} is in no git repository, and a model is promoted on its default branch only"
        raise UsageError(fact, remedy="Make one around it, git init, or leave --promote out")


def _check_model(name: str | None) -> None:
    """MLflow's own rule for names of registered models."""
    if name is not None and (not name.strip() or set(name) & set('/:."%\\') or not name.isprintable()):
        fact = f"{name!r} is no name of a registered model"
        raise UsageError(fact, remedy='Leave out / : . " % \\ and control characters')
    require_plain("The name of the model", name)


def _check_python(version: str | None) -> None:
    match = PYTHON.fullmatch(version or "3.11")
    if match is None or (int(match[1]), int(match[2])) < OLDEST_PYTHON:
        fact = f"{version!r} is no version of Python that cellops runs on"
        raise UsageError(fact, remedy="Give it as 3.11, or a later one")
