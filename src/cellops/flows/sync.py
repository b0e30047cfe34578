"""Carry journals to the tracking store: everything once, in order, from where the last writer stopped."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from filelock import FileLock, Timeout

from cellops.capture.journal import SUFFIX, read
from cellops.capture.lease import is_alive
from cellops.errors import TrackingError
from cellops.records.base import Record
from cellops.records.cell import CellRecord
from cellops.records.run import NotebookExecuted, RunClosed, RunOpened, RunStatus, SessionClosed, SessionOpened
from cellops.settings import Settings, load

if TYPE_CHECKING:
    from cellops.tracking.store import Store

POLL_SECONDS = 0.2
IDLE_SECONDS = 120.0
"""A writer with nothing to do leaves; the next run starts another."""
RETRY_SECONDS = 2.0
LOCK_SECONDS = 120.0


class Progress(Record, frozen=True, kw_only=True):
    """How far a journal has been carried; stands beside it."""

    offset: int = 0
    runs: dict[str, str] = {}  # noqa: RUF012 - msgspec copies mutable defaults
    """Keys of runs with MLflow's ids."""
    open: tuple[str, ...] = ()
    """Runs that have been opened and not closed."""
    done: bool = False


class SyncResult(Record, frozen=True, kw_only=True):
    """What a call of `sync` did."""

    journals: int
    runs: int
    killed: int
    """Runs whose kernel was gone before they ended."""


def sync(settings: Settings | None = None) -> SyncResult:
    """Carry every journal of the project to the tracking store.

    Raises
    ------
    TrackingError
        When the store does not answer; the journals stay as they are.
    """
    settings = settings or load()
    waiting = [path for path in journals(settings) if not read_progress(path).done]
    store = _store(settings) if waiting else None
    runs = killed = 0
    for path in waiting:
        assert store is not None  # noqa: S101 - there is a journal
        with _locked(path):
            before = read_progress(path)
            after = Carrier(path, store).carry()
            runs += len(after.runs) - len(before.runs)
            killed += len(after.open) if after.done else 0
    return SyncResult(journals=len(waiting), runs=runs, killed=killed)


def follow(journal: Path, settings: Settings) -> None:
    """Carry one journal while its kernel lives, until it is done, idle, or the store has not answered for too long.

    Another writer of the same journal makes this one leave at once.
    """
    with contextlib.suppress(Timeout), _lock(journal, timeout=0):
        _follow(journal, settings)


def _follow(journal: Path, settings: Settings) -> None:
    carrier = None
    busy = time.monotonic()
    failing_since: float | None = None
    while time.monotonic() - busy < IDLE_SECONDS:
        try:
            carrier = carrier or Carrier(journal, _store(settings))
            before = carrier.progress.offset
            progress = carrier.carry()
            failing_since = None
            if progress.done:
                return
            if progress.offset != before or progress.open:
                busy = time.monotonic()
        except TrackingError as error:
            failing_since = failing_since or time.monotonic()
            if time.monotonic() - failing_since > settings.writer_patience:
                print(error, flush=True)
                return
            time.sleep(RETRY_SECONDS)
        time.sleep(POLL_SECONDS)


def journals(settings: Settings) -> list[Path]:
    """The project's journals, oldest first."""
    found = (settings.folder / "journal").glob(f"*{SUFFIX}")
    return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))


class Carrier:
    """Carries the events of one journal, and remembers how far it came after each."""

    def __init__(self, journal: Path, store: "Store") -> None:
        self._journal = journal
        self._store = store
        self.progress = read_progress(journal)
        self._ended = False
        self._session = next((e for e, _ in read(journal) if isinstance(e, SessionOpened)), None)

    def carry(self) -> Progress:
        """Carry what stands in the journal; once the session has ended, end the runs that it left open as killed."""
        alive = self._session is not None and is_alive(self._journal, self._session.pid)
        for event, offset in read(self._journal, self.progress.offset):
            self._carry(event)
            self._remember(self.progress.replace(offset=offset))
        if alive and not self._ended:
            return self.progress
        for run in self.progress.open:
            self._close(RunClosed(run=run, status=RunStatus.KILLED, ended=self._journal.stat().st_mtime))
        self._remember(self.progress.replace(done=True))
        return self.progress

    def _carry(self, event: object) -> None:
        match event:
            case RunOpened():
                run_id = self._store.open_run(event)
                runs = {**self.progress.runs, event.run: run_id}
                self._remember(self.progress.replace(runs=runs, open=(*self.progress.open, event.run)))
            case RunClosed():
                self._close(event)
                still = tuple(run for run in self.progress.open if run != event.run)
                self._remember(self.progress.replace(open=still))
            case SessionClosed():
                self._ended = True
            case NotebookExecuted():
                self._store.keep_notebook(event)
            case _:
                pass

    def _close(self, event: RunClosed) -> None:
        self._store.close_run(self.progress.runs[event.run], event, self._trail(event.run))
        for model in event.models:
            Path(model.path).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                Path(model.path).parent.rmdir()

    def _trail(self, run: str) -> Iterator[CellRecord]:
        """The cells of the session up to and with the run's own."""
        for event, _ in read(self._journal):
            if isinstance(event, CellRecord):
                yield event
                if event.run == run:
                    return

    def _remember(self, progress: Progress) -> None:
        self.progress = progress
        path = _progress_path(self._journal)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(progress.to_json())
        temporary.replace(path)


def read_progress(journal: Path) -> Progress:
    try:
        return Progress.from_file(_progress_path(journal))
    except (OSError, msgspec.DecodeError):
        return Progress()


def _progress_path(journal: Path) -> Path:
    return journal.with_suffix(".progress")


def _lock(journal: Path, timeout: float = LOCK_SECONDS) -> FileLock:
    return FileLock(journal.with_suffix(".lock"), timeout=timeout)


@contextlib.contextmanager
def _locked(journal: Path) -> Iterator[None]:
    try:
        with _lock(journal):
            yield
    except Timeout as error:
        fact = f"Another writer has held {journal.name} for {LOCK_SECONDS:.0f} seconds"
        raise TrackingError(fact, remedy="Wait for it to end, then run: cellops sync") from error


def _store(settings: Settings) -> "Store":
    from cellops.tracking.store import Store

    return Store(settings)
