"""A file, or a folder with Parquet files, that may be larger than memory, as tables that a model's schema speaks of."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.data.csv_cells import bare_return_in
from cellops.data.summary.batches import fitting_rows
from cellops.data.summary.parquet_file import parquet_files, tables_of_parquet
from cellops.data.tables import (
    READERS,
    UnreadableCells,
    as_named,
    csv_names,
    named_levels,
    refuse_bare_return,
    refuse_unnamed,
    typed,
)
from cellops.errors import InputError, NotFoundError
from cellops.records.contract import Schema
from cellops.records.finding import Finding

if TYPE_CHECKING:
    import pandas as pd

MOST_VALUES = 20_000_000
"""Values of a Parquet file up to which it is read as a whole: some 160 MB."""
MOST_BYTES = 64 << 20
"""The same of a CSV file, each of whose cells is a string at first."""
MOST_TEXT = 128 << 20
"""The same of the strings of a Parquet file."""
TEXT_AT_ONCE = 48 << 20
"""Bytes of strings, or of a CSV file, in a chunk: what is made of them takes several times as much."""
SAMPLE = 1 << 20
"""Bytes at the beginning of a CSV file that tell how long its lines are."""
COPIES = 4
"""How often the values of a chunk stand in memory: as read, as a table, as what the model takes, and sorted."""
CSV_COPIES = 12
"""The same where each cell is first a string."""


def is_long(path: Path, columns: Collection[str]) -> bool:
    """Whether a file or folder is rather read in chunks than as a whole.

    Parameters
    ----------
    path
        What is to be read; where there is nothing, it is not long.
    columns
        The names of those that would be read.

    Raises
    ------
    InputError
        When a folder holds no Parquet file.
    """
    if path.is_file() and path.suffix.lower() == ".csv":
        return path.stat().st_size > MOST_BYTES
    if not path.exists() or (path.is_file() and path.suffix.lower() != ".parquet"):
        return False
    import pyarrow.parquet as pq

    values = text = 0
    try:
        for file, _ in parquet_files(path):
            with pq.ParquetFile(file) as opened:
                values += opened.metadata.num_rows * sum(name in columns for name in opened.schema_arrow.names)
                text += _text_of(opened.metadata, columns)
    except (OSError, ValueError):  # which reading it will say
        return False
    return values > MOST_VALUES or text > MOST_TEXT


def _text_of(metadata: Any, columns: Collection[str]) -> int:
    """Bytes of the strings of some columns, as a Parquet file holds them before it presses them."""
    schema = metadata.schema
    strings = [
        place
        for place in range(metadata.num_columns)
        if schema.column(place).physical_type == "BYTE_ARRAY" and schema.column(place).path in columns
    ]
    groups = map(metadata.row_group, range(metadata.num_row_groups if strings else 0))
    return sum(group.column(place).total_uncompressed_size for group in groups for place in strings)


def _lines_at_once(path: Path) -> int:
    """Lines of a CSV file that a chunk may hold."""
    with path.open("rb") as file:
        begin = file.read(SAMPLE)
    return max(1, TEXT_AT_ONCE * (begin.count(b"\n") + 1) // max(len(begin), 1))


@dataclass
class TableChunks:
    """The tables of a file one after the other, and what of them could not be read."""

    path: Path
    schema: Schema
    label: str | None
    """The column with the truth."""
    columns: set[str]
    """The names of the columns that are read, where they are there."""
    rows: int | None = None
    """Of a chunk; by default as many as fit."""
    names: list[str] = field(default_factory=list)
    """All columns of the first file, once it is read."""
    unreadable: dict[str, UnreadableCells] = field(default_factory=dict)

    def __iter__(self) -> "Iterator[pd.DataFrame]":
        """Tables whose index holds the numbers of their rows, from 0 on over all files.

        Raises
        ------
        NotFoundError
            When there is no such file or folder.
        InputError
            When it is neither CSV nor Parquet, or cannot be read as what its name says.
        """
        if not self.path.exists():
            fact = f"There is no file {self.path}"
            raise NotFoundError(fact, remedy="Give a CSV or Parquet file, or a folder with Parquet files")
        if not self.path.is_dir() and self.path.suffix.lower() not in READERS:
            fact = f"{self.path.name} is neither CSV nor Parquet"
            raise InputError(fact, received=self.path.suffix, remedy=f"Its name must end in {' or '.join(READERS)}")
        try:
            yield from self._parquet() if self.path.suffix.lower() != ".csv" or self.path.is_dir() else self._csv()
        except (ValueError, TypeError, LookupError, OSError, ArithmeticError, csv.Error) as error:
            fact = f"{self.path.name} cannot be read: {str(error).splitlines()[0]}"
            raise InputError(fact, remedy="Write it again as Parquet or CSV") from error

    def findings(self) -> list[Finding]:
        """The cells that could not be read so far; these are missing in the tables."""
        return [cells.finding() for cells in self.unreadable.values()]

    def _parquet(self) -> "Iterator[pd.DataFrame]":
        import pandas as pd
        import pyarrow.parquet as pq

        rows = self.rows or fitting_rows(len(self.columns) * COPIES)
        for file, partition in parquet_files(self.path):
            with pq.ParquetFile(file) as opened:
                names = [*opened.schema_arrow.names, *partition]
                text = _text_of(opened.metadata, self.columns)
                if text and self.rows is None:
                    rows = min(rows, max(1, TEXT_AT_ONCE * opened.metadata.num_rows // text))
            self.names = self.names or names
        first = 0
        for table in tables_of_parquet(self.path, rows, self.columns):
            frame = named_levels(table.to_pandas(split_blocks=True))
            frame.index = pd.RangeIndex(first, first + len(frame))
            first += len(frame)
            yield frame

    def _csv(self) -> "Iterator[pd.DataFrame]":
        import pandas as pd

        refuse_bare_return(self.path, bare_return_in(self.path))
        self.names = names = csv_names(self.path)
        rows = self.rows or min(fitting_rows(len(names) * CSV_COPIES), _lines_at_once(self.path))
        blank = len(names) > 1  # in a table of one column a blank line is a missing value
        with pd.read_csv(self.path, dtype=object, na_filter=False, skip_blank_lines=blank, chunksize=rows) as reader:
            for renamed in reader:
                refuse_unnamed(self.path, renamed)
                cells = as_named(renamed, names)
                read = cells.loc[:, [name in self.columns for name in cells.columns]].copy()
                frame, unreadable = typed(read, self.schema, self.label)
                for found in unreadable:
                    held = self.unreadable.get(found.field.name)
                    self.unreadable[found.field.name] = found if held is None else held.joined(found)
                yield frame
