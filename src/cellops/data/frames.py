"""A pandas column as the JSON scalars that the decoder takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.column import missing_values

if TYPE_CHECKING:
    import pandas as pd


def scalars(series: "pd.Series[Any]") -> Sequence[Any]:
    """The values of a column as Python scalars, one per row: missing ones are None, times are ISO 8601."""
    values: list[Any] = series.tolist()
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biu":
        return values
    missing = missing_values(series).tolist()
    return [None if gone else _scalar(value) for value, gone in zip(values, missing, strict=True)]


def _scalar(value: Any) -> Any:
    """A Python scalar for numpy's scalars and for times; anything else is left for the decoder to judge."""
    if isinstance(value, np.generic):
        return value.item()
    return value.isoformat() if hasattr(value, "isoformat") else value
