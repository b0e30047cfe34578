"""One view of a table for the rules, be it a frame or the columns of a request."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cellops.data.expectations.column import Column
from cellops.data.expectations.conversions import Values, series_of
from cellops.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Tabular: TypeAlias = "Mapping[str, Values] | pd.DataFrame | pl.DataFrame | pa.Table"
"""A frame of pandas or polars, a table of Arrow, or columns by name as numpy arrays of one length."""


class Table:
    """The columns by name; what rules have to know of a column is found when the first one asks, and kept."""

    def __init__(self, data: Tabular) -> None:
        self._data: Any = data
        self._columns: dict[str, Column] = {}
        self.rows = _rows(data)
        self.names: Sequence[Any] = list(_names(data))

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def column(self, name: str) -> Column:
        """The column `name`.

        Raises
        ------
        InputError
            When there is none, or more than one.
        """
        if name not in self._columns:
            self._columns[name] = self._read(name)
        return self._columns[name]

    def value(self, name: str, row: int) -> Any:
        """The value in one row, None where it is missing."""
        return self.column(name).value(row)

    def _read(self, name: str) -> Column:
        times = self.names.count(name)
        if not times:
            fact = f"The table has no column {name}"
            raise InputError(fact, remedy="Correct the name in the expectation, or add the column", column=name)
        if times > 1:
            fact = f"The table has {times} columns called {name}"
            raise InputError(fact, remedy="Rename them", column=name)
        return _column_of(name, self._data[name])


def _names(data: Any) -> Sequence[Any]:
    if isinstance(data, Mapping):
        return list(data)
    names: Sequence[Any] = data.column_names if hasattr(data, "column_names") else data.columns
    return names


def _rows(data: Any) -> int:
    if isinstance(data, Mapping):
        return len(next(iter(data.values()), ()))
    return data.num_rows if hasattr(data, "num_rows") else len(data)


def _column_of(name: str, data: Any) -> Column:
    """A column from an array, or from a column of a frame."""
    if isinstance(data, np.ndarray):
        return Column(name, data)
    series = data if hasattr(data, "dtype") and hasattr(data, "isna") else series_of(data)
    if type(series.dtype).__name__ == "ArrowDtype":  # pandas takes NaN for a value in these
        series = series_of(series.array.__arrow_array__())
    dtype = series.dtype
    if hasattr(dtype, "tz"):
        series, dtype = series.dt.tz_convert("UTC").dt.tz_localize(None), None
    if dtype is None or isinstance(dtype, np.dtype):
        return Column(name, series.to_numpy())
    return Column(name, None, series.reset_index(drop=True))
