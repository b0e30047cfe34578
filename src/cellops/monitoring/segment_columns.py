"""A few columns of the segments of a log, for who looks at them again and again: what has not changed is not read."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.monitoring.frames import read_frames
from cellops.monitoring.segment_files import CLOSED, STREAM

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, order=True)
class SegmentFile:
    """A segment as it lies on the disk; another one where it has grown or was compacted."""

    stem: str
    """Stays the same when it is compacted, and so does the order of its rows."""
    path: Path
    size: int

    def columns(self, names: Sequence[str]) -> "pa.Table | None":
        """These columns of all rows that are whole; None where there are none, or the file has gone meanwhile.

        Raises
        ------
        OSError, pyarrow.ArrowException
            When it cannot be read.
        """
        with suppress(FileNotFoundError):
            return _closed(self.path, names) if self.path.suffix == CLOSED else _live(self.path, names)
        return None


def segments_since(folders: Sequence[Path], moment: float) -> Iterator[SegmentFile]:
    """The segments of some folders that may hold rows from this moment on, in seconds since 1970, the oldest first."""
    found: dict[str, SegmentFile] = {}
    # What is compacted, or goes to a later folder, while this is listed is there before: the later place counts.
    listed = [path for folder in folders for suffix in (STREAM, CLOSED) for path in folder.glob(f"[!.]*{suffix}")]
    for path in listed:
        with suppress(FileNotFoundError):
            status = path.stat()
            if status.st_mtime >= moment:
                found[path.stem] = SegmentFile(path.stem, path, status.st_size)
    yield from sorted(found.values())


def _closed(path: Path, names: Sequence[str]) -> "pa.Table":
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, page_checksum_verification=True).read(columns=list(names))


def _live(path: Path, names: Sequence[str]) -> "pa.Table | None":
    import pyarrow as pa

    frames, _ = read_frames(path)
    tables = [pa.ipc.open_stream(pa.py_buffer(frame)).read_all().select(list(names)) for frame in frames]
    return pa.concat_tables(tables) if tables else None
