"""Append-only segments: a live one is an Arrow stream, a closed one a Parquet file."""

import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from filelock import FileLock, Timeout

from cellops.errors import InputError
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pyarrow as pa

Entry = TypeVar("Entry")
QUEUE_ROWS = 250_000
"""Rows that may wait to be written; more than that are counted as lost, so that a slow disk costs no memory."""
STREAM = ".arrow"
CLOSED = ".parquet"
LOCK = ".lock"
logger = logging.getLogger(__name__)


class SegmentWriter(Generic[Entry]):
    """Writes entries to a folder from a thread of its own, every `flush_seconds`; it never blocks and never raises.

    A killed process loses what came since the last flush. Segments that it leaves are compacted by the next writer on
    the folder. Several writers may share a folder: each holds a lock and writes segments of its own.

    Parameters
    ----------
    folder
        Where the segments go; made when it is not there.
    to_batch
        Makes an Arrow record batch of some entries, in the writer's thread.
    flush_seconds
        Longest time that an entry waits in memory.
    segment_rows
        Rows after which a segment is closed and compacted.
    """

    def __init__(
        self,
        folder: Path,
        to_batch: "Callable[[Sequence[Entry]], pa.RecordBatch]",
        *,
        flush_seconds: float,
        segment_rows: int,
        queue_rows: int = QUEUE_ROWS,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._to_batch = to_batch
        self._flush_seconds = flush_seconds
        self._segment_rows = segment_rows
        self._queue_rows = queue_rows
        self._name, self._held = _hold(folder)
        self._guard = threading.Lock()
        self._waiting: list[Entry] = []
        self._waiting_rows = 0
        self._lost: dict[str, int] = {}
        self._segment: _Segment | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"cellops-{folder.name}", daemon=True)
        self._thread.start()

    def append(self, entry: Entry, rows: int) -> bool:
        """Hand an entry of some rows to the writer; False when the queue is full and the rows are lost."""
        with self._guard:
            if not self._closing.is_set() and self._waiting_rows + rows <= self._queue_rows:
                self._waiting.append(entry)
                self._waiting_rows += rows
                return True
        self._lose(rows, "more came than could be written")
        return False

    def close(self) -> None:
        """Write what waits, and compact the segment."""
        self._closing.set()
        self._thread.join()
        self._held.release()
        (self._folder / f"{self._name}{LOCK}").unlink(missing_ok=True)

    @property
    def lost_rows(self) -> int:
        return sum(self._lost.values())

    def findings(self) -> tuple[Finding, ...]:
        """One for each reason for which rows were lost."""
        with self._guard:
            lost = dict(self._lost)
        return tuple(
            Finding(
                code="log-rows-lost",
                severity=Severity.ERROR,
                where=f"log {self._folder.name}",
                seen=f"{rows} rows were not logged: {reason}",
                remedy="See that the disk has room and keeps up; answers were not affected",
            )
            for reason, rows in lost.items()
        )

    def _work(self) -> None:
        compact_leftovers(self._folder)
        while not self._closing.wait(self._flush_seconds):
            self._flush()
        self._flush()
        self._finish()

    def _flush(self) -> None:
        with self._guard:
            entries, rows = self._waiting, self._waiting_rows
            self._waiting, self._waiting_rows = [], 0
        if not entries:
            return
        try:
            batch = self._to_batch(entries)
            self._segment = self._segment or _Segment(self._folder, self._name, batch.schema)
            self._segment.write(batch)
        except Exception as error:  # noqa: BLE001 - whatever a disk or a value does, the thread lives on and counts it
            self._lose(rows, f"{type(error).__name__}: {error}")
            # What comes after a torn batch in a stream cannot be read, so the stream ends here.
            self._finish()
        else:
            if self._segment.rows >= self._segment_rows:
                self._finish()

    def _finish(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()
            _compact(segment.path)

    def _lose(self, rows: int, reason: str) -> None:
        with self._guard:
            first = reason not in self._lost
            self._lost[reason] = self._lost.get(reason, 0) + rows
        if first:
            logger.error("%d rows of the log %s were lost: %s", rows, self._folder, reason)


def _hold(folder: Path) -> tuple[str, FileLock]:
    """A new writer's name and its lock, which the system gives back when the process dies."""
    while True:
        name = uuid.uuid4().hex[:12]
        held = FileLock(folder / f"{name}{LOCK}", thread_local=False)
        held.acquire()
        # Another process that was looking for leftovers may just have removed the file.
        if (folder / f"{name}{LOCK}").exists():
            return name, held


class _Segment:
    """The stream that a writer is writing."""

    def __init__(self, folder: Path, writer: str, schema: "pa.Schema") -> None:
        import pyarrow as pa

        started = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        self.path = folder / f"{started}-{writer}{STREAM}"
        self.rows = 0
        self._file = pa.OSFile(str(self.path), "wb")
        self._stream = pa.ipc.new_stream(self._file, schema)

    def write(self, batch: "pa.RecordBatch") -> None:
        self._stream.write_batch(batch)
        self.rows += batch.num_rows

    def close(self) -> None:
        try:
            self._stream.close()
            self._file.close()
        except OSError as error:
            # The whole batches stay readable without the mark that ends a stream.
            logger.warning("%s could not be closed: %s", self.path, error)


def compact_leftovers(folder: Path) -> None:
    """Compact the streams of writers that are no more, and remove what their ends have left."""
    for lock in sorted(folder.glob(f"*{LOCK}")):
        held = FileLock(lock)
        try:
            held.acquire(timeout=0)
        except Timeout:
            continue
        try:
            for stream in sorted(folder.glob(f"*-{lock.stem}{STREAM}")):
                _compact(stream)
            for torn in folder.glob(f".*-{lock.stem}{CLOSED}"):
                torn.unlink(missing_ok=True)
        finally:
            held.release()
        if not list(folder.glob(f"*-{lock.stem}{STREAM}")):
            lock.unlink(missing_ok=True)


def _compact(stream: Path) -> None:
    """Turn a stream into a Parquet file: under another name first, and the stream goes last."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    final = stream.with_suffix(CLOSED)
    temporary = final.with_name(f".{final.name}")
    try:
        table = _read_stream(stream)
        if table is not None and not final.exists():
            with temporary.open("wb") as file:
                pq.write_table(table, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(final)
        stream.unlink(missing_ok=True)
    except (OSError, pa.ArrowException) as error:
        temporary.unlink(missing_ok=True)
        logger.warning("%s stays an Arrow stream, it could not be compacted: %s", stream, error)


def read_segments(folder: Path) -> "pa.Table | None":
    """All rows of a folder of segments, those of live writers included; None where nothing has been written.

    Raises
    ------
    InputError
        When a Parquet file is damaged, or segments hold columns of one name and different types.
    """
    import pyarrow as pa

    stems = sorted({path.stem for path in _segments(folder)})
    tables = [table for stem in stems if (table := _read(folder, stem)) is not None]
    if not tables:
        return None
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        fact = f"The segments in {folder} hold columns of one name and different types: {error}"
        raise InputError(fact, remedy="Keep the log of each model in a folder of its own") from error


def _segments(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix in (STREAM, CLOSED) and not path.name.startswith("."):
            yield path


def _read(folder: Path, stem: str) -> "pa.Table | None":
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream, closed = folder / f"{stem}{STREAM}", folder / f"{stem}{CLOSED}"
    if not closed.exists():
        try:
            return _read_stream(stream)
        except FileNotFoundError:
            # It was compacted since the folder was listed.
            pass
    try:
        return pq.read_table(closed)
    except (OSError, pa.ArrowException) as error:
        fact = f"{closed} cannot be read: {error}"
        raise InputError(fact, remedy="Restore the file, or move it away") from error


def _read_stream(path: Path) -> "pa.Table | None":
    """The whole batches of a stream, which may be torn at its end; None when there is not even one."""
    import pyarrow as pa

    batches: list[Any] = []
    with pa.OSFile(str(path), "rb") as file:
        try:
            reader = pa.ipc.open_stream(file)
            while True:
                batches.append(reader.read_next_batch())
        except (StopIteration, OSError, pa.ArrowInvalid):
            # The end of the stream, or of what a killed writer had written of it.
            pass
    return pa.Table.from_batches(batches) if batches else None
