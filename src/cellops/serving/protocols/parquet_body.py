"""A table of Parquet in the body of a request: its footer and the heads of its pages are looked at first."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.arrays import Array
from cellops.data.problems import shorten
from cellops.errors import InputError
from cellops.serving.limits import Content, Limits
from cellops.serving.protocols.parquet_pages import unpacked

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PARQUET = "application/vnd.apache.parquet"
INDEX = re.compile(r"__index_level_\d+__")
"""How pandas calls an index without a name, which is no column of the frame."""
READ_ROWS = 64
"""Rows at least that are read before it is looked again how large the table has become."""
WIDEST = 16
"""Bytes of a value of a fixed width at most, as Arrow holds it."""


def parquet_table(content: Content, limits: Limits) -> dict[str, Sequence[Any] | Array]:
    """The columns of a table.

    Parameters
    ----------
    content
        A whole Parquet file.
    limits
        How many rows it may have.

    Returns
    -------
    dict
        By name, what `Decoder.columns` takes: arrays of numbers in which NaN is a missing value, or scalars of JSON.

    Raises
    ------
    InputError
        When it is no Parquet, names a column twice, or has columns that no table of JSON could hold.
    LimitError
        When it has too many rows or columns, or is far larger when unpacked.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        longest = _longest_row(content, file.metadata, limits)
        _refuse_nested(file.schema_arrow)
        table = _read(file, limits, _rows_at_once(longest, limits))
        names: list[str] = table.column_names
        columns = list(map(_values, table.columns))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        fact = "The body is not Parquet, or holds what cannot be read"
        raise InputError(fact, remedy="Send what pandas.DataFrame.to_parquet writes") from error
    if len(set(names)) < len(names):
        fact = "A column is named twice"
        raise InputError(fact, remedy="Name each column once")
    return {name: values for name, values in zip(names, columns, strict=True) if not INDEX.fullmatch(name)}


def _longest_row(content: Content, footer: "pq.FileMetaData", limits: Limits) -> int:
    """Bytes of one row at most, of a table that is not too large."""
    limits.check_rows(footer.num_rows)
    limits.check_columns(footer.num_columns)
    size = unpacked(content, footer)
    limits.check_unpacked(size.total)
    columns: int = footer.num_columns
    return size.longest + columns * WIDEST


def _rows_at_once(longest: int, limits: Limits) -> int:
    """Rows that surely take no more memory than a body may."""
    return max(READ_ROWS, limits.max_bytes // max(longest, 1))


def _refuse_nested(schema: "pa.Schema") -> None:
    """Of such a column the footer does not tell how many values a row has, and no input of a model is one."""
    import pyarrow as pa

    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if nested:
        fact = f"Column {shorten(nested[0])} has lists or objects in its rows"
        raise InputError(fact, remedy="Send a column of single values", column=shorten(nested[0]))


def _read(file: "pq.ParquetFile", limits: Limits, at_once: int) -> "pa.Table":
    """The table, some rows at a time: a value that stands once in the file can stand in each row, and is long then."""
    import pyarrow as pa

    batches, rows, size = [], 0, 0
    for batch in file.iter_batches(at_once, use_threads=False):
        rows, size = rows + batch.num_rows, size + sum(map(_plain_bytes, batch.columns))
        limits.check_rows(rows)
        limits.check_unpacked(size)
        batches.append(batch)
    return pa.Table.from_batches(batches, file.schema_arrow)


def _plain_bytes(column: "pa.Array") -> int:
    """Bytes of a column when each row has its own value."""
    import pyarrow as pa

    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    size: int = plain.nbytes
    return size


def _values(column: "pa.ChunkedArray") -> Sequence[Any] | Array:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_floating(kind) or (
        not column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))
    ):
        return np.asarray(column.to_numpy())
    scalars: list[Any] = column.to_pylist()
    if pa.types.is_temporal(kind):
        return [value.isoformat() if hasattr(value, "isoformat") else value for value in scalars]
    return scalars
