"""The journals of a project, and how far each has been carried."""

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from cellops.capture.journal import SUFFIX, read
from cellops.errors import TrackingError
from cellops.records.base import Record
from cellops.records.proof import Proof
from cellops.records.run import NotebookExecuted, SessionOpened
from cellops.records.sweep import OF_SWEEPS, SweepBegun
from cellops.settings import Settings

OF_EXECUTIONS = "execution-"
"""How the names of journals begin that hold what `cellops execute` itself has to say."""
OF_PROOFS = "proof-"
"""And of those that hold a proof each."""
BEHIND = (OF_EXECUTIONS, OF_PROOFS, OF_SWEEPS)
"""How the names of journals begin that speak of the runs of others."""
LOCK_SECONDS = 120.0


class Progress(Record, frozen=True, kw_only=True):
    """How far a journal has been carried; stands beside it."""

    offset: int = 0
    runs: dict[str, str] = {}  # noqa: RUF012 - msgspec copies mutable defaults
    """Keys of runs with MLflow's ids."""
    open: tuple[str, ...] = ()
    """Runs that have been opened and not closed."""
    kept: tuple[str, ...] = ()
    """Runs of which something stands in the journal only, since the store did not take it."""
    waiting: tuple[str, ...] = ()
    """Runs of which a model waits for a module that was not found; it is tried again by the next `sync`."""
    store: str | None = None
    """The store to which all this has been carried."""
    size: int = 0
    """How long the journal was when it was done: with the torn last line of a machine that lost power."""
    done: bool = False


def journals(settings: Settings) -> list[Path]:
    """The project's journals, oldest first; those of executions last, as they speak of the runs of the others."""
    found = []
    for path in (settings.folder / "journal").glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):  # another process may delete it meanwhile
            held = path.stat()
            if stat.S_ISREG(held.st_mode) and held.st_size:
                found.append((path.name.startswith(BEHIND), held.st_mtime, path.name, path))
    return [path for *_, path in sorted(found)]


def first_event(journal: Path) -> SessionOpened | NotebookExecuted | Proof | SweepBegun | None:
    """What a journal begins with, where it can be read."""
    try:
        event = next((event for event, _ in read(journal)), None)
    except OSError:
        return None
    return event if isinstance(event, SessionOpened | NotebookExecuted | Proof | SweepBegun) else None


def read_progress(journal: Path) -> Progress:
    """How far a journal has been carried; one that has grown since it was done is not done."""
    try:
        progress = Progress.from_file(_progress_path(journal))
        return progress.replace(done=progress.done and journal.stat().st_size == progress.size)
    except (OSError, msgspec.DecodeError):
        return Progress()


def write_progress(journal: Path, progress: Progress) -> None:
    path = _progress_path(journal)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(progress.to_json())
    temporary.replace(path)


def _progress_path(journal: Path) -> Path:
    return journal.with_suffix(".progress")


@contextlib.contextmanager
def on_disk(journal: Path) -> Iterator[None]:
    """Turn the disk's errors into one that names the journal.

    Raises
    ------
    TrackingError
        When the journal cannot be read, or its progress not be written.
    """
    try:
        yield
    except OSError as error:
        fact = f"{journal} cannot be carried: {error.strerror or error}"
        raise TrackingError(fact, remedy="Free or repair the disk, then run: cellops sync") from error


def lock(journal: Path, timeout: float = LOCK_SECONDS) -> FileLock:
    """Who holds it may carry the journal."""
    return FileLock(journal.with_suffix(".lock"), timeout=timeout)


@contextlib.contextmanager
def locked(journal: Path) -> Iterator[None]:
    """Hold the lock of a journal.

    Raises
    ------
    TrackingError
        When another writer does not give it up.
    """
    try:
        with lock(journal):
            yield
    except Timeout as error:
        fact = f"Another writer has held {journal.name} for {LOCK_SECONDS:.0f} seconds"
        raise TrackingError(fact, remedy="Wait for it to end, then run: cellops sync") from error
