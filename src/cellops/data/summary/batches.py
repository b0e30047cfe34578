"""Record batches of pyarrow, cut where they are long and joined where they are short."""

from collections.abc import Iterable, Iterator
from typing import Any

from cellops.data.summary.chunk import Chunk

VALUES = 8_000_000
"""Values of a chunk that is read from a file or made by an engine: some 64 MB."""
LEAST_ROWS, MOST_ROWS = 4_096, 1_048_576


def fitting_rows(columns: int) -> int:
    """Rows of a chunk with so many columns."""
    return min(max(VALUES // max(columns, 1), LEAST_ROWS), MOST_ROWS)


def chunks_of_batches(batches: Iterable[Any], schema: Any, rows: int | None = None) -> Iterator[Chunk]:
    """Chunks of some `rows` rows, by default as many as fit; at least one, which may be empty."""
    import pyarrow as pa

    size = rows or fitting_rows(len(schema))
    waiting: list[Any] = []
    held = told = 0
    for batch in batches:
        for begin in range(0, batch.num_rows, size):
            waiting.append(batch.slice(begin, size))
            held += waiting[-1].num_rows
            if held >= size:
                yield Chunk.of_arrow(pa.Table.from_batches(waiting, schema))
                waiting, held, told = [], 0, told + 1
    if held or not told:
        yield Chunk.of_arrow(pa.Table.from_batches(waiting, schema))
