"""Write a run out as a notebook that needs nothing of cellops."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from cellops.capture.secrets import REDACTED
from cellops.capture.temporary import temporary_folder
from cellops.errors import CellopsError, RecordError
from cellops.flows.recorded import Held, recorded, with_stored
from cellops.pipeline.restore.expected import Expected
from cellops.pipeline.restore.folder import require_free, write
from cellops.pipeline.restore.modules import FOLDER as MODULES
from cellops.pipeline.restore.modules import import_roots, inside
from cellops.pipeline.restore.notebook import States, restored_notebook
from cellops.pipeline.restore.notes import of_cells
from cellops.pipeline.restore.places import files_read, seen_from, working_folder
from cellops.pipeline.restore.readme import NOTEBOOK, readme
from cellops.pipeline.verify.slice_notebook import cell_id
from cellops.records.cell import CellRecord, place
from cellops.records.recorded import needed_states
from cellops.records.restored import Restored
from cellops.records.run import Environment
from cellops.settings import Settings, load

OURS = "cellops"


def restore(
    run: str = "last", *, output: Path | None = None, whole_trail: bool = False, settings: Settings | None = None
) -> Restored:
    """Write a run as a notebook, with its lock, its modules' sources, its patch and its generators' states beside it.

    The notebook holds the cells as they were executed and in that order; whoever has the folder and the data can
    execute it without cellops. Nothing is executed here.

    Parameters
    ----------
    run
        The start of the run's key, its name, its MLflow id, or `last`.
    output
        A new or empty folder. By default `restored-KEY` in the current one.
    whole_trail
        Take every cell of the session up to the run, not only those that it depends on.

    Raises
    ------
    NotFoundError
        When there is no such run.
    RecordError
        When the run has not ended, or its record is not whole.
    TrackingError
        When the tracking store has to be asked and does not answer.
    UsageError
        When the folder is there and holds something.
    NotebookError
        When the folder cannot be written.
    """
    settings = settings or load()
    output = output.expanduser() if output is not None else None
    if output is not None:
        require_free(output)
    with temporary_folder() as temporary:
        held = recorded(run, settings, lambda: temporary)
        target = output if output is not None else Path(f"restored-{held.run.run[:8]}")
        require_free(target)
        if _lacks(held):
            with contextlib.suppress(CellopsError):  # what the store does not have either is named below
                held = with_stored(held, settings, temporary)
        return _written(held, target, settings.project, whole_trail=whole_trail)


def _written(held: Held, output: Path, project: Path, *, whole_trail: bool) -> Restored:
    run = held.run
    cells = [record for record in (run.trail if whole_trail else run.slice()) if not _is_nested(record)]
    if not cells:
        fact = f"The run {run.name} ({run.run[:8]}) has no cells on its record"
        raise RecordError(fact, remedy="Run it again with this version of cellops")
    states = _states(held, cells)
    modules = {
        module.path: source for module in inside(run.closed.modules) if (source := held.source(module)) is not None
    }
    files = _kept(held, cells, states) | {f"{MODULES}/{path}": source for path, source in modules.items()}
    data = files_read(run, cells, project)
    folder = seen_from(output.absolute(), working_folder(run, project))
    notebook = restored_notebook(
        run,
        cells,
        states=states,
        working_folder=folder,
        import_roots=import_roots(module for module in run.closed.modules if module.path in modules),
        data=data,
    )
    files[NOTEBOOK] = _text(notebook)
    names = sorted(files)
    notes = [*of_cells(run, cells, whole_trail=whole_trail), *_notes(held, cells, modules, states)]
    page = readme(run, files=names, data=data, working_folder=folder, whole_trail=whole_trail, notes=notes)
    write(output, files | {"README.md": page})
    return Restored(
        run=run.run,
        name=run.name,
        folder=str(output),
        cells=len(cells),
        of_trail=len(run.trail),
        files=("README.md", *names),
        notes=tuple(notes),
    )


def _kept(held: Held, cells: Sequence[CellRecord], states: States) -> dict[str, str]:
    """What the record has beside cells and modules, as files."""
    files = {"expected-values.json": Expected.of(held.run, cells).to_pretty_json().decode()}
    if held.run.closed.environment is not None:
        files["lock.txt"] = _lock(held.run.closed.environment)
    if (patch := held.patch()) is not None:
        files["code.patch"] = patch
    if states:
        files["states.json"] = json.dumps(states, indent=1) + "\n"
    return files


def _lacks(held: Held) -> bool:
    """Whether something that was kept is not on this machine any more."""
    closed = held.run.closed
    lost = any(module.kept is not None and held.source(module) is None for module in closed.modules)
    patch = closed.code is not None and closed.code.patch_path is not None and held.patch() is None
    return lost or patch


def _is_nested(record: CellRecord) -> bool:
    """Whether another cell executed it, and does so again."""
    return record.effects is not None and record.effects.nested


def _states(held: Held, cells: Sequence[CellRecord]) -> States:
    """The states of shared generators that cells began with, by the cells' ids."""
    found: dict[str, dict[str, object]] = {}
    for record, use in needed_states(cells):
        path = held.path("states", use.state) if use.state is not None else None
        if path is not None:
            found.setdefault(cell_id(record), {})[use.name] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _lock(environment: Environment) -> str:
    """The lock without cellops, which nothing here needs."""
    version = environment.distributions.get(OURS)
    others = environment.replace(
        distributions={name: held for name, held in environment.distributions.items() if name != OURS},
        local=tuple(name for name in environment.local if name != OURS),
    )
    return others.lock() + (f"# left out, as nothing here needs it: {OURS}=={version}\n" if version else "")


def _notes(held: Held, cells: Sequence[CellRecord], modules: dict[str, str], states: States) -> Iterator[str]:
    """What was not kept, or was deleted since."""
    gone = [module.path for module in held.run.closed.modules if module.path not in modules]
    if gone:
        yield f"The source of {', '.join(gone)} was not kept: check out the commit of the run."
    redacted = [path for path, source in modules.items() if REDACTED in source]
    if redacted:
        yield f"`{REDACTED}` stands in the place of secrets in {', '.join(redacted)}."
    code = held.run.closed.code
    if code is not None and code.patch_truncated:
        yield "The patch is not whole: the uncommitted changes were larger than what is kept."
    if code is not None and code.patch_digest is not None and held.patch() is None:
        yield "The patch of the uncommitted changes is not there any more."
    for record, use in needed_states(cells):
        if use.name not in states.get(cell_id(record), {}):
            yield f"{place(record.execution_count)}: the state of the generator {use.name} was not kept: other numbers."


def _text(notebook: object) -> str:
    import nbformat

    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return text + "\n"
