"""The distribution of a numeric column, exact or on a grid, small enough to travel in a package."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers, Values, numbers
from cellops.records.profile import ColumnKind, QuantileSketch
from cellops.stats.samples import distance_bound

LARGEST = float(np.finfo(np.float64).max)
EXACT_CAP = 2048
"""Distinct values up to which a sketch is exact."""
GRID_POINTS = 1025
TAIL_POINTS = 128
"""Points in each tail beyond the outer ones of the grid, their ranks in geometric progression."""
FINER = 4
"""Measured points for each kept one: how far the rows may be from the lines between these is known exactly."""


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
    or below it. `rank_error` is the largest share of rows that lies strictly between two kept values. `distance_error`
    is how far the kept values' lines are from those of four times as many, and these from the rows at most. Infinities
    stand as the largest float, for JSON has none.
    """
    if len(ordered) and max(-ordered[0], ordered[-1]) > LARGEST:
        ordered = np.clip(ordered, -LARGEST, LARGEST)  # before ties are looked for: the largest float may be there, too
    few = runs_of_ties(ordered, EXACT_CAP)
    return _grid(ordered) if few is None else _exact(ordered, few)


def _exact(ordered: Numbers, starts: NDArray[np.intp]) -> QuantileSketch:
    ends = [*starts[1:].tolist(), len(ordered)] if len(ordered) else []
    return QuantileSketch(values=tuple(ordered[starts].tolist()), cumulative=tuple(ends))


def _grid(ordered: Numbers) -> QuantileSketch:
    rows, ranks = len(ordered), _ranks(len(ordered))
    values = ordered[ranks]
    tied = not (ordered[1:] != ordered[:-1]).all()
    places = _places(*_ties(ordered, ranks)) if tied else _untied(rows)
    return QuantileSketch(
        values=tuple(values[places.kept].tolist()),
        cumulative=places.cumulative,
        rank_error=places.widest / rows,
        below=places.below,
        distance_error=distance_bound(values, places.starts / rows, places.ends / rows, FINER),
    )


class _Places(NamedTuple):
    """Where the values of a grid stand among the ascending rows."""

    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    kept: NDArray[np.intp]
    below: tuple[int, ...]
    cumulative: tuple[int, ...]
    widest: int
    """Most rows strictly between two kept values."""


def _places(starts: NDArray[np.intp], ends: NDArray[np.intp]) -> _Places:
    kept = np.flatnonzero(np.append(True, np.diff(starts[::FINER]) > 0)) * FINER
    below, cumulative = tuple(starts[kept].tolist()), tuple(ends[kept].tolist())
    return _Places(starts, ends, kept, below, cumulative, int((starts[kept[1:]] - ends[kept[:-1]]).max()))


@lru_cache(maxsize=8)
def _untied(rows: int) -> _Places:
    """The same for rows that all differ, as most columns of measurements do: it depends on their number only."""
    ranks = _ranks(rows)
    return _places(ranks, ranks + 1)


@lru_cache(maxsize=8)
def _ranks(rows: int) -> NDArray[np.intp]:
    """The ascending ranks, from 0, at which a column of this many rows is measured: every fourth is kept."""
    tail = np.geomspace(1, rows / GRID_POINTS, TAIL_POINTS)
    even = np.linspace(0, rows - 1, GRID_POINTS)
    grid = np.concatenate([even[:1], tail, even[1:-1], rows - 1 - tail[::-1], even[-1:]]).round()
    finer = np.linspace(grid[:-1], grid[1:], FINER, endpoint=False, axis=1).ravel()
    ranks = np.append(finer, grid[-1]).round().astype(np.intp)
    ranks.setflags(write=False)
    return ranks


def _ties(ordered: Numbers, ranks: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the values at these ranks begin, and where they have ended."""
    return np.searchsorted(ordered, ordered[ranks]), np.searchsorted(ordered, ordered[ranks], side="right")


def runs_of_ties(ordered: Numbers, most: int) -> NDArray[np.intp] | None:
    """Where each distinct value begins in ascending values, shape (distinct values,); None where there are too many."""
    some = ordered[:: max(1, len(ordered) // (4 * most))]
    if np.count_nonzero(some[1:] != some[:-1]) >= most:
        return None
    starts = np.flatnonzero(np.append(len(ordered) > 0, ordered[1:] != ordered[:-1]))
    return starts if len(starts) <= most else None
