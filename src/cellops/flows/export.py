"""A notebook's pipeline for CI and orchestrators: checked as an execution of it is, then written as their file."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import UsageError
from cellops.flows.clean import STEPS
from cellops.flows.gates import prepare as prepare_gates
from cellops.records.exported import Exported
from cellops.settings import Settings, load

if TYPE_CHECKING:
    from cellops.pipeline.export.planning import Planned
    from cellops.pipeline.export.targets import Target
    from cellops.pipeline.export.workflow import Workflow


def export(
    target: str,
    notebook: Path | str,
    parameters: Mapping[str, object] | None = None,
    *,
    parameters_file: Path | None = None,
    output: Path | None = None,
    schedule: str | None = None,
    gates: Iterable[str] = (),
    store: str | None = None,
    jobs: int | None = None,
    seed: int | None = None,
    drift: Path | None = None,
    promote: str | None = None,
    python: str | None = None,
    force: bool = False,
    settings: Settings | None = None,
) -> Exported:
    """Write the file by which a CI system or an orchestrator executes a notebook, with the lock of this environment.

    Parameters
    ----------
    target
        `github`, `gitlab`, `kfp`, `airflow`, `dvc` or `cron`.
    notebook
        The notebook, in the repository that the target executes; it is only read.
    parameters, parameters_file, gates, store, jobs, seed
        As `execute` takes them. A secret is never written down: it is looked for where the target keeps secrets.
    output
        The file; by default the one at which the target looks.
    schedule
        When it is executed: the five fields of cron.
    drift
        A table that is held against the profile of the model after each execution.
    promote
        The registered model of MLflow whose champion the run becomes, on the default branch, once it has passed.
    python
        The version of Python, `3.11`; by default this one.
    force
        Replace a file that was not exported from this notebook, or that somebody has edited since.

    Raises
    ------
    UsageError, NotFoundError, NotebookError, ParameterError, UnfitError
        When an execution would be refused, or the target cannot take what is asked for. Nothing is written then.
    """
    from cellops.pipeline.export.planning import Wanted, plan
    from cellops.pipeline.export.targets import target as module_of
    from cellops.pipeline.refusals import Refusals

    module, refusals, path = module_of(target), Refusals(), Path(notebook).resolve()
    settings = settings or load(path.parent if path.parent.is_dir() else None)
    wanted = Wanted(
        notebook=path,
        parameters=dict(parameters or {}),
        parameters_file=parameters_file,
        gates=tuple(gates),
        schedule=schedule,
        store=store,
        jobs=jobs,
        seed=seed,
        drift=drift,
        promote=promote,
        python=python,
    )
    with refusals.collecting():
        prepare_gates(wanted.gates, path, settings.gates)
    planned = plan(wanted, module, settings.project, settings.folder / STEPS, refusals)
    planned = planned._replace(workflow=_placed(planned.workflow, module, output))
    return _written(target, module, planned, output, settings.experiment, force=force)


def _placed(workflow: "Workflow", module: "Target", output: Path | None) -> "Workflow":
    """The workflow with the places of its file and of its lock.

    Raises
    ------
    UsageError
        When the file would stand where the target does not find it.
    """
    from cellops.pipeline.export.repository import within

    place = workflow.root / module.place(workflow) if output is None else output.expanduser()
    place = place.parent.resolve() / place.name
    if module.IN_GIT or place.is_relative_to(workflow.root):
        file, lock = (within(workflow.root, one, "The file") for one in (place, place.with_name(workflow.name_of_lock)))
        return replace(workflow, file=file, lock=lock)
    return replace(workflow, file=str(place), lock=str(place.with_name(workflow.name_of_lock)))


def _written(
    target: str, module: "Target", planned: "Planned", output: Path | None, experiment: str, *, force: bool
) -> Exported:
    from cellops.capture.environment.description import read_environment
    from cellops.capture.environment.locks import read_locks
    from cellops.pipeline.export import commands
    from cellops.pipeline.export.head import head, mark, require_ours, sealed
    from cellops.pipeline.export.notes import notes, of_lock

    environment = read_environment(archives=read_locks(planned.workflow.root))
    workflow = replace(planned.workflow, locked="cellops" not in environment.local)
    written = module.write(workflow)
    said = [*written.notes, *planned.notes, *notes(workflow, planned.notebook, experiment, written.text)]
    texts = {workflow.file: ""}
    if module.LOCKS:
        said += of_lock(workflow, environment)
        texts[workflow.lock] = sealed(f"{mark(workflow.notebook)}\n", environment.lock())
    line = commands.export(workflow, target, is_placed=output is not None)
    texts[workflow.file] = sealed(head(workflow, written.commands, line, said), written.text)
    files = {workflow.root / name: text for name, text in texts.items()}
    for file in files:
        if not force:
            require_ours(file, workflow.notebook)
    for file, text in files.items():
        _write(file, text)
    return Exported(
        target=target,
        notebook=workflow.notebook,
        files=tuple(map(str, files)),
        commands=written.commands,
        notes=tuple(said),
    )


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        fact = f"{file} cannot be written: {error.strerror}"
        raise UsageError(fact, remedy="Give a file in a folder of yours: -o FILE") from error
