"""A column of pandas as the parts of a summary."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.summary.arrow_column import categories, parts_of_arrow
from cellops.data.summary.column import Parts
from cellops.data.summary.numbers import NumberSummary
from cellops.data.summary.objects import parts_of_objects
from cellops.data.summary.others import BooleanSummary, OpaqueSummary

if TYPE_CHECKING:
    import pandas as pd

OF_ONE_KIND = frozenset({"string", "integer", "floating", "mixed-integer-float", "boolean", "date", "empty"})
"""What pandas calls columns of objects that pyarrow reads as a whole; any other is read value by value."""


def parts_of_series(column: "pd.Series[Any]") -> tuple[Parts, int]:
    """The parts of a column, and how many of its values are missing.

    Raises
    ------
    Exception
        Of pandas or pyarrow, where they cannot read a column that has a type of its own.
    """
    import pandas as pd
    from pandas.api import types

    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return _plain(column.to_numpy())
    if isinstance(dtype, np.dtype) and dtype.kind in "cV":
        return Parts(opaque=OpaqueSummary.of(str(dtype), len(column))), 0
    if isinstance(dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        rows = np.bincount(codes[codes >= 0], minlength=len(dtype.categories))
        return categories([str(name) for name in dtype.categories], rows, column)
    if isinstance(dtype, pd.SparseDtype):
        return parts_of_series(pd.Series(column.array.to_dense()))
    return _objects(column) if types.is_object_dtype(dtype) else _of_arrow(column)


def _plain(values: Any) -> tuple[Parts, int]:
    if not len(values):
        return Parts(), 0
    if values.dtype.kind == "b":
        true = int(np.count_nonzero(values))
        return Parts(booleans=BooleanSummary(true, len(values) - true)), 0
    numbers, missing = NumberSummary.of(values, whole=values.dtype.kind in "iu")
    return Parts(numbers=numbers if numbers.rows else None), missing


def _of_arrow(column: "pd.Series[Any]") -> tuple[Parts, int]:
    import pandas as pd
    import pyarrow as pa

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        times = pa.array(column.dt.tz_convert(None).to_numpy(), from_pandas=True)
        return parts_of_arrow(times.cast(pa.timestamp(column.dtype.unit, str(column.dtype.tz))))
    return parts_of_arrow(pa.array(column, from_pandas=True))


def _objects(column: "pd.Series[Any]") -> tuple[Parts, int]:
    import pyarrow as pa
    from pandas.api import types

    if types.infer_dtype(column, skipna=True) in OF_ONE_KIND:
        try:
            return _of_arrow(column)
        except (pa.ArrowException, UnicodeEncodeError, OverflowError):
            pass
    return parts_of_objects(column.tolist())
