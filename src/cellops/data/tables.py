"""A CSV or Parquet file as the table that a model's schema speaks of."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cellops.data.arrays import WANTED, Array, build_column
from cellops.data.csv_cells import bare_return, class_value, file_value
from cellops.data.problems import SHOWN, row_numbers, shorten
from cellops.errors import InputError, NotFoundError
from cellops.records.base import Value
from cellops.records.contract import Field, Schema, Task
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnKind

if TYPE_CHECKING:
    import pandas as pd

READERS = (".csv", ".parquet")


def read_table(path: Path, schema: Schema, label: str | None = None) -> "tuple[pd.DataFrame, list[Finding]]":
    """Read a CSV or Parquet file; the cells of a CSV become what the schema says, so that 001 is not 1.

    Parameters
    ----------
    path
        The file.
    schema
        What the columns of a CSV hold; those that it does not name stay text.
    label
        The column with the truth.

    Returns
    -------
    DataFrame, list of Finding
        The table, and the cells that could not be read; these are missing in it. Columns of one name keep it, and
        those of a CSV stay text.

    Raises
    ------
    NotFoundError
        When there is no such file.
    InputError
        When it is neither CSV nor Parquet, or cannot be read as what its name says.
    """
    if not path.is_file():
        fact = f"There is no file {path}"
        raise NotFoundError(fact, remedy="Give a CSV or Parquet file")
    if path.suffix.lower() not in READERS:
        fact = f"{path.name} is neither CSV nor Parquet"
        raise InputError(fact, received=path.suffix, remedy=f"Its name must end in {' or '.join(READERS)}")
    try:
        if path.suffix.lower() == ".csv":
            frame, unreadable = typed(_cells(path), schema, label)
            return frame, [cells.finding() for cells in unreadable]
        frame = _parquet(path)
    except (ValueError, TypeError, LookupError, OSError, ArithmeticError, csv.Error) as error:
        fact = f"{path.name} cannot be read: {str(error).splitlines()[0]}"
        raise InputError(fact, remedy="Write it again as Parquet or CSV") from error
    return frame, []


def _parquet(path: Path) -> "pd.DataFrame":
    """A Parquet file with the named levels of its index as columns, as other programs read it."""
    import pandas as pd
    import pyarrow.parquet as pq

    if doubled(pq.read_schema(path).names):  # which pandas refuses to read
        with pq.ParquetFile(path) as opened:
            return named_levels(opened.read().to_pandas())
    return named_levels(pd.read_parquet(path))


def named_levels(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A table with the named levels of its index as columns."""
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    return frame.reset_index(level=named) if named else frame


def _cells(path: Path) -> "pd.DataFrame":
    """Every cell of a CSV file as text."""
    import pandas as pd

    refuse_bare_return(path, bare_return(path.read_bytes().removeprefix(codecs.BOM_UTF8)))
    names = csv_names(path)
    # In a table of one column a blank line is a missing value.
    cells = pd.read_csv(path, dtype=object, na_filter=False, skip_blank_lines=len(names) > 1)
    refuse_unnamed(path, cells)
    return as_named(cells, names)


def csv_names(path: Path) -> list[str]:
    """The names in the first line of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next((line for line in csv.reader(file) if line), [])


def as_named(cells: "pd.DataFrame", names: list[str]) -> "pd.DataFrame":
    """The cells of a CSV file, with the names of those columns that pandas renames because others are called so."""
    twice = doubled(names)
    if twice and len(names) == len(cells.columns):
        cells.columns = [name if name in twice else read for name, read in zip(names, cells.columns, strict=True)]
    return cells


def doubled(names: Iterable[str]) -> dict[str, int]:
    """The names that several columns have, and how many have each."""
    return {name: times for name, times in Counter(names).items() if times > 1}


def refuse_bare_return(path: Path, line: int | None) -> None:
    if line is not None:
        fact = f"{path.name} holds a carriage return outside of quotes in line {line}"
        raise InputError(fact, remedy="Put the cell into quotes, or leave the carriage return out")


def refuse_unnamed(path: Path, cells: "pd.DataFrame") -> None:
    """Refuse cells without a name, of which pandas makes an index."""
    import pandas as pd

    if not isinstance(cells.index, pd.RangeIndex):
        fact = f"The rows of {path.name} have more values than its first line has names"
        raise InputError(fact, remedy="Name each column in the first line")


@dataclass(frozen=True)
class UnreadableCells:
    """Cells of a column that are not what the schema says."""

    field: Field
    rows: tuple[int, ...]
    """The first of them."""
    count: int
    example: str

    def joined(self, later: "UnreadableCells") -> "UnreadableCells":
        """The same, and those of rows that come later."""
        return replace(self, rows=(*self.rows, *later.rows)[:SHOWN], count=self.count + later.count)

    def finding(self) -> Finding:
        wanted = "an ISO 8601 time" if self.field.kind is ColumnKind.DATETIME else WANTED[self.field.kind]
        more = f", and so in {self.count - 1} more rows" if self.count > 1 else ""
        return Finding(
            code="cell-unreadable",
            severity=Severity.ERROR,
            where=f"column {self.field.name}, {row_numbers(self.rows, self.count)}",
            seen=f"{self.example!r} is not {wanted}{more}; such cells count as missing",
            remedy="Correct the cells, or leave them empty",
        )


def typed(cells: "pd.DataFrame", schema: Schema, label: str | None) -> "tuple[pd.DataFrame, list[UnreadableCells]]":
    """Cells of text as what the schema says, and those that are something else.

    Parameters
    ----------
    cells
        Changed in their place; the index holds the numbers of the rows. Columns of one name stay as they are.
    """
    import pandas as pd

    fields = {field.name: field for field in schema.inputs}
    if label is not None and schema.task is Task.REGRESSION:
        fields[label] = Field(name=label, kind=ColumnKind.NUMBER, dtype="float64", nullable=True)
    found = []
    twice = doubled(cells.columns)
    for name in [name for name in cells.columns if name in fields and name not in twice]:
        read, unreadable = _column(fields[name], cells[name])
        if unreadable:
            rows = tuple(cells.index[unreadable[:SHOWN]].tolist())
            found.append(UnreadableCells(fields[name], rows, len(unreadable), shorten(cells[name].iloc[unreadable[0]])))
        cells[name] = read
    if label in cells and label not in fields and label not in twice:
        classes = {cell: class_value(schema.classes, cell) for cell in cells[label].unique()}
        cells[label] = pd.Series([classes[cell] for cell in cells[label]], index=cells.index, dtype=object)
    return cells, found


def _column(field: Field, cells: "pd.Series[str]") -> tuple[Array, list[int]]:
    """The values of a column, missing where a cell cannot be read, and the rows of these; each word is read once."""
    plain = _plain_numbers(cells) if field.kind is ColumnKind.NUMBER else None
    if plain is not None:
        return plain, []
    codes, words = cells.factorize()
    values = [file_value(field, str(word)) for word in words]
    array = _array(field, values)
    if array is not None:
        return array[codes], []
    strange = [code for code, value in enumerate(values) if value is not None and _array(field, [value]) is None]
    for code in strange:
        values[code] = None
    array = _array(field, values)
    if array is None:  # integers beyond 2**53 beside missing ones
        array = np.array(values, dtype=np.float64)
    return array[codes], np.flatnonzero(np.isin(codes, strange)).tolist()


def _array(field: Field, values: list[Value]) -> Array | None:
    return build_column(field.replace(nullable=None in values), values)[0]


def _plain_numbers(cells: "pd.Series[str]") -> Array | None:
    """The numbers of a column in one step, where each cell holds one; Python would also take 1_000 for a number."""
    try:
        read = cells.to_numpy(dtype=object).astype(np.float64)
    except ValueError:
        return None
    return None if not np.isfinite(read).all() or cells.str.contains("_", regex=False).any() else read
