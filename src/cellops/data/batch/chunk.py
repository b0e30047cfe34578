"""Some rows of a table on their way through a batch."""

from dataclasses import dataclass
from typing import Any, Self

CHUNK_ROWS = 100_000
"""Rows of a chunk where memory takes so many of them: enough for a model to be as fast as on all at once."""


@dataclass(frozen=True)
class Chunk:
    """Rows that stand together in one file."""

    number: int
    """Its place in the batch, from 0."""
    file: str
    """As it may be shown."""
    content: str
    """The digest of that file."""
    first: int
    """The number of its first row in the file, from 0."""
    offset: int
    """The same in the batch."""
    table: Any
    """A table of pyarrow."""
    is_text: bool
    """Whether each value is a cell of text, which only the schema gives a type."""
    every: int = 1
    """Of how many rows one is counted for the drift profile."""

    @property
    def rows(self) -> int:
        rows: int = self.table.num_rows
        return rows

    @property
    def source(self) -> str:
        """What its rows are, for who compares them with those of another time."""
        return f"{self.content}:{self.first}:{self.rows}"

    def packed(self) -> tuple[Any, ...]:
        """What goes to another process."""
        return (
            self.number,
            self.file,
            self.content,
            self.first,
            self.offset,
            to_bytes(self.table),
            self.is_text,
            self.every,
        )

    @classmethod
    def unpacked(cls, packed: tuple[Any, ...]) -> Self:
        number, file, content, first, offset, table, is_text, every = packed
        return cls(number, file, content, first, offset, from_bytes(table), is_text, every)


def to_bytes(table: Any) -> bytes:
    """A table as a stream of Arrow.

    >>> import pyarrow as pa
    >>> from_bytes(to_bytes(pa.table({"hour": [5, 6]})))["hour"].to_pylist()
    [5, 6]
    """
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_bytes(content: bytes) -> Any:
    """The table of a stream."""
    import pyarrow as pa

    return pa.ipc.open_stream(content).read_all()
