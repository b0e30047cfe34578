"""The slice of a run, executed again in a kernel of its own that touches no record, no tracking store and no file."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellops.capture.environment.description import VARIABLES
from cellops.capture.journal import read
from cellops.errors import NotebookError
from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.forkserver.candidates import candidates
from cellops.pipeline.forkserver.forkserver import ForkServer
from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.metadata import describe
from cellops.pipeline.redacting import redact_notebook
from cellops.pipeline.run_cells import run_cells
from cellops.pipeline.verify.kernels import in_their_kernels
from cellops.pipeline.verify.slice_notebook import SETUP, cell_id, slice_notebook
from cellops.pipeline.verify.written_files import put_aside, written_by
from cellops.records.aside import ASIDE
from cellops.records.cell import CellRecord
from cellops.records.execution import CellProgress
from cellops.records.guarding import Guarding, Heard
from cellops.records.recorded import RecordedRun, Restoring, kernels, needed_states, preparing
from cellops.records.run import RunClosed
from cellops.records.value import Covered

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK = "slice.ipynb"
EXECUTED = "executed.ipynb"
HEARD = "heard.jsonl"


class Replay(NamedTuple):
    """What executing a slice again has left."""

    cells: dict[int, CellRecord]
    """The cells as they are now, by their places on the trail of the run."""
    closed: RunClosed | None
    """The run as it ended now; None where it was not reached."""
    project: Path
    heard: tuple[Heard, ...] = ()
    """What the cells did that nothing undoes, or were about to do."""


def replay(
    run: RecordedRun,
    cells: Sequence[CellRecord],
    folder: Path,
    *,
    project: Path,
    states: Mapping[str, Path],
    interpreter: Path | None = None,
    commands_allowed: bool = False,
    on_progress: Callable[[CellProgress], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Replay:
    """Execute the cells of a slice and read the record that they write.

    Files that the slice writes are put back behind it; what it records goes to `folder`, and so does whatever its
    code logs to MLflow itself.

    Parameters
    ----------
    folder
        A new folder, in which the slice as a notebook and the executed notebook stay.
    project
        The project of the run; the kernel works in the folder of its notebook.
    states
        Where the kept states of generators stand, by digest.
    interpreter
        The Python to use; by default this one.
    commands_allowed
        Whether programs may be started again, and anything be sent over the network.
    on_progress
        Is told of the cells, without those that only prepare steps.
    tell
        Is told of files that somebody else has written to meanwhile.

    Raises
    ------
    NotebookError
        When the kernel does not start, or dies.
    StepError
        When a step's kernel cannot hand its values on.
    OSError
        When the disk refuses it.
    """
    python = run.closed.environment.python if run.closed.environment is not None else ""
    source = slice_notebook(run, cells, language_version=python)
    written, output = folder / NOTEBOOK, folder / EXECUTED
    notebook_file.write(source, written)
    describe(source, {}, {}, written, output)
    own = folder / "record"
    own.mkdir()
    guarding = Guarding(
        aside=str(folder / ASIDE),
        heard=str(own / HEARD),
        project=str(project),
        own=str(own),
        commands_allowed=commands_allowed,
    )
    environment = _environment(run, interpreter) | {
        "CELLOPS_CAPTURE": "true",
        "CELLOPS_FOLDER": str(own),
        "CELLOPS_NOTEBOOK": str(_notebook(run, project)),
        "CELLOPS_PROJECT": str(project),
        "CELLOPS_SUMMARY": "false",
        "CELLOPS_TRACKING_URI": f"sqlite:///{own / 'mlflow.db'}",
        "CELLOPS_WRITER": "false",
        "MLFLOW_TRACKING_URI": f"sqlite:///{own / 'mlflow.db'}",
    }
    places = {cell.id: place for place, cell in enumerate(c for c in source.cells if c.cell_type == "code")}
    above = preparing(cells)
    untold = {SETUP, *(cell_id(record) for record in cells if record.order in above)}
    told = {name: number for number, name in enumerate(name for name in places if name not in untold)}
    several = len(kernels(cells)) > 1

    def execute(own_cells: Sequence[CellRecord], part: "NotebookNode", between: Mapping[int, str]) -> None:
        restoring = folder / f"restoring-{own_cells[0].order}.json"
        restoring.write_bytes(_restoring(own_cells, states, guarding).to_json())

        def progress(event: CellProgress) -> None:
            place = None if event.index is None else told.get(part.cells[event.index].id)
            if place is not None:
                on_progress(event.replace(index=place, total=len(told)))

        kernel = KernelOptions(
            name="python3",
            folder=_folder(run, project),
            environment={**environment, "CELLOPS_RESTORING": str(restoring)},
            interpreter=interpreter or Path(sys.executable),
            forkserver=forks if several else None,
        )
        on_stage("Starting the kernel")
        try:
            run_cells(part, places, output, progress, on_stage, kernel=kernel, between=between)
        finally:
            if part is not source and output.exists():
                notebook_file.write(redact_notebook(source), output)
                notebook_file.sign(output)

    with put_aside(written_by(cells, project), folder / ASIDE, tell), ForkServer(candidates(source)) as forks:
        try:
            in_their_kernels(cells, source, own, execute)
        except NotebookError as error:
            if error.data.get("cell_id") in {None, SETUP}:
                raise
            # The cell has failed, and its record says how: the verdict names it.
    return _read(own, cells, project)._replace(heard=_heard(own / HEARD))


def _restoring(cells: Sequence[CellRecord], states: Mapping[str, Path], guarding: Guarding) -> Restoring:
    wanted: dict[str, dict[str, str]] = {}
    for record, use in needed_states(cells):
        if use.state is not None and use.state in states:
            wanted.setdefault(cell_id(record), {})[use.name] = str(states[use.state])
    before = (SETUP, *map(cell_id, cells))
    counts = [record.execution_count for record in cells]
    return Restoring(
        states=wanted,
        following={name: count for name, count in zip(before, counts, strict=False) if count is not None},
        unread={cell_id(record): _unread(record) for record in cells},
        guarding=guarding,
    )


def _unread(record: CellRecord) -> tuple[str, ...]:
    return tuple(value.name for value in record.values if value.covered is Covered.NOTHING)


def _heard(listed: Path) -> tuple[Heard, ...]:
    """What was heard, each once: by several processes too."""
    try:
        found = [Heard.from_json(line) for line in listed.read_bytes().splitlines()]
    except FileNotFoundError:
        return ()
    return tuple(dict.fromkeys(found))


def _environment(run: RecordedRun, interpreter: Path | None) -> dict[str, str]:
    """The environment of this process, with the variables that change results as they were then."""
    recorded = run.closed.environment
    hidden = ("CELLOPS_EXECUTION", *(VARIABLES if recorded is not None else ()))
    held = {name: value for name, value in os.environ.items() if name not in hidden}
    if interpreter is not None:
        held["PATH"] = f"{interpreter.parent}{os.pathsep}{held.get('PATH', '')}"
        held.pop("VIRTUAL_ENV", None)
    return held | (recorded.variables if recorded is not None else {})


def _notebook(run: RecordedRun, project: Path) -> Path:
    return project / (run.notebook or "notebook.ipynb")


def _folder(run: RecordedRun, project: Path) -> Path:
    """The working folder of the kernel then; the notebook's, or the project's, where it is not there any more."""
    candidates = [project / Path(run.closed.folder).expanduser()] if run.closed.folder is not None else []
    return next((path for path in (*candidates, _notebook(run, project).parent) if path.is_dir()), project)


def _read(own: Path, cells: Sequence[CellRecord], project: Path) -> Replay:
    """The records that the kernel has written."""
    orders = {cell_id(record): record.order for record in cells}
    found: dict[int, CellRecord] = {}
    closed: dict[str, RunClosed] = {}
    for journal in (own / "journal").glob("*.jsonl"):
        for event, _ in read(journal):
            if isinstance(event, CellRecord) and event.cell_id in orders:
                found[orders[event.cell_id]] = event
            elif isinstance(event, RunClosed):
                closed[event.run] = event
    last = found.get(cells[-1].order)
    ended = None if last is None or last.run is None else closed.get(last.run)
    return Replay(found, ended, project)
