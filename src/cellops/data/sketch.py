"""The distribution of a numeric column, exact or on a grid, small enough to travel in a package."""

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers, Values, numbers
from cellops.records.profile import ColumnKind, QuantileSketch
from cellops.stats.samples import Distribution, area_to_grid

EXACT_CAP = 2048
"""Distinct values up to which a sketch is exact."""
GRID_POINTS = 1025
TAIL_POINTS = 128
"""Points in each tail beyond the outer ones of the grid, their ranks in geometric progression."""


def sketch(values: Values, kind: ColumnKind = ColumnKind.NUMBER) -> QuantileSketch:
    """The sketch of a column of numbers, booleans or times; missing values are left out.

    Raises
    ------
    InputError
        When the values are of another kind.

    Examples
    --------
    >>> sketch(np.array([2.0, 1.0, np.nan, 2.0]))
    QuantileSketch(values=(1.0, 2.0), cumulative=(1, 3), rank_error=0.0, below=(), distance_error=None)
    """
    ordered = np.sort(numbers(values, kind))
    return sketch_ordered(ordered[: int(np.searchsorted(ordered, np.nan))])


def sketch_ordered(ordered: Numbers) -> QuantileSketch:
    """The sketch of ascending values without NaN.

    With more than 2048 distinct values it keeps those at 1025 ranks of equal distance and, lest a heavy tail be read as
    a line, those at ranks ever closer together towards both ends; each with the exact number of rows below it, and at
    or below it. `rank_error` is the largest share of rows that lies strictly between two kept values. Infinities stand
    as the largest float, for JSON has none.
    """
    largest = np.finfo(np.float64).max
    starts = runs_of_ties(ordered)
    ends = np.append(starts[1:], len(ordered)) if len(ordered) else starts
    values = np.clip(ordered[starts], -largest, largest)
    if len(starts) <= EXACT_CAP:
        return QuantileSketch(values=tuple(values.tolist()), cumulative=tuple(ends.tolist()))
    kept = np.unique(np.searchsorted(starts, _ranks(len(ordered)), side="right") - 1)
    rows = Distribution(values, starts / len(ordered), ends / len(ordered))
    return QuantileSketch(
        values=tuple(values[kept].tolist()),
        cumulative=tuple(ends[kept].tolist()),
        rank_error=float((starts[kept[1:]] - ends[kept[:-1]]).max()) / len(ordered),
        below=tuple(starts[kept].tolist()),
        distance_error=min(area_to_grid(rows, kept), largest),
    )


def _ranks(rows: int) -> NDArray[np.intp]:
    """The ranks of a grid over this many rows, from 0, not in order."""
    tail = np.geomspace(1, rows / GRID_POINTS, TAIL_POINTS)
    even = np.linspace(0, rows - 1, GRID_POINTS)
    return np.concatenate([even, tail, rows - 1 - tail]).round().astype(np.intp)


def runs_of_ties(ordered: Numbers) -> NDArray[np.intp]:
    """Where each distinct value begins in ascending values; shape (distinct values,)."""
    if not len(ordered):
        return np.zeros(0, dtype=np.intp)
    return np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
