"""Which answers reviewers are looking at, so that no two of them are shown the same."""

import os
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec
from filelock import FileLock

from cellops.records.base import Record

FILE = "review-claims.json"
WHILE_LOOKING = 1800.0
"""Seconds for which a reviewer who looks at rows one by one has them; whoever was killed frees them so."""
IN_A_FILE = 86_400.0
"""Seconds for which rows are kept that went out in a file."""


class Claim(Record, frozen=True, kw_only=True):
    reviewer: str
    until: float
    """Seconds since the epoch."""


class Claims:
    """The claims of one reviewer in the folder of a log; a reviewer has the same ones in every session.

    Parameters
    ----------
    folder
        The folder of the log.
    reviewer
        Who claims.
    now
        The clock, in seconds since the epoch.
    """

    def __init__(self, folder: Path, reviewer: str, now: Callable[[], float] = time.time) -> None:
        self._file = folder / FILE
        self._lock = FileLock(folder / f"{FILE}.lock")
        self._reviewer = reviewer
        self._now = now

    def others(self) -> dict[str, str]:
        """By prediction id, which other reviewer is looking at it now."""
        return {name: claim.reviewer for name, claim in self._valid().items() if claim.reviewer != self._reviewer}

    def take(self, wanted: Sequence[str], most: int, seconds: float = WHILE_LOOKING) -> list[str]:
        """Claim the first of the wanted ids that no other has, at most so many; `OSError` on a full disk."""
        with self._lock:
            held = self._valid()
            taken = [name for name in wanted if name not in held or held[name].reviewer == self._reviewer][:most]
            until = self._now() + seconds
            self._write(held | {name: Claim(reviewer=self._reviewer, until=until) for name in taken})
        return taken

    def release(self, names: Collection[str]) -> None:
        """Give claims back, where they are this reviewer's."""
        with self._lock:
            held = self._valid()
            self._write({n: c for n, c in held.items() if n not in names or c.reviewer != self._reviewer})

    def _valid(self) -> dict[str, Claim]:
        try:
            held = msgspec.json.decode(self._file.read_bytes(), type=dict[str, Claim])
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            # Claims are a courtesy: a file that somebody has damaged keeps nobody from working.
            return {}
        return {name: claim for name, claim in held.items() if claim.until > self._now()}

    def _write(self, held: dict[str, Claim]) -> None:
        torn = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        torn.write_bytes(msgspec.json.encode(held))
        torn.replace(self._file)
