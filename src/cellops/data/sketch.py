"""The distribution of a numeric column, exact or on a grid, small enough to travel in a package."""

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers, Values, numbers
from cellops.records.profile import ColumnKind, QuantileSketch

EXACT_CAP = 2048
"""Distinct values up to which a sketch is exact."""
GRID_POINTS = 1025


def sketch(values: Values, kind: ColumnKind = ColumnKind.NUMBER) -> QuantileSketch:
    """The sketch of a column of numbers, booleans or times; missing values are left out.

    Raises
    ------
    InputError
        When the values are of another kind.

    Examples
    --------
    >>> sketch(np.array([2.0, 1.0, np.nan, 2.0]))
    QuantileSketch(values=(1.0, 2.0), cumulative=(1, 3), rank_error=0.0)
    """
    ordered = np.sort(numbers(values, kind))
    return sketch_ordered(ordered[: int(np.searchsorted(ordered, np.nan))])


def sketch_ordered(ordered: Numbers) -> QuantileSketch:
    """The sketch of ascending values without NaN.

    With more than 2048 distinct values it keeps those at 1025 ranks of equal distance, each with the exact number of
    rows at or below it; `rank_error` is the largest share of rows that lies strictly between two kept values.
    Infinities stand as the largest float, for JSON has none.
    """
    starts = runs_of_ties(ordered)
    ends = np.append(starts[1:], len(ordered)) if len(ordered) else starts
    rank_error = 0.0
    if len(starts) > EXACT_CAP:
        ranks = np.linspace(0, len(ordered) - 1, GRID_POINTS).round().astype(np.intp)
        kept = np.unique(np.searchsorted(starts, ranks, side="right") - 1)
        between = starts[kept[1:]] - ends[kept[:-1]]
        rank_error = float(between.max()) / len(ordered)
        starts, ends = starts[kept], ends[kept]
    largest = np.finfo(np.float64).max
    return QuantileSketch(
        values=tuple(np.clip(ordered[starts], -largest, largest).tolist()),
        cumulative=tuple(ends.tolist()),
        rank_error=rank_error,
    )


def runs_of_ties(ordered: Numbers) -> NDArray[np.intp]:
    """Where each distinct value begins in ascending values; shape (distinct values,)."""
    if not len(ordered):
        return np.zeros(0, dtype=np.intp)
    return np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
