"""One column read as what it holds: its kind, its numbers, its categories."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from cellops.errors import InputError
from cellops.records.profile import ColumnKind

if TYPE_CHECKING:
    import pandas as pd

Values: TypeAlias = Union["pd.Series[Any]", NDArray[Any]]
Numbers: TypeAlias = NDArray[np.float64]
MICROSECONDS = 1e6
SHOWN_ROWS = 10
NUMBERS = (int, float, np.number, np.bool_, Decimal)
TIMES = (date, np.datetime64)
PLAIN = {"b": ColumnKind.BOOLEAN, "i": ColumnKind.INTEGER, "u": ColumnKind.INTEGER, "f": ColumnKind.NUMBER}
"""Kinds of numpy's dtypes that need no look at the values."""
REMEDY = "Convert it to what the model was trained on"


def as_series(values: Values) -> "pd.Series[Any]":
    """One column as pandas holds it, without a copy."""
    import pandas as pd

    if type(values) is pd.Series:
        return values
    column: pd.Series[Any] = pd.Series(values, copy=False)
    return column


def plain_kind(values: Values) -> ColumnKind | None:
    """The kind of booleans and numbers that numpy itself holds; None for any other column."""
    return PLAIN.get(values.dtype.kind) if isinstance(values.dtype, np.dtype) else None


def missing_values(values: Values) -> NDArray[np.bool_]:
    """Which values are missing; shape (rows,)."""
    kind = plain_kind(values)
    if kind is None:
        return as_series(values).isna().to_numpy()
    return np.isnan(_array(values)) if kind is ColumnKind.NUMBER else np.zeros(len(values), dtype=bool)


def _array(values: Values) -> NDArray[Any]:
    return values if isinstance(values, np.ndarray) else values.to_numpy()


def column_kind(values: Values) -> ColumnKind:
    """The kind of a column, from its dtype, or from its values where the dtype is `object`.

    A column of nothing but missing values in an `object` column counts as text.

    Raises
    ------
    InputError
        When the values are of several kinds, nested, or of one that cannot be profiled (bytes, complex, durations).
    """
    plain = plain_kind(values)
    if plain is not None:
        return plain
    import pandas as pd
    from pandas.api import types

    column = as_series(values)
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return ColumnKind.TEXT
    for kind, holds in (
        (ColumnKind.BOOLEAN, types.is_bool_dtype),
        (ColumnKind.INTEGER, types.is_integer_dtype),
        (ColumnKind.NUMBER, types.is_float_dtype),
        (ColumnKind.DATETIME, types.is_datetime64_any_dtype),
    ):
        if holds(dtype):
            return kind
    kinds = {
        "string": ColumnKind.TEXT,
        "empty": ColumnKind.TEXT,
        "boolean": ColumnKind.BOOLEAN,
        "integer": ColumnKind.INTEGER,
        "floating": ColumnKind.NUMBER,
        "mixed-integer-float": ColumnKind.NUMBER,
        "decimal": ColumnKind.NUMBER,
        "datetime": ColumnKind.DATETIME,
        "datetime64": ColumnKind.DATETIME,
        "date": ColumnKind.DATETIME,
    }
    inferred = types.infer_dtype(column, skipna=True)
    if inferred not in kinds:  # a missing time among strings counts as mixed
        inferred = types.infer_dtype(column.dropna(), skipna=True)
    if inferred not in kinds:
        fact = f"The values are neither numbers, booleans, times nor text, but {inferred}"
        raise InputError(fact, remedy="Convert the column to one of these kinds, or leave it out")
    return kinds[inferred]


def numbers(values: Values, kind: ColumnKind) -> Numbers:
    """A column of numbers, booleans or times as floats, missing as NaN; times are seconds since the epoch, UTC.

    Raises
    ------
    InputError
        When the values are of another kind; numbers are never read from text.
    """
    if plain_kind(values) is not None and kind is not ColumnKind.DATETIME:
        return _array(values).astype(np.float64, copy=False)
    import pandas as pd

    column = as_series(values)
    if column.isna().all():
        return np.full(len(column), np.nan)
    given = _given_kind(column, kind)
    if (given is ColumnKind.TEXT) or ((given is ColumnKind.DATETIME) != (kind is ColumnKind.DATETIME)):
        fact = f"The column was of kind {kind} and is now of kind {given}"
        raise InputError(fact, received=column.dropna().iloc[0], remedy=REMEDY)
    if given is ColumnKind.DATETIME:
        times = pd.to_datetime(column, utc=True).dt.as_unit("us")
        return np.where(times.isna(), np.nan, times.astype("int64").to_numpy() / MICROSECONDS).astype(np.float64)
    read: Numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return read


def _given_kind(column: "pd.Series[Any]", wanted: ColumnKind) -> ColumnKind:
    """The kind of a column; where its values are of several kinds, the first one that does not belong is named."""
    try:
        return column_kind(column)
    except InputError:
        allowed = TIMES if wanted is ColumnKind.DATETIME else NUMBERS
        for row, value in column.dropna().items():
            if not isinstance(value, allowed):
                fact = f"The column was of kind {wanted}, and row {row} now holds something else"
                raise InputError(fact, received=value, remedy=REMEDY, rows=[row]) from None
        raise


def category_counts(values: Values, kind: ColumnKind) -> "pd.Series[int]":
    """Rows of each category, most frequent first, then by name; the index holds strings.

    Booleans are the categories "False" and "True", there or not; whatever is not text counts under its text.

    Raises
    ------
    InputError
        When a column of booleans holds something else.
    """
    counts = _boolean_counts(values) if kind is ColumnKind.BOOLEAN else _text_counts(as_series(values))
    names = counts.index.tolist()
    # As objects: an array of strings would give each the room of the longest.
    by_name = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.intp)
    return counts.iloc[by_name[np.argsort(-counts.to_numpy()[by_name], kind="stable")]]


def _boolean_counts(values: Values) -> "pd.Series[int]":
    import pandas as pd

    given = numbers(values, ColumnKind.BOOLEAN)
    true, false = int(np.sum(given == 1)), int(np.sum(given == 0))
    if true + false + int(np.isnan(given).sum()) != len(given):
        strange = np.flatnonzero(~np.isin(given, (0, 1)) & ~np.isnan(given))
        fact = "The column held booleans and now holds other numbers"
        raise InputError(
            fact, received=float(given[strange[0]]), remedy="Give true or false", rows=strange[:SHOWN_ROWS].tolist()
        )
    return pd.Series({"False": false, "True": true}, dtype="int64")


def _text_counts(column: "pd.Series[Any]") -> "pd.Series[int]":
    import pandas as pd
    import pyarrow as pa

    if column.dtype == object:
        # Arrow counts Python strings several times faster than pandas does; it refuses whatever is not a string.
        try:
            pairs = pa.array(column, type=pa.string(), from_pandas=True).drop_null().value_counts()
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
            pass
        else:
            names = pairs.field("values").to_pylist()
            return pd.Series(pairs.field("counts").to_numpy(), index=pd.Index(names, dtype=object), dtype="int64")
    counts = column.value_counts(dropna=True)
    counts = counts[counts > 0]
    counts.index = pd.Index([str(name) for name in counts.index], dtype=object)
    return counts.groupby(level=0).sum().astype("int64")
