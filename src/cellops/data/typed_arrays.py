"""An array of numpy as a column of the contract, without a look at each value where its type says enough."""

from typing import Any

import numpy as np

from cellops.data.arrays import EXACT, Array
from cellops.records.contract import Field
from cellops.records.profile import ColumnKind


def plain_array(field: Field, values: Array) -> Array | None:
    """The typed array as `arrays.build_column` makes it of scalars, NaN standing for a missing value.

    Parameters
    ----------
    field
        What the contract says of the column.
    values
        Shape (rows,).

    Returns
    -------
    array or None
        None where a value does not fit, or the type does not say enough: then a look at each value says what is wrong.
    """
    kind = values.dtype.kind
    if field.kind is ColumnKind.NUMBER and kind in "iu":
        return values.astype(np.float64)
    if field.kind is ColumnKind.NUMBER and kind == "f":
        fits = not np.isinf(values).any() if field.nullable else np.isfinite(values).all()
        return values.astype(np.float64) if fits else None
    if field.kind is ColumnKind.INTEGER and kind in "iu":
        return values.astype(np.float64 if field.nullable else np.int64) if _are_held(field, values) else None
    if field.kind is ColumnKind.BOOLEAN and kind == "b":
        return values.astype(object if field.nullable else np.bool_)
    return None


def array_scalars(values: Array) -> list[Any]:
    """The values as JSON has them: one Python scalar for each row, None for NaN."""
    listed: list[Any] = values.tolist()
    if values.dtype.kind != "f":
        return listed
    return [None if missing else value for value, missing in zip(listed, np.isnan(values).tolist(), strict=True)]


def _are_held(field: Field, values: Array) -> bool:
    """Whether the type that holds the column's integers holds these exactly."""
    low, high = (-EXACT, EXACT) if field.nullable else (-(2**63), 2**63 - 1)
    return not len(values) or bool(low <= int(values.min()) and int(values.max()) <= high)
