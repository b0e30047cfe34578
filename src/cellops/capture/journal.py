"""The local journal: one file a session, one event a line, on disk before the next cell can start.

A line is handed to the operating system at once, so that a killed process loses none; a torn last line
(of a machine that lost power) is passed over on reading.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Union

import msgspec

from cellops.records.base import Record
from cellops.records.cell import CellRecord
from cellops.records.file import FilesPinned
from cellops.records.gate import GatesJudged
from cellops.records.proof import Proof
from cellops.records.run import NotebookExecuted, RunClosed, RunOpened, RunReported, SessionClosed, SessionOpened
from cellops.records.sweep import SweepBegun, SweepEnded, TrialBegun, TrialEnded

Event = Union[  # noqa: UP007 - msgspec reads it at run time
    SessionOpened,
    SessionClosed,
    CellRecord,
    RunOpened,
    RunReported,
    RunClosed,
    FilesPinned,
    NotebookExecuted,
    GatesJudged,
    Proof,
    SweepBegun,
    TrialBegun,
    TrialEnded,
    SweepEnded,
]
SUFFIX = ".jsonl"


class Journal:
    """Appends events; safe among threads. A forked child writes nothing: the session is its parent's.

    With a `first` event the file appears with that line in it, so that nobody meets an empty journal.
    """

    def __init__(self, folder: Path, session: str, first: Record | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = path_of(folder, session)
        if first is not None:
            _create(self.path, first)
        self._descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._pid = os.getpid()
        self._lock = Lock()

    def is_gone(self) -> bool:
        """Whether someone has deleted the file, so that what is appended would be lost."""
        return os.getpid() == self._pid and os.name == "posix" and os.fstat(self._descriptor).st_nlink == 0

    def append(self, event: Record) -> None:
        """Write one event as one line.

        Raises
        ------
        OSError
            When the disk refuses it; what was written of the line is taken back.
        """
        if os.getpid() != self._pid:
            return
        line = event.to_json() + b"\n"
        with self._lock:
            written = os.write(self._descriptor, line)
            if written != len(line):
                size = os.fstat(self._descriptor).st_size
                os.ftruncate(self._descriptor, size - written)
                fact = f"only {written} of {len(line)} bytes fitted"
                raise OSError(fact)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def path_of(folder: Path, session: str) -> Path:
    """Where the journal of a session stands."""
    return folder / f"{session}{SUFFIX}"


def _create(path: Path, first: Record) -> None:
    temporary = path.with_suffix(".new")
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
        file.write(first.to_json() + b"\n")
    temporary.replace(path)


def read(path: Path, offset: int = 0) -> Iterator[tuple[Event, int]]:
    """The whole lines from byte `offset` on, each with the offset behind it; lines of a newer version are skipped."""
    decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            with contextlib.suppress(msgspec.DecodeError):
                yield decoder.decode(line), offset
