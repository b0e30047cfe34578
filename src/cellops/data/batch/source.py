"""What a batch reads: files one after the other, or a table of DuckDB, as chunks that never span two files."""

import csv
import hashlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Protocol

from cellops.data.batch.chunk import CHUNK_ROWS, Chunk
from cellops.data.batch.duckdb_file import DuckDBTable, duckdb_table
from cellops.data.batch.files import CSV, LINES, InputFile, found
from cellops.data.batch.json_lines import tables_of_lines
from cellops.data.batch.target import TableTarget, Target
from cellops.data.summary.batches import fitting_rows
from cellops.data.tables import csv_names, doubled
from cellops.errors import InputError, UsageError
from cellops.settings import without_credentials

SAMPLE = 1 << 20
"""Bytes at the beginning of a file of lines that tell how long its lines are."""
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
"""How pandas calls the columns of an index without a name, which are no data."""


class Source(Protocol):
    """Where a batch takes its rows from."""

    def rows(self) -> int | None:
        """How many there are, in lines by their length; None where that is not known beforehand."""

    def chunks(self, rows: int | None) -> Iterator[Chunk]:
        """All rows in their order, at least one chunk, and the same ones each time.

        Parameters
        ----------
        rows
            Of a chunk; by default 100,000, or fewer where a row has many columns.

        Raises
        ------
        InputError
            When something cannot be read, naming the file.
        """


def source(place: str, output: Target | None = None) -> Source:
    """What stands at a place.

    Parameters
    ----------
    place
        A file of CSV, Parquet or JSON lines, a folder or a pattern of such, an address of any of these, or
        `FILE::TABLE` of DuckDB.
    output
        Where the answers go: among several files, this one and what lies beside it are none of the rows.

    Raises
    ------
    NotFoundError
        When nothing stands there.
    InputError
        When it cannot be read.
    UsageError
        When it is where the answers go, or what it takes to reach it is not installed.
    """
    table = duckdb_table(place)
    if table is not None:
        if isinstance(output, TableTarget) and output.table.is_same(table):
            raise _is_output(place)
        return _Table(table)
    files = found(place)
    kept = [file for file in files if output is None or not output.owns(file)]
    if not kept:
        raise _is_output(place)
    return Files(kept)


def _is_output(place: str) -> UsageError:
    fact = f"{without_credentials(place)} is where the answers would go"
    return UsageError(fact, remedy="Give another output: the rows would be lost")


class Files:
    """Files of one layout; each is read when its turn comes."""

    def __init__(self, files: list[InputFile]) -> None:
        self._files = files

    def rows(self) -> int | None:
        if any(file.files is not None for file in self._files):
            return None
        return sum(_rows_of(Path(file.place)) for file in self._files)

    def chunks(self, rows: int | None) -> Iterator[Chunk]:
        number = offset = 0
        for file in self._files:
            with file.here() as path:
                before, content, first = path.stat(), digest(path), 0
                for table in _tables(path, file.name, rows):
                    yield Chunk(number, file.name, content, first, offset, table, path.suffix.lower() in CSV)
                    number, first, offset = number + 1, first + table.num_rows, offset + table.num_rows
                after = path.stat()
                if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                    fact = f"{file.name} has changed while it was read"
                    raise InputError(fact, remedy="Let nothing write to it, and score it anew with --force")


class _Table:
    """A table of DuckDB."""

    def __init__(self, table: DuckDBTable) -> None:
        self._table = table

    def rows(self) -> int | None:
        return self._table.rows()

    def chunks(self, rows: int | None) -> Iterator[Chunk]:
        offset = 0
        for number, table in enumerate(self._table.tables(rows)):
            # A view may give its rows in another order each time, while the file is what it was.
            yield Chunk(number, self._table.name, _digest_of(table), offset, offset, table, is_text=False)
            offset += table.num_rows


def digest(path: Path) -> str:
    """What tells a file from any other: XXH3 of its content, in 32 hexadecimal digits."""
    import xxhash

    with path.open("rb") as file:
        return hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()


def _digest_of(table: Any) -> str:
    """The same of the rows of a table."""
    import xxhash

    content = xxhash.xxh3_128(table.schema.serialize())
    for batch in table.combine_chunks().to_batches():
        content.update(batch.serialize())
    return content.hexdigest()


def _rows_of(path: Path) -> int:
    """The rows of a file; of lines about as many as the first of them promise."""
    if path.suffix.lower() in CSV + LINES:
        with path.open("rb") as file:
            begin = file.read(SAMPLE)
        lines = max(begin.count(b"\n"), 1)
        return max(path.stat().st_size * lines // max(len(begin), 1) - (path.suffix.lower() in CSV), 0)
    import pyarrow.parquet as pq

    try:
        rows: int = pq.read_metadata(path).num_rows
    except (OSError, ValueError):  # which reading it will say
        return 0
    return rows


def _tables(path: Path, name: str, rows: int | None) -> Iterator[Any]:
    suffix = path.suffix.lower()
    return (_csv if suffix in CSV else _lines if suffix in LINES else _parquet)(path, name, rows)


def _refuse_doubled(names: Collection[str], name: str) -> None:
    twice = doubled(names)
    if twice:
        fact = f"{name} has several columns called {next(iter(twice)) or 'nothing'}"
        raise InputError(fact, remedy="Name each column once")


def _lines(path: Path, name: str, rows: int | None) -> Iterator[Any]:
    try:
        yield from tables_of_lines(path, rows, CHUNK_ROWS)
    except InputError as error:
        raise _of_file(error, path, name) from error


def _parquet(path: Path, name: str, rows: int | None) -> Iterator[Any]:
    from cellops.data.summary.parquet_file import tables_of_parquet

    try:
        size = rows or _fitting(path)
        for table in tables_of_parquet(path, size):
            _refuse_doubled(table.column_names, name)
            kept = [each for each in table.column_names if not UNNAMED_INDEX.fullmatch(each)]
            yield table.select(kept).replace_schema_metadata(None)
    except InputError as error:
        raise _of_file(error, path, name) from error


def _fitting(path: Path) -> int | None:
    import pyarrow.parquet as pq

    try:
        return min(CHUNK_ROWS, fitting_rows(len(pq.read_schema(path))))
    except (OSError, ValueError):  # which reading it will say
        return None


def _csv(path: Path, name: str, rows: int | None) -> Iterator[Any]:
    """Every cell of a CSV file as text."""
    import pyarrow as pa

    from cellops.data.table_chunks import TableChunks
    from cellops.records.contract import Schema, Task

    try:
        names = csv_names(path)
    except (UnicodeDecodeError, OSError, csv.Error) as error:
        fact = f"{name} cannot be read: {error}"
        raise InputError(fact, remedy="Write it again as CSV in UTF-8") from error
    if not names:
        fact = f"{name} is empty, without even a line of names"
        raise InputError(fact, remedy="Name each column in the first line")
    _refuse_doubled(names, name)
    _refuse_torn(path, name, len(names))
    untyped = Schema(inputs=(), task=Task.CLASSIFICATION, target="")
    size = rows or min(CHUNK_ROWS, fitting_rows(len(names)))
    schema = pa.schema([(each, pa.string()) for each in names if each])  # without an index that pandas wrote
    first = 0
    try:
        for frame in TableChunks(path, untyped, None, set(names), size):
            table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(None)
            yield table
            first += table.num_rows
    except InputError as error:
        raise _of_file(error, path, name) from error
    if not first:
        yield pa.Table.from_batches([], schema)


def _refuse_torn(path: Path, name: str, columns: int) -> None:
    """A last line without an end, with fewer cells than there are names, was not written to its end."""
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - SAMPLE, 0))
        last = file.read().replace(b"\r", b"\n").rpartition(b"\n")[2]
    # The end of a cell of several lines has one quote more than pairs of them.
    if last and last.count(b'"') % 2 == 0:
        try:
            cells = next(csv.reader([last.decode("utf-8", "replace")]), [])
        except csv.Error:  # which reading it will say
            return
        if len(cells) < columns:
            fact = f"{name} is torn: its last line has {len(cells)} cells, and its first line {columns} names"
            raise InputError(fact, remedy="Write it again in whole")


def _of_file(error: InputError, path: Path, name: str) -> InputError:
    """The error with the name of the file as it was given, below its folder."""
    fact = error.fact if name in error.fact else error.fact.replace(path.name, name, 1)
    return InputError(fact, received=error.received, remedy=error.remedy, file=name)
