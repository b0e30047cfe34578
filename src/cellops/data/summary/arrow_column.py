"""A column of pyarrow as the parts of a summary."""

from typing import Any

import numpy as np

from cellops.data.summary.column import Parts
from cellops.data.summary.numbers import NumberSummary
from cellops.data.summary.others import BooleanSummary, OpaqueSummary
from cellops.data.summary.texts import TextSummary, summed
from cellops.data.summary.times import TimeSummary


def parts_of_arrow(column: Any) -> tuple[Parts, int]:
    """The parts of an array or chunked array, and how many of its values are missing: null or NaN.

    Raises
    ------
    pyarrow.ArrowException
        When its values cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        return parts_of_arrow(pa.chunked_array([chunk.storage for chunk in chunks], kind.storage_type))
    if types.is_dictionary(kind):
        return _categories(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    present, missing = len(column) - column.null_count, column.null_count
    if not present:
        return Parts(), len(column)
    if types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind):
        return _numbers(column, missing)
    if types.is_boolean(kind):
        true = int(pc.sum(column).as_py())
        return Parts(booleans=BooleanSummary(true, present - true)), missing
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _texts(column, missing)
    if types.is_timestamp(kind) or types.is_date(kind):
        return _times(column), missing
    return Parts(opaque=OpaqueSummary.of(_plain_name(kind), present, nested=types.is_nested(kind))), missing


def _numbers(column: Any, missing: int) -> tuple[Parts, int]:
    import pyarrow as pa
    from pyarrow import types

    if types.is_decimal(column.type):
        column = column.cast(pa.float64())
    values = (column.drop_null() if missing else column).to_numpy()
    numbers, undefined = NumberSummary.of(values, whole=types.is_integer(column.type))
    missing += undefined
    return Parts(numbers=numbers if numbers.rows else None), missing


def _texts(column: Any, missing: int) -> tuple[Parts, int]:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    pairs = pc.value_counts(column)
    if missing:
        pairs = pairs.filter(pc.is_valid(pairs.field("values")))
    return Parts(texts=TextSummary.of(pairs.field("values"), pairs.field("counts").to_numpy())), missing


def _categories(column: Any) -> tuple[Parts, int]:
    """Rows of each entry of a dictionary; entries that nobody has, and nulls among them, count for nothing."""
    import pyarrow as pa

    codes = column.indices.drop_null().to_numpy()
    rows = np.bincount(codes, minlength=len(column.dictionary))
    names = column.dictionary.cast(pa.large_string()).to_pylist()
    return categories([name for name in names if name is not None], rows[[name is not None for name in names]], column)


def categories(names: list[str], rows: Any, column: Any) -> tuple[Parts, int]:
    """The parts of a column of categories, and how many of its values are missing.

    Parameters
    ----------
    names
        Of the categories, some of which may be there twice.
    rows
        Of each, shape (categories,).
    column
        Whatever has the length of the column.
    """
    import pyarrow as pa

    once, counted = summed(names, rows)
    missing = len(column) - int(counted.sum())
    if not once:
        return Parts(), missing
    return Parts(texts=TextSummary.of(pa.array(once, pa.large_string()), counted, categorical=True)), missing


def _times(column: Any) -> Parts:
    """In microseconds; of coarser units, those that microseconds cannot count are refused."""
    import pyarrow as pa

    fine = getattr(column.type, "unit", "") == "ns"
    zone = getattr(column.type, "tz", None)
    exact = column.drop_null().cast(pa.timestamp("us", zone), safe=not fine)
    return Parts(times=TimeSummary.of(exact.cast(pa.int64()).to_numpy(), zone or ""))


def _plain_name(kind: Any) -> str:
    """`list` of `list<item: int64>`."""
    return str(kind).partition("<")[0].partition("[")[0]
