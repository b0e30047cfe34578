"""The inputs of a chunk in the types of the contract, and the rows that do not fit, each with its reason."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.arrays import WANTED, unfit_rows
from cellops.data.batch.chunk import Chunk
from cellops.data.batch.json_lines import mixed_columns, values_of
from cellops.data.csv_cells import MISSING
from cellops.data.decoder import Columns, frame_columns
from cellops.data.frames import scalars
from cellops.data.problems import listed
from cellops.data.tables import typed
from cellops.errors import InputError
from cellops.records.contract import Field, Schema
from cellops.records.profile import ColumnKind
from cellops.serving.rule_check import Rows

if TYPE_CHECKING:
    import pandas as pd

ABSENT = "is missing, and the model needs it"


@dataclass
class Inputs:
    """The rows of a chunk as the model takes them."""

    frame: "pd.DataFrame"
    """All rows, as they were read."""
    rows: Rows
    """The numbers in the chunk of those that fit, ascending."""
    columns: Columns
    """Of these."""
    bad: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Column and problem of every other row."""
    decimals: tuple[str, ...] = ()
    """The columns that held decimals, which were read as numbers of 64 bits."""

    def by_problem(self) -> dict[tuple[str, str], list[int]]:
        """The same rows, those of one column and problem together, ascending."""
        found: dict[tuple[str, str], list[int]] = {}
        for row in sorted(self.bad):
            found.setdefault(self.bad[row], []).append(row)
        return found


def inputs_of(schema: Schema, chunk: Chunk) -> Inputs:
    """Read the inputs of a chunk.

    Raises
    ------
    InputError
        When a column is not there.
    """
    import pandas as pd

    names = [each.name for each in schema.inputs]
    absent = [name for name in names if name not in chunk.table.column_names]
    if absent:
        fact = f"{chunk.file} has no column {listed(absent)}, which the model takes"
        remedy = f"Its columns are: {listed(chunk.table.column_names)}"
        raise InputError(fact, remedy=remedy, column=absent[0], file=chunk.file, row=chunk.first)
    table, decimals = _without_decimals(schema, chunk.table.select(names))
    read = table.to_pandas(integer_object_nulls=True, split_blocks=True)
    for name in mixed_columns(table):
        read[name] = pd.Series(values_of(chunk.table[name]), dtype=object)
    bad = dict[int, tuple[str, str]]()
    frame = _typed(schema, read, bad) if chunk.is_text else read
    every = np.arange(chunk.rows)
    if not bad:
        try:
            return Inputs(frame, every, frame_columns(schema, frame), decimals=decimals)
        except InputError:
            pass
    for each in schema.inputs:
        for row, problem in _unfit(each, frame[each.name]):
            bad.setdefault(row, (each.name, problem))
    rows = np.setdiff1d(every, np.array(sorted(bad), dtype=np.intp))
    columns = frame_columns(schema, frame.iloc[rows]) if len(rows) else {}
    return Inputs(frame, rows, columns, bad, decimals)


def _without_decimals(schema: Schema, table: Any) -> tuple[Any, tuple[str, ...]]:
    """A table whose decimals are the nearest floats, or integers where the model takes such; and the names of these."""
    import pyarrow as pa

    read = []
    for place, each in enumerate(schema.inputs):
        column = table.column(place)
        if not pa.types.is_decimal(column.type) or each.kind not in (ColumnKind.NUMBER, ColumnKind.INTEGER):
            continue
        try:
            plain = column.cast(pa.int64() if each.kind is ColumnKind.INTEGER else pa.float64())
        except pa.ArrowInvalid:  # a fraction, or too large: what is said of them is said of floats
            plain = column.cast(pa.float64())
        table = table.set_column(place, each.name, plain)
        read.append(each.name)
    return table, tuple(read)


def _typed(schema: Schema, cells: "pd.DataFrame", bad: dict[int, tuple[str, str]]) -> "pd.DataFrame":
    """Cells of text in their types; those that cannot be read are bad, though as values they are missing."""
    frame, unreadable = typed(cells.copy(), schema, None)
    for found in unreadable:
        name = found.field.name
        given = ~cells[name].str.strip().isin(MISSING).to_numpy(dtype=bool)
        for row in np.flatnonzero(given & frame[name].isna().to_numpy()).tolist():
            bad.setdefault(row, (name, _wrong(found.field)))
    return frame


def _unfit(each: Field, values: "pd.Series[Any]") -> list[tuple[int, str]]:
    """The rows of a column that do not fit, each with what is wrong."""
    plain = scalars(values)
    return [(row, ABSENT if plain[row] is None else _wrong(each)) for row in unfit_rows(each, plain)]


def _wrong(each: Field) -> str:
    return (
        f"is not {'an ISO 8601 time' if each.kind is ColumnKind.DATETIME else WANTED[each.kind]}, or out of its range"
    )
