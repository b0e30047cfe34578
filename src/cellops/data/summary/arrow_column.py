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
    from pyarrow import types

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        return parts_of_arrow(pa.chunked_array([chunk.storage for chunk in chunks], kind.storage_type))
    if column.null_count == len(column):
        return Parts(), len(column)
    readers = {
        _categories: (types.is_dictionary,),
        _numbers: (types.is_floating, types.is_integer, types.is_decimal),
        _booleans: (types.is_boolean,),
        _texts: (types.is_string, types.is_large_string, types.is_string_view),
        _times: (types.is_timestamp, types.is_date),
    }
    read = next((reader for reader, fits in readers.items() if any(fit(kind) for fit in fits)), _opaque)
    return read(column, column.null_count)


def _booleans(column: Any, missing: int) -> tuple[Parts, int]:
    import pyarrow.compute as pc

    true = int(pc.sum(column).as_py())
    return Parts(booleans=BooleanSummary(true, len(column) - missing - true)), missing


def _opaque(column: Any, missing: int) -> tuple[Parts, int]:
    from pyarrow import types

    name = str(column.type).partition("<")[0].partition("[")[0]  # `list` of `list<item: int64>`
    return Parts(opaque=OpaqueSummary.of(name, len(column) - missing, nested=types.is_nested(column.type))), missing


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


def _categories(column: Any, _missing: int) -> tuple[Parts, int]:
    """Rows of each entry of a dictionary; entries that nobody has, and nulls among them, count for nothing."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
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


def _times(column: Any, missing: int) -> tuple[Parts, int]:
    """In microseconds; of coarser units, those that microseconds cannot count are refused."""
    import pyarrow as pa

    fine = getattr(column.type, "unit", "") == "ns"
    zone = getattr(column.type, "tz", None)
    exact = column.drop_null().cast(pa.timestamp("us", zone), safe=not fine)
    return Parts(times=TimeSummary.of(exact.cast(pa.int64()).to_numpy(), zone or "")), missing
