"""The files of a log: a live segment is an Arrow stream, a closed one a Parquet file.

A segment is called `START-WRITER`, so that no two writers ever share one. A stream that a killed writer has left is
readable up to its last whole batch.
"""

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from cellops.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

STREAM = ".arrow"
CLOSED = ".parquet"
LOCK = ".lock"
logger = logging.getLogger(__name__)


class Segment:
    """The stream that a writer is writing; each batch is handed to the operating system at once."""

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
        import pyarrow as pa

        for part in (self._stream, self._file):
            try:
                part.close()
            except (OSError, pa.ArrowException) as error:
                # The whole batches stay readable without the mark that ends a stream.
                logger.warning("%s could not be closed: %s", self.path, error)


def read_segments(folder: Path) -> "list[pa.Table]":
    """The segments of a folder, the oldest first, those of live writers included; none where nothing was written.

    Raises
    ------
    InputError
        When a Parquet file is damaged.
    """
    # A segment that is compacted while the folder is listed may escape one listing, but not two.
    stems = {path.stem for _ in range(2) for path in _segments(folder)}
    return [table for stem in sorted(stems) if (table := _read(folder, stem)) is not None]


def compact_leftovers(folder: Path) -> None:
    """Compact the streams of writers that are no more; it never raises."""
    for lock in sorted(folder.glob(f"*{LOCK}")):
        held = FileLock(lock)
        try:
            held.acquire(timeout=0)
        except OSError:
            # Its writer lives, or the folder cannot be written: the streams are readable as they are.
            continue
        if compact(folder, lock.stem):
            remove(lock)
        held.release()


def compact(folder: Path, writer: str) -> bool:
    """Compact the streams of a writer that writes none of them any more; whether all of them could be."""
    for torn in folder.glob(f".*-{writer}{CLOSED}"):
        remove(torn)
    done = [_compact(stream) for stream in sorted(folder.glob(f"*-{writer}{STREAM}"))]
    return all(done)


def _compact(stream: Path) -> bool:
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
        remove(temporary)
        logger.warning("%s stays an Arrow stream, it could not be compacted: %s", stream, error)
        return False
    return True


def remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s could not be removed: %s", path, error)


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
        return pq.ParquetFile(closed).read()
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
        except (StopIteration, OSError, pa.ArrowException):
            # The end of the stream, or of what a killed writer had written of it.
            pass
    return pa.Table.from_batches(batches) if batches else None
