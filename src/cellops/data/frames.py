"""A pandas column as the JSON scalars that the decoder takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import PLAIN, missing_values
from cellops.data.typed_arrays import plain_array
from cellops.records.contract import Field
from cellops.records.profile import ColumnKind

if TYPE_CHECKING:
    import pandas as pd


def scalars(series: "pd.Series[Any]") -> Sequence[Any]:
    """The values of a column as Python scalars, one per row: missing ones are None, times are ISO 8601."""
    values: list[Any] = series.tolist()
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biu":
        return values
    missing = missing_values(series).tolist()
    return [None if gone else _scalar(value) for value, gone in zip(values, missing, strict=True)]


def plain_column(field: Field, series: "pd.Series[Any]") -> NDArray[Any] | None:
    """The typed array of numbers of numpy, or of strings of Arrow, as `arrays.build_column` makes it of scalars.

    None where a value does not fit, or the column is of another make: then a look at each value says what is wrong.
    """
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.StringDtype) and field.kind is ColumnKind.TEXT:
        missing = series.isna().to_numpy()
        held = np.array(series.to_numpy(dtype=object))
        held[missing] = None
        return held if field.nullable or not missing.any() else None
    if not isinstance(dtype, np.dtype) or PLAIN.get(dtype.kind) is not field.kind:
        return None
    return plain_array(field, series.to_numpy())


def _scalar(value: Any) -> Any:
    """A Python scalar for numpy's scalars and for times; anything else is left for the decoder to judge."""
    if isinstance(value, np.generic):
        return value.item()
    return value.isoformat() if hasattr(value, "isoformat") else value
