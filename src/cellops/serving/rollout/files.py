"""A rollout on the disk: what holds now, what was decided, and what each process has counted; beside the log's folders.

The state is the truth for all processes of a server. It is replaced in one step, and only after the decision that
leads to it has been written down.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import msgspec
from filelock import FileLock, Timeout

from cellops.errors import UsageError
from cellops.monitoring.log_store import FOLDERS as LOGS
from cellops.monitoring.uploading import HELD
from cellops.records.base import Record
from cellops.records.rollout import Decision, Evidence, RolloutState

STATE, DECISIONS, EVIDENCE, LOCK = "rollout.json", "decisions.jsonl", "rollout-evidence", "rollout.lock"
QUALITY, TURN = "labels.json", "labels.lock"
Stamp = tuple[int, int] | None
NOWHERE = (FileNotFoundError, NotADirectoryError)


class Counted(Record, frozen=True, kw_only=True):
    """What one process has counted in a stage."""

    since: float
    """When the stage began, which tells stages apart."""
    evidence: Evidence


class RolloutFiles:
    """Those of one model.

    Parameters
    ----------
    folder
        Where the model logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / STATE
        self._own = folder / EVIDENCE / f"{uuid4().hex}.json"
        self._turn = FileLock(folder / EVIDENCE / TURN, timeout=0, thread_local=False)

    @contextmanager
    def held(self, *, wait: bool) -> Iterator[bool]:
        """While nobody else changes the state, in whatever process; without waiting it may not come to that."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / LOCK, timeout=-1 if wait else 0)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def stamp(self) -> Stamp:
        """What changes when the state is replaced; None where there is none."""
        try:
            found = self._state.stat()
        except NOWHERE:
            return None
        return found.st_ino, found.st_mtime_ns

    def read(self) -> RolloutState | None:
        """The state; None where there never was a rollout.

        Raises
        ------
        UsageError
            When it cannot be read.
        """
        try:
            return RolloutState.from_file(self._state)
        except NOWHERE:
            return None
        except (OSError, msgspec.DecodeError) as error:
            fact = f"The state of the rollout {self._state} cannot be read: {error}"
            raise UsageError(fact, remedy="Put back a copy, or take it away to begin without a rollout") from error

    def write(self, state: RolloutState) -> None:
        """Replace the state, and wait until that is on the disk."""
        beside = self._state.with_suffix(f".{os.getpid()}.new")
        with beside.open("wb") as file:
            file.write(state.to_json())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._state)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def note(self, decision: Decision) -> None:
        """Write down a decision, and wait until that is on the disk."""
        with (self.folder / DECISIONS).open("ab") as file:
            # A line that a crash has cut short must not take this one with it.
            broken = file.tell() > 0 and not self._ends_whole()
            file.write(b"\n" * broken + decision.to_json() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def count(self, since: float, evidence: Evidence) -> None:
        """What this process has counted in a stage until now."""
        self._count(self._own, since, evidence)

    def count_quality(self, since: float, evidence: Evidence) -> None:
        """What labels say of a stage until now, of the answers of all processes: one of them has the turn to tell."""
        self._count(self.folder / EVIDENCE / QUALITY, since, evidence)

    def take_turn(self) -> bool:
        """Whether this process tells of the labels: the first that asks, until it gives the turn back or dies."""
        if not self._turn.is_locked:
            (self.folder / EVIDENCE).mkdir(parents=True, exist_ok=True)
            with suppress(Timeout):
                self._turn.acquire()
        return self._turn.is_locked

    def end_turn(self) -> None:
        self._turn.release()

    def hold(self, since: float) -> None:
        """Keep closed segments of the log from now on that hold rows of a stage, also where they are uploaded."""
        for part in LOGS:
            (self.folder / HELD / part).mkdir(parents=True, exist_ok=True)
        for path in (self.folder / HELD).glob("*/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < since:
                    path.unlink()

    def let_go(self) -> None:
        """Keep none any more."""
        shutil.rmtree(self.folder / HELD, ignore_errors=True)

    def counted(self, since: float, own: Evidence | None = None) -> Evidence:
        """What all processes have counted in a stage, also those that have ended; of this one as is given."""
        total = own or Evidence()
        for path in self._counts():
            if own is not None and path == self._own:
                continue
            with suppress(OSError, msgspec.DecodeError):
                found = Counted.from_file(path)
                if found.since == since:
                    total = total.merged(found.evidence)
        return total

    def forget(self, since: float) -> None:
        """Remove what was counted in other stages."""
        for path in self._counts():
            with suppress(OSError, msgspec.DecodeError):
                if Counted.from_file(path).since != since:
                    path.unlink()

    def _count(self, file: Path, since: float, evidence: Evidence) -> None:
        beside = file.with_suffix(".new")
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(Counted(since=since, evidence=evidence).to_json())
        beside.replace(file)

    def _counts(self) -> list[Path]:
        return sorted((self.folder / EVIDENCE).glob("*.json"))

    def _ends_whole(self) -> bool:
        with (self.folder / DECISIONS).open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
