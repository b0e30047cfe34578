"""The thread that carries closed segments to a store: what is not there yet stays on the disk, and is counted."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from cellops.monitoring.log_store import LogStore, reason
from cellops.monitoring.segment_files import closed, remove
from cellops.records.finding import Finding, Severity

RHYTHM = 1.0
"""Seconds between two looks for closed segments."""
LONGEST_WAIT = 60.0
"""Seconds between two tries on a store that does not answer, at most; each wait is twice the one before."""
LAST_TRY = 10.0
"""Seconds that the end of a server waits for the last segments."""
HELD = "held"
"""Folder beside those of a log; while it is there, what has been uploaded stays in it: somebody still reads it here."""
TURN = ".uploading"
"""The lock by which servers on one folder take turns."""
logger = logging.getLogger(__name__)


class Uploader:
    """Carries the closed segments of some folders to a store, the oldest first, and removes them here unless held.

    Once made it never raises. Segments that a server before this one has left are carried too.

    Parameters
    ----------
    store
        Where they go.
    folders
        Where writers leave them, each called as its folder there.
    rhythm
        Seconds between two looks.
    """

    def __init__(self, store: LogStore, folders: Sequence[Path], rhythm: float = RHYTHM) -> None:
        self._store = store
        self._folders = tuple(folders)
        self._rhythm = rhythm
        self._failure: str | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="cellops-upload", daemon=True)
        self._thread.start()

    def waiting(self) -> int:
        """Closed segments that the store does not have yet."""
        return sum(len(closed(folder)) for folder in self._folders)

    def close(self) -> None:
        """Try what waits once more, for some seconds; closing again does nothing."""
        self._end.set()
        self._thread.join(LAST_TRY)

    def findings(self) -> tuple[Finding, ...]:
        """One where segments wait."""
        waiting = self.waiting()
        if not waiting:
            return ()
        because = f": {self._failure}" if self._failure else ""
        return (
            Finding(
                code="log-not-uploaded",
                severity=Severity.WARNING,
                where=f"log {self._folders[0].parent.name}",
                seen=f"{waiting} segments are not in {self._store.public} yet{because}",
                remedy=f"They stay in {self._folders[0].parent}; the next server on it uploads them",
            ),
        )

    def _work(self) -> None:
        wait = self._rhythm
        while not self._end.wait(wait):
            wait = self._rhythm if self._carry() else min(2 * wait, LONGEST_WAIT)
        self._carry()

    def _carry(self) -> bool:
        """Carry all that is closed; whether nothing failed."""
        try:
            for folder in self._folders:
                if closed(folder):
                    with FileLock(folder / TURN, timeout=0):
                        self._carry_from(folder)
        except Timeout:
            # Another server on the folder carries them.
            return True
        except Exception as error:  # noqa: BLE001 - drivers raise errors of their own, and the thread lives on
            self._tell(reason(error))
            return False
        self._failure = None
        return True

    def _carry_from(self, folder: Path) -> None:
        for segment in closed(folder):
            self._store.take(segment, folder.name)
            _let_go(segment)

    def _tell(self, why: str) -> None:
        """Say it once for as long as it lasts."""
        if self._failure is None:
            logger.warning("Segments wait in %s, %s takes none: %s", self._folders[0].parent, self._store.public, why)
        self._failure = why


def _let_go(segment: Path) -> None:
    held = segment.parent.parent / HELD / segment.parent.name
    try:
        segment.replace(held / segment.name)
    except OSError:
        remove(segment)
