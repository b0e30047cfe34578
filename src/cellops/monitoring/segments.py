"""Append-only segments, and the thread that writes them beside the server, so that no answer waits for the disk."""

import importlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec
from filelock import FileLock

from cellops.errors import UsageError
from cellops.monitoring.segment_files import LOCK, Segment, compact, compact_leftovers, damage, remove
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pyarrow as pa

Entry = TypeVar("Entry")
TRIED_ENTRIES = 100
"""Entries by which a disk that took nothing is tried again, so that no flush prepares all that waits in vain."""
SHORTEST_WAIT = 0.01
"""Seconds between flushes at least, so that the thread never spins."""
logger = logging.getLogger(__name__)


class Room(NamedTuple):
    """What may wait to be written; more than that is counted as lost, so that a slow disk costs no memory."""

    rows: int = 250_000
    size: int = 256 * 2**20
    """Bytes."""


ROOM = Room()


class Waiting(msgspec.Struct, frozen=True, gc=False):
    entry: Any
    """As it was packed."""
    rows: int
    size: int


class SegmentWriter(Generic[Entry]):
    """Writes entries to a folder from a thread of its own, every `flush_seconds`.

    Once made it never raises, and a caller waits for nothing longer than a lock. A killed process loses what came
    since the last flush; segments that it leaves are compacted by the next writer on the folder. Rows that cannot be
    written are counted as lost, or kept and tried again, and writing goes on as soon as it can. Several writers may
    share a folder: each holds a lock and writes segments of its own.

    Parameters
    ----------
    folder
        Where the segments go; made when it is not there.
    to_batch
        Makes an Arrow record batch of some packed entries, in the writer's thread.
    flush_seconds
        Longest time that an entry waits in memory.
    segment_rows
        Rows after which a segment is closed and compacted.
    segment_seconds
        Seconds after which it is closed all the same; None for any time.
    keep
        Whether rows that the disk does not take are kept and tried again; `stalled` says so meanwhile, and whoever
        answers on takes no more of them than the queue holds.
    room
        How much may wait; an entry with more than that is taken when it finds the queue empty.
    weigh
        About how many bytes an entry takes while it waits; called for each, so that it must not look at every value.
    pack
        Makes of each entry what waits in its place.
    on_written
        Sees each batch that was written, in the writer's thread.

    Raises
    ------
    UsageError
        When the folder cannot be written to at the start.
    """

    def __init__(
        self,
        folder: Path,
        to_batch: "Callable[[Sequence[Any]], pa.RecordBatch]",
        *,
        flush_seconds: float,
        segment_rows: int,
        segment_seconds: float | None = None,
        keep: bool = False,
        room: Room = ROOM,
        weigh: Callable[[Entry], int] = lambda _entry: 0,
        pack: Callable[[Entry], Any] = lambda entry: entry,
        on_written: "Callable[[pa.RecordBatch], None]" = lambda _batch: None,
    ) -> None:
        # Arrow loads pandas at its first conversion; beside a busy server that takes seconds, and the queue overflows.
        for module in ("pandas", "pyarrow.parquet", "pyarrow.pandas_compat", "pyarrow.vendored.version"):
            importlib.import_module(module)
        self._folder = folder
        self._to_batch = to_batch
        self._flush_seconds = max(flush_seconds, SHORTEST_WAIT)
        self._segment_rows = segment_rows
        self._segment_seconds = float("inf") if segment_seconds is None else segment_seconds
        self._keep = keep
        self._room = room
        self._weigh = weigh
        self._pack = pack
        self._on_written = on_written
        try:
            self._writer, self._held = _hold(folder)
        except OSError as error:
            fact = f"The log folder {folder} cannot be written to: {_reason(error)}"
            raise UsageError(fact, remedy="Give a folder in which files can be made") from error
        self._guard = threading.Lock()
        self._waiting: list[Waiting] = []
        self._waiting_rows = self._waiting_size = 0
        self._in_hand = 0
        self._lost: dict[str, int] = {}
        self._stalled: str | None = None
        self._segment: Segment | None = None
        self._closing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"cellops-{folder.name}", daemon=True)
        self._thread.start()

    def append(self, entry: Entry, rows: int) -> bool:
        """Hand an entry of some rows to the writer; False when it has no room or is closed, and they are not logged."""
        size = self._weigh(entry)
        waiting = Waiting(self._pack(entry), rows, size)
        with self._guard:
            closing = self._closing
            taken = not closing and (not self._waiting or self._fits(rows, size))
            if taken:
                self._waiting.append(waiting)
                self._waiting_rows += rows
                self._waiting_size += size
            # A disk that takes nothing is asked at the flushes, and not each time that a row comes.
            busy = self._stalled is None and not self._fits(self._waiting_rows, self._waiting_size)
        if busy:
            self._wake.set()
        # Whoever has rows kept does not answer what is not taken.
        if not taken and not self._keep:
            self._lose(rows, "the log was closed" if closing else "more came than could be written")
        return taken

    def _fits(self, rows: int, size: int) -> bool:
        return self._waiting_rows + rows <= self._room.rows and self._waiting_size + size <= self._room.size

    def close(self) -> None:
        """Write what waits and compact the segments; closing again does nothing."""
        with self._guard:
            self._closing = True
        self._wake.set()
        self._thread.join()

    @property
    def room(self) -> int:
        """Rows that may wait to be written."""
        return self._room.rows

    @property
    def waiting_rows(self) -> int:
        with self._guard:
            return self._waiting_rows + self._in_hand

    @property
    def stalled(self) -> str | None:
        """Why rows that were handed over cannot be written now; None while they can, or are given up."""
        return self._stalled

    @property
    def lost_rows(self) -> int:
        with self._guard:
            return sum(self._lost.values())

    def findings(self) -> tuple[Finding, ...]:
        """One for each reason for which rows were lost, and one for each stream in the folder that is damaged."""
        with self._guard:
            lost = dict(self._lost)
        return (
            *damage(self._folder),
            *(
                Finding(
                    code="log-rows-lost",
                    severity=Severity.ERROR,
                    where=f"log {self._folder.name}",
                    seen=f"{rows} rows were not logged: {reason}",
                    remedy="See that the disk has room and keeps up; answers were not affected",
                )
                for reason, rows in lost.items()
            ),
        )

    def _work(self) -> None:
        try:
            self._write_until_closed()
        except BaseException as error:
            # A log that nobody writes must not look like one that is written.
            with self._guard:
                self._closing = True
                waiting = self._emptied()
            self._stalled = f"the log's thread ended ({type(error).__name__})"
            self._lose(waiting + self._in_hand, self._stalled)
            raise

    def _write_until_closed(self) -> None:
        compact_leftovers(self._folder)
        while not self._closing:
            self._wake.wait(self._flush_seconds)
            self._wake.clear()
            self._flush()
            if self._segment is not None and time.monotonic() - self._segment.started > self._segment_seconds:
                self._finish()
        self._flush()
        self._give_up()
        compacted = self._finish()
        self._held.release()
        if compacted:
            # A lock that stays tells the next writer on the folder that there are streams to compact.
            remove(self._folder / f"{self._writer}{LOCK}")

    def _flush(self) -> None:
        if self._stalled is not None:
            self._write_waiting(TRIED_ENTRIES)
        if self._stalled is None:
            self._write_waiting()

    def _write_waiting(self, most: int | None = None) -> None:
        """Write the first entries that wait; all of them where no number is given."""
        with self._guard:
            entries, self._waiting = self._waiting[:most], [] if most is None else self._waiting[most:]
            self._in_hand = sum(each.rows for each in entries)
            self._waiting_rows -= self._in_hand
            self._waiting_size -= sum(each.size for each in entries)
        if entries:
            self._write(entries)
            self._in_hand = 0

    def _write(self, entries: Sequence[Waiting]) -> None:
        try:
            batch = self._to_batch([each.entry for each in entries])
        except Exception as error:  # noqa: BLE001 - whatever a value does, the thread lives on and counts it
            self._divide(entries, error)
            return
        try:
            segment = self._current()
            segment.write(batch)
        except Exception as error:  # noqa: BLE001 - whatever a disk does, the thread lives on and counts it
            self._abandon()
            if self._keep:
                self._put_back(entries, _reason(error))
            else:
                self._lose(sum(each.rows for each in entries), _reason(error))
        else:
            self._stalled = None
            self._on_written(batch)
            if segment.rows >= self._segment_rows:
                self._finish()

    def _put_back(self, entries: Sequence[Waiting], reason: str) -> None:
        if self._stalled is None:
            logger.error("The log %s cannot be written and waits: %s", self._folder, reason)
        with self._guard:
            self._waiting = [*entries, *self._waiting]
            self._waiting_rows += sum(each.rows for each in entries)
            self._waiting_size += sum(each.size for each in entries)
        self._stalled = reason

    def _emptied(self) -> int:
        """Let go of all that waits; gives its rows."""
        rows, self._waiting, self._waiting_rows, self._waiting_size = self._waiting_rows, [], 0, 0
        return rows

    def _give_up(self) -> None:
        """Count what still waits at the end."""
        with self._guard:
            rows = self._emptied()
        if rows:
            self._lose(rows, self._stalled or "the log was closed")

    def _divide(self, entries: Sequence[Waiting], error: Exception) -> None:
        """Write the halves, so that one entry that cannot be logged takes no other with it."""
        if len(entries) == 1:
            self._lose(entries[0].rows, f"a value does not fit its column ({type(error).__name__})")
            return
        middle = len(entries) // 2
        self._write(entries[:middle])
        self._write(entries[middle:])

    def _current(self) -> Segment:
        """The segment to write to: a new one also where somebody has removed the file, or the whole folder."""
        if self._segment is not None and not self._segment.path.exists():
            self._finish()
        if self._segment is None:
            if not (self._folder / f"{self._writer}{LOCK}").exists():
                self._held.release()
                self._writer, self._held = _hold(self._folder)
            self._segment = Segment(self._folder, self._writer)
        return self._segment

    def _finish(self) -> bool:
        """Close the segment, and compact it and those that could not be compacted before."""
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()
        return compact(self._folder, self._writer)

    def _abandon(self) -> None:
        """End a torn stream, behind which nothing could be read; it is compacted with the next one."""
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()
            if not segment.rows:
                remove(segment.path)

    def _lose(self, rows: int, reason: str) -> None:
        with self._guard:
            first = reason not in self._lost
            self._lost[reason] = self._lost.get(reason, 0) + rows
        if first:
            logger.error("%d rows of the log %s were lost: %s", rows, self._folder, reason)


def _hold(folder: Path) -> tuple[str, FileLock]:
    """A new writer's name and its lock, which the system gives back when the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        name = uuid.uuid4().hex[:12]
        held = FileLock(folder / f"{name}{LOCK}", thread_local=False)
        held.acquire()
        # Another process that was looking for leftovers may just have removed the file.
        if (folder / f"{name}{LOCK}").exists():
            return name, held


def _reason(error: Exception) -> str:
    """Why something failed, in the system's words: Arrow's own hold paths, and differ from time to time."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else type(error).__name__
