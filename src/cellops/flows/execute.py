"""A notebook as a pipeline: executed with parameters, its runs carried to the store with the executed notebook."""

import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from cellops.capture.journal import Journal
from cellops.errors import NotebookError
from cellops.flows.progress import OF_EXECUTIONS, read_progress
from cellops.flows.sync import errors_of, sync
from cellops.pipeline.engine import execute as execute_notebook
from cellops.records.base import Record
from cellops.records.execution import CellProgress, ExecutedNotebook, ParameterValue
from cellops.records.run import NotebookExecuted, RunStatus, RunSummary
from cellops.settings import Settings, load, prepare


class Execution(Record, frozen=True, kw_only=True):
    """What an execution left behind."""

    executed: ExecutedNotebook
    runs: tuple[RunSummary, ...]
    """The runs that the notebook opened, oldest first."""
    unsynced: str | None = None
    """Why the runs are not in the tracking store yet."""


def _silent(_progress: CellProgress) -> None:
    pass


def execute(
    notebook: Path | str,
    parameters: Mapping[str, ParameterValue] | None = None,
    *,
    output: Path | None = None,
    cell_timeout: float | None = None,
    on_progress: Callable[[CellProgress], None] = _silent,
    on_stage: Callable[[str], None] = lambda _: None,
    settings: Settings | None = None,
) -> Execution:
    """Execute a notebook with parameters and wait until its runs are in the tracking store.

    The executed notebook is an artifact of every run that it opened, also when a later cell fails.

    Parameters
    ----------
    notebook
        The notebook; it is not changed.
    parameters
        Values by name, typed or as a command line would give them.
    output
        Where the executed notebook goes; default is a new file below `.cellops/executions`.
    cell_timeout
        Longest time for one cell, in seconds.
    on_progress
        Called at the start and the end of each cell.
    on_stage
        Called with what takes a while: the kernel starts or is stopped, the runs are carried.

    Raises
    ------
    NotFoundError, ParameterError, NotebookError
        As `cellops.pipeline.engine.execute` does; the notes name the runs.
    KeyboardInterrupt, SystemExit
        When it was stopped; its notes name the notebook as far as it came, and the runs.
    """
    path = Path(notebook)
    settings = settings or load(path.parent if path.parent.is_dir() else None)
    identifier = uuid.uuid4().hex
    folder = prepare(settings.folder)
    target = output or folder / "executions" / f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{identifier[:4]}.ipynb"
    status = RunStatus.FAILED
    ended: BaseException | None = None
    try:
        executed = execute_notebook(
            path,
            target,
            dict(parameters or {}),
            environment={"CELLOPS_EXECUTION": identifier, "CELLOPS_PROJECT": str(settings.project)},
            on_progress=on_progress,
            on_stage=on_stage,
            cell_timeout=cell_timeout,
        )
        status = RunStatus.FINISHED
    except (KeyboardInterrupt, SystemExit) as stopped:
        status = RunStatus.KILLED
        ended = stopped
        raise
    except NotebookError as failed:
        ended = failed
        raise
    finally:
        if target.exists():
            journal = _record(identifier, target, status, settings)
            on_stage("Carrying the runs to MLflow")
            unsynced = _carry(journal, settings)
            runs = _runs(identifier, settings) if unsynced is None else ()
            if ended is not None:
                _note(ended, runs)
    return Execution(executed=executed, runs=runs, unsynced=unsynced)


def _note(ended: BaseException, runs: tuple[RunSummary, ...]) -> None:
    for run in runs:
        ended.add_note(f"The run {run.name} is kept as {run.status.lower()}: cellops show {run.run[:8]}")


def _record(execution: str, notebook: Path, status: RunStatus, settings: Settings) -> Path:
    event = NotebookExecuted(execution=execution, notebook=str(notebook.resolve()), status=status, store=settings.store)
    journal = Journal(prepare(settings.folder) / "journal", f"{OF_EXECUTIONS}{execution}", event)
    journal.close()
    return journal.path


def _carry(journal: Path, settings: Settings) -> str | None:
    """Carry the kernel's records and the notebook over; give the reason where that has to wait."""
    result = sync(settings)
    if read_progress(journal).done:
        return None
    return "\n".join(f"{finding.seen}. {finding.remedy}" for finding in errors_of(result))


def _runs(execution: str, settings: Settings) -> tuple[RunSummary, ...]:
    from cellops.tracking.store import Store

    return tuple(Store(settings).of_execution(execution))
