"""The Arrow types of a contract's columns and labels, as the logs keep them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellops.records.contract import Schema, Task
from cellops.records.profile import ColumnKind

if TYPE_CHECKING:
    import pyarrow as pa


def column_type(kind: ColumnKind) -> "pa.DataType":
    """The type in which a column of this kind is logged."""
    import pyarrow as pa

    return {
        ColumnKind.NUMBER: pa.float64(),
        ColumnKind.INTEGER: pa.int64(),
        ColumnKind.BOOLEAN: pa.bool_(),
        ColumnKind.TEXT: pa.string(),
        ColumnKind.DATETIME: pa.timestamp("ns", tz="UTC"),
    }[kind]


def label_kind(schema: Schema) -> ColumnKind:
    """Of which kind labels are: that of the classes, or a number."""
    if schema.task is Task.REGRESSION:
        return ColumnKind.NUMBER
    kinds = {bool: ColumnKind.BOOLEAN, int: ColumnKind.INTEGER, str: ColumnKind.TEXT}
    return kinds.get(type(schema.classes[0]), ColumnKind.NUMBER) if schema.classes else ColumnKind.TEXT


def to_arrow(arrays: Sequence[npt.NDArray[Any]], kind: ColumnKind) -> "pa.Array":
    """Some arrays of one column, one after the other; NaN, NaT and None are null."""
    import pyarrow as pa

    joined = np.concatenate(arrays)
    if joined.dtype.kind == "f" and kind is ColumnKind.INTEGER:
        return pa.array(joined, from_pandas=True).cast(pa.int64())
    return pa.array(joined, type=column_type(kind), from_pandas=True)


def moment() -> "pa.DataType":
    """The type of the logs' own times."""
    return column_type(ColumnKind.DATETIME)


def times(nanoseconds: Sequence[int]) -> "pa.Array":
    """Nanoseconds since the epoch as times in UTC."""
    import pyarrow as pa

    return pa.array(np.array(nanoseconds, dtype="datetime64[ns]"), type=moment())
