"""A run with its whole record: from the journal of this machine, else from the tracking store."""

import re
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from cellops.capture.blobs import digest
from cellops.capture.journal import read
from cellops.capture.lease import is_alive
from cellops.errors import NotFoundError, RecordError, TrackingError
from cellops.flows.progress import first_event, journals
from cellops.flows.runs import LAST, SHORTEST_KEY, UNIQUE_KEY, show
from cellops.records.base import Record
from cellops.records.cell import CellRecord
from cellops.records.contract import Contract
from cellops.records.file import FilesPinned, FileUse
from cellops.records.module import ModuleSource
from cellops.records.recorded import RecordedRun, with_pins
from cellops.records.run import CodeVersion, Environment, RunClosed, RunOpened, RunStatus, RunSummary, SessionOpened
from cellops.settings import Settings
from cellops.tracking.files import StoredFiles

KEY = re.compile(rf"[0-9a-f]{{{UNIQUE_KEY},32}}")
"""As many digits of a key as name one run."""


class Held(Record, frozen=True, kw_only=True):
    """A recorded run, and the folders that hold its states and numbers."""

    run: RecordedRun
    folders: tuple[str, ...]

    def path(self, kind: str, name: str) -> Path | None:
        """Where a kept state or kept numbers stand, if they are there and what they were."""
        for folder in self.folders:
            found = Path(folder) / kind / name
            if found.is_file() and digest(found.read_bytes()) == name:
                return found
        return None

    def numbers(self, name: str) -> bytes | None:
        """The content of kept numbers."""
        found = self.path("values", name)
        return None if found is None else found.read_bytes()

    def source(self, module: ModuleSource) -> str | None:
        """The source of a module of the project, without secrets; None where it was not kept, or was deleted."""
        kept = [f"sources/{Path(module.kept).name}"] if module.kept is not None else []
        found = self._text([*kept, f"modules/{module.path}"])
        return found if found or not module.size else None

    def patch(self) -> str | None:
        """What had not been committed, without secrets; None where there was nothing, or it was deleted."""
        path = self.run.closed.code.patch_path if self.run.closed.code is not None else None
        return None if path is None else self._text([f"patches/{Path(path).name}", "code.patch"]) or None

    def _text(self, names: Iterable[str]) -> str | None:
        """The first file of these names; none that lies outside, whatever a record says."""
        for folder, name in product(self.folders, names):
            found = (Path(folder) / name).resolve()
            if found.is_relative_to(Path(folder).resolve()) and found.is_file():
                return found.read_text(encoding="utf-8", errors="replace")
        return None


def recorded(run: str, settings: Settings, target: Callable[[], Path]) -> Held:
    """The record of the run whose key, name or MLflow id is given; the start of a key is enough, `last` is the newest.

    Parameters
    ----------
    target
        Makes the folder that the record is downloaded to, where it stands in the tracking store only.

    Raises
    ------
    NotFoundError
        When there is none, or more than one.
    RecordError
        When the run has not ended, or its record is not whole.
    TrackingError
        When the tracking store has to be asked and does not answer.
    """
    found = _in_journals(run, settings) if KEY.fullmatch(run) else None
    if found is not None:
        return found
    try:
        summary = show(run, settings=settings)
    except TrackingError:
        found = _in_journals(run, settings)
        if found is None:
            raise
        return found
    # The store may know a newer one than the journals of this machine do.
    found = _in_journals(summary.run, settings)
    if found is not None:
        return found
    if summary.run == summary.mlflow_run_id:
        fact = f"The run {summary.name} ({summary.run[:8]}) was not recorded by cellops"
        raise RecordError(fact, remedy="Begin its cell with %%mlops run, and run it again")
    if summary.status is RunStatus.RUNNING or any(finding.code == "kernel-gone" for finding in summary.findings):
        raise _not_ended(summary.name, summary.run, summary.status)
    return _in_store(summary, settings, target)


def whole(run: RunSummary, settings: Settings) -> RecordedRun | None:
    """The whole record of a run that is listed; None where it has not ended, or its record cannot be had."""
    with TemporaryDirectory(prefix="cellops-") as folder:
        try:
            return recorded(run.run, settings, lambda: Path(folder)).run
        except (NotFoundError, RecordError, TrackingError):
            return None


def with_stored(held: Held, settings: Settings, folder: Path) -> Held:
    """A run of a journal, with what the tracking store has kept of it in a folder beside what this machine has.

    Raises
    ------
    NotFoundError, TrackingError
        When the store does not have it, or does not answer.
    """
    from cellops.tracking.store import Store

    store = Store(settings)
    summary = store.run(held.run.run)
    if summary is None or summary.mlflow_run_id is None:
        fact = f"The run {held.run.name} ({held.run.run[:8]}) is not in {settings.store}"
        raise NotFoundError(fact, remedy="Carry it there with: cellops sync")
    return held.replace(folders=(*held.folders, str(store.artifacts(summary.mlflow_run_id, "cellops", folder))))


def _in_journals(run: str, settings: Settings) -> Held | None:
    """The run, where a journal of this machine has the whole of it."""
    opened: list[tuple[RunOpened, Path]] = []
    for path in journals(settings):
        opened += [(event, path) for event, _ in read(path) if isinstance(event, RunOpened)]
    opened.sort(key=lambda pair: pair[0].started, reverse=True)
    found = [pair for pair in opened if len(run) >= SHORTEST_KEY and pair[0].run.startswith(run)]
    found = found or [pair for pair in opened if run in {LAST, pair[0].name}][:1]
    if len(found) > 1:
        fact = f"{len(found)} runs begin with {run}"
        raise NotFoundError(fact, remedy="Give more digits of the key")
    return _of_journal(*found[0], settings) if found else None


def _of_journal(opened: RunOpened, path: Path, settings: Settings) -> Held:
    trail: list[CellRecord] = []
    closed: RunClosed | None = None
    pinned: list[FileUse] = []
    for event, _ in read(path):
        if isinstance(event, CellRecord) and (closed is None and (not trail or trail[-1].run != opened.run)):
            trail.append(event)
        elif isinstance(event, RunClosed) and event.run == opened.run:
            closed = event
        elif isinstance(event, FilesPinned):
            pinned += event.files
    if closed is None:
        raise _not_ended(opened.name, opened.run, RunStatus.RUNNING if is_alive(path) else RunStatus.KILLED)
    first = first_event(path)
    recorded_by = first.version if isinstance(first, SessionOpened) else ""
    whole = RecordedRun(
        run=opened.run,
        name=opened.name,
        version=recorded_by,
        started=opened.started,
        notebook=opened.notebook,
        seed=opened.seed,
        closed=closed,
        trail=tuple(with_pins(trail, [*closed.files, *pinned])),
        store=first.store if first is not None else None,
    )
    return Held(run=whole, folders=(str(settings.folder),))


def _in_store(summary: RunSummary, settings: Settings, target: Callable[[], Path]) -> Held:
    if summary.mlflow_run_id is None:
        raise _not_whole(summary.name, summary.run)
    held = StoredFiles(settings).of_run(summary.mlflow_run_id, "cellops", target)
    try:
        closed = RunClosed.from_file(held / "record.json").replace(
            environment=_optional(held / "environment.json", Environment),
            code=_optional(held / "code.json", CodeVersion),
            contract=_optional(held / "contract.json", Contract),
        )
        lines = (held / "trail.jsonl").read_bytes().splitlines()
        trail = tuple(with_pins(map(CellRecord.from_json, lines), closed.files))
    except (OSError, msgspec.DecodeError) as error:
        raise _not_whole(summary.name, summary.run) from error
    whole = RecordedRun(
        run=summary.run,
        name=summary.name,
        version="",
        started=summary.started,
        notebook=summary.notebook,
        seed=summary.seed,
        closed=closed,
        trail=trail,
        store=settings.store,
    )
    return Held(run=whole, folders=(str(settings.folder), str(held)))


def _optional(path: Path, kind: type[Record]) -> Record | None:
    return kind.from_file(path) if path.exists() else None


def _not_ended(name: str, run: str, status: RunStatus) -> RecordError:
    if status is RunStatus.RUNNING:
        fact = f"The run {name} ({run[:8]}) is still open"
        return RecordError(fact, remedy="Wait for its cell to end")
    fact = f"The kernel of run {name} ({run[:8]}) was gone before its cell had ended"
    return RecordError(fact, remedy="Run the cell again: of this one nobody knows how it would have ended")


def _not_whole(name: str, run: str) -> RecordError:
    fact = f"The record of run {name} ({run[:8]}) is not whole"
    return RecordError(fact, remedy="Parts of it were deleted: run the cell again")
