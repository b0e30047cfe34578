"""Parquet files, one or a folder of them, as chunks; no more of a file is in memory than of a chunk."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cellops.data.summary.batches import fitting_rows
from cellops.data.summary.chunk import Chunk
from cellops.errors import InputError

BUFFER = 1 << 20
"""Bytes that are read of a column at once: else a whole row group, which may be all of a file, would be in memory."""
MISSING = "__HIVE_DEFAULT_PARTITION__"
"""How a folder is called whose rows have no value."""
WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


def chunks_of_parquet(path: Path, rows: int | None) -> Iterator[Chunk]:
    """The rows of a file, or of all files of a folder, whose names may hold values: `year=2013/part.parquet`.

    Raises
    ------
    InputError
        When a file is damaged, or the folder holds none.
    """
    return map(Chunk.of_arrow, tables_of_parquet(path, rows))


def tables_of_parquet(path: Path, rows: int | None, columns: Collection[str] | None = None) -> Iterator[Any]:
    """The same as tables of pyarrow.

    Parameters
    ----------
    path
        A file, or a folder with files.
    rows
        Of a table; by default as many as fit.
    columns
        The only ones to be read, where a file has them; by default all.

    Raises
    ------
    InputError
        When a file is damaged, or the folder holds none.
    """
    for file, partition in parquet_files(path):
        try:
            yield from _of_file(file, partition, rows, columns)
        except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's own errors are among these
            fact = f"{file.name} cannot be read: {str(error).splitlines()[0]}"
            raise InputError(fact, remedy="Write it again: it is damaged, or no Parquet file") from error


def parquet_files(path: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Each file with the values that its folders name.

    Raises
    ------
    InputError
        When a folder holds none.
    """
    if path.is_file():
        return [(path, {})]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in (".parquet", ".pq") and file.is_file())
    if not files:
        fact = f"The folder {path} holds no Parquet file"
        raise InputError(fact, remedy="Give one whose files end in .parquet, or a CSV file by its name")
    return [(file, _named(file.relative_to(path))) for file in files]


def _named(file: Path) -> dict[str, Any]:
    pairs = (part.partition("=") for part in file.parent.parts)
    return {unquote(name): _value(unquote(value)) for name, equals, value in pairs if equals}


def _value(text: str) -> int | str | None:
    """What a folder's name says: a number that an integer holds, nothing at all, or a text."""
    return None if text == MISSING else int(text) if WHOLE.fullmatch(text) else text


def _of_file(file: Path, partition: dict[str, Any], rows: int | None, columns: Collection[str] | None) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False) as opened:
        schema = opened.schema_arrow
        size = rows or fitting_rows(len(schema) + len(partition))
        wanted = None if columns is None else [name for name in schema.names if name in columns]
        named = partition if columns is None else {name: partition[name] for name in partition if name in columns}
        if not opened.metadata.num_rows:
            empty = pa.Table.from_batches([], schema)
            yield _with(empty if wanted is None else empty.select(wanted), named)
        for batch in opened.iter_batches(batch_size=size, columns=wanted):
            yield _with(pa.Table.from_batches([batch]), named)


def _with(table: Any, partition: dict[str, Any]) -> Any:
    import pyarrow as pa

    for name, value in partition.items():
        table = table.append_column(name, pa.repeat(pa.scalar(value), table.num_rows))
    return table
