"""The files of a log: a live segment is a stream of frames with a batch each, a closed one a Parquet file.

A segment is called `START-WRITER`, so that no two writers ever share one. A stream that a killed writer has left is
readable up to its last whole frame. Nothing that could not be read is ever deleted: a damaged stream is kept beside the
Parquet file of its readable frames.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock

from cellops.errors import InputError
from cellops.monitoring.frames import header, read_frames
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pyarrow as pa

STREAM = ".frames"
CLOSED = ".parquet"
DAMAGED = ".damaged"
LOCK = ".lock"
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"
"""As Arrow's format for streams of messages has it."""
SAMPLE = 4096
"""Values of a column by which it is told whether they are mostly different."""
MOSTLY = 0.85
"""Different ones among so many where each stands about eight times in 100,000 rows."""
logger = logging.getLogger(__name__)


class Segment:
    """The stream that a writer is writing; each batch is handed to the operating system at once."""

    def __init__(self, folder: Path, writer: str) -> None:
        import pyarrow as pa

        started = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        self.path = folder / f"{started}-{writer}{STREAM}"
        self.rows = 0
        self.started = time.monotonic()
        self._file = pa.OSFile(str(self.path), "wb")

    def write(self, batch: "pa.RecordBatch") -> None:
        # As a stream writer makes it, which would make room for it again and again while it grows.
        frame = (memoryview(batch.schema.serialize()), memoryview(batch.serialize()), END_OF_STREAM)
        for part in (header(*frame), *frame):
            self._file.write(part)
        self.rows += batch.num_rows

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            logger.warning("%s could not be closed: %s", self.path, error)


def read_segments(folder: Path) -> "list[pa.Table]":
    """The segments of a folder, the oldest first, those of live writers included; none where nothing was written.

    Raises
    ------
    InputError
        When a file cannot be read, or a Parquet file is damaged. Damaged frames of a stream are left out.
    """
    # A segment that is compacted while the folder is listed may escape one listing, but not two.
    stems = {path.stem for _ in range(2) for path in _segments(folder)}
    return [table for stem in sorted(stems) if (table := _read(folder, stem)) is not None]


def put_closed(folder: Path, name: str, table: "pa.Table") -> Path:
    """Write a closed segment of its own, in whole or not at all; one of the same name is replaced.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{name}{CLOSED}"
    temporary = final.with_name(f".{final.name}")
    try:
        _write_parquet(table, temporary)
        temporary.replace(final)
    except OSError:
        remove(temporary)
        raise
    _sync_folder(folder)
    return final


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


def closed(folder: Path) -> list[Path]:
    """The segments that nobody writes any more, the oldest first."""
    return sorted(path for path in folder.glob(f"*{CLOSED}") if not path.name.startswith("."))


def damaged(folder: Path) -> list[Path]:
    """The streams of which some could not be read."""
    return sorted(folder.glob(f"*{DAMAGED}"))


def damage(folder: Path) -> list[Finding]:
    """One finding for each stream of which some cannot be read, live ones included."""
    found = damaged(folder)
    for stream in sorted(folder.glob(f"*{STREAM}")):
        with contextlib.suppress(FileNotFoundError):
            if read_frames(stream)[1]:
                found.append(stream)
    return [
        Finding(
            code="log-damaged",
            severity=Severity.ERROR,
            where=f"log {folder.name}",
            seen=f"some of {path.name} could not be read; the rest of it was kept",
            remedy=f"Check the disk; delete {path} when you do not need it",
        )
        for path in found
    ]


def _compact(stream: Path) -> bool:
    """Turn a stream into a Parquet file: under another name first, and the stream goes last."""
    import pyarrow as pa

    final = stream.with_suffix(CLOSED)
    temporary = final.with_name(f".{final.name}")
    try:
        frames, broken = read_frames(stream)
        if frames and not final.exists():
            _write_parquet(_table(frames), temporary)
            temporary.replace(final)
            _sync_folder(final.parent)
        if broken:
            stream.replace(stream.with_suffix(DAMAGED))
            logger.error("%s is damaged: what could be read of it was kept", stream.with_suffix(DAMAGED))
        else:
            stream.unlink(missing_ok=True)
    except (OSError, pa.ArrowException) as error:
        remove(temporary)
        logger.warning("%s stays as it is, it could not be compacted: %s", stream, error)
        return False
    return True


def _write_parquet(table: "pa.Table", path: Path) -> None:
    import pyarrow.parquet as pq

    with path.open("wb") as file:
        pq.write_table(table, file, write_page_checksum=True, use_dictionary=_repeating(table))
        file.flush()
        os.fsync(file.fileno())


def _repeating(table: "pa.Table") -> list[str]:
    """The columns that Parquet shall write by a dictionary: of others that makes the file larger, and takes eight times
    as long.
    """
    places = np.arange(0, table.num_rows, max(table.num_rows // SAMPLE, 1))
    sample = table.take(places)
    return [name for name in table.column_names if len(sample[name].unique()) <= MOSTLY * len(places)]


def _sync_folder(folder: Path) -> None:
    """The new name must be on the disk before the old file goes."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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

    stream, closed = folder / f"{stem}{STREAM}", folder / f"{stem}{CLOSED}"
    path = closed if closed.exists() else stream
    try:
        try:
            return _read_parquet(closed) if path is closed else _read_stream(stream)
        except FileNotFoundError:
            # It was compacted since the folder was listed.
            path = closed
            return _read_parquet(closed)
    except (OSError, pa.ArrowException) as error:
        fact = f"{path} cannot be read: {error}"
        raise InputError(fact, remedy="Restore the file, or move it away") from error


def _read_parquet(path: Path) -> "pa.Table":
    """A closed segment; values that a damaged page would give could crash whoever looks at them."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path, page_checksum_verification=True).read()
    table.validate(full=True)
    return table


def _read_stream(path: Path) -> "pa.Table | None":
    frames, broken = read_frames(path)
    if broken:
        logger.warning("%s is damaged: what could not be read of it is left out", path)
    return _table(frames) if frames else None


def _table(frames: Sequence[memoryview]) -> "pa.Table":
    import pyarrow as pa

    return pa.concat_tables(pa.ipc.open_stream(pa.py_buffer(frame)).read_all() for frame in frames)
