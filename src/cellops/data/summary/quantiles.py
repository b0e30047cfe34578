"""Quantiles and counts that a sketch tells."""

import numpy as np

from cellops.data.buckets import Sketch
from cellops.data.column import Numbers

MARGINS = (0.01, 0.99)
"""Between these quantiles lies what a histogram must show."""
BARS = 24


def quantiles(sketch: Sketch, shares: Numbers) -> Numbers:
    """The values at these shares of the rows, shape (shares,); as numpy gives them where the sketch is exact.

    Examples
    --------
    >>> quantiles(Sketch.of(np.array([1.0, 2.0, 3.0, 4.0])), np.array([0.0, 0.5, 1.0]))
    array([1. , 2.5, 4. ])
    """
    if sketch.exact is not None:
        values, rows = sketch.exact
        places = (sketch.rows - 1) * shares
        ends = rows.cumsum()
        low, high = (
            values[np.searchsorted(ends, place, side="right").clip(max=len(ends) - 1)]
            for place in (np.floor(places), np.ceil(places))
        )
        step = places - np.floor(places)
        between: Numbers = low * (1 - step) + high * step
        return between
    points, ranks = _lines(sketch)
    found: Numbers = np.interp(shares * sketch.rows, ranks, points)
    if sketch.extremes is not None:
        found = np.clip(found, *sketch.extremes)
    return found


def histogram(sketch: Sketch) -> tuple[tuple[int, ...], tuple[float, float]]:
    """Rows in stretches of equal width, and where these begin and end; of few values, one for each.

    What lies farther out than the middle 98 % are wide counts in the outer stretches, lest one value make a single bar
    of all others.
    """
    lowest, first, last, highest = quantiles(sketch, np.array([0.0, *MARGINS, 1.0])).tolist()
    wide = last - first
    low, high = (max(lowest, first - wide), min(highest, last + wide)) if wide > 0 else (lowest, highest)
    if sketch.exact is not None and len(sketch.exact[0]) <= BARS:
        return tuple(sketch.exact[1].tolist()), (lowest, highest)
    way = np.arange(1, BARS) / BARS
    edges = low * (1 - way) + high * way  # the difference of the two may be beyond the largest float
    if sketch.exact is not None:
        values, rows = sketch.exact
        below = np.append(0, rows.cumsum())[np.searchsorted(values, edges)]
    else:
        points, ranks = _lines(sketch)
        below = np.interp(edges, points, ranks).round().astype(np.int64)
    counts = np.diff(below, prepend=0, append=sketch.rows)
    return tuple(counts.tolist()), (low, high)


def _lines(sketch: Sketch) -> tuple[Numbers, Numbers]:
    """Points with the rows below and at or below them, on whose lines the rest lies."""
    told = sketch.quantile_sketch()
    points = np.repeat(np.array(told.values), 2)
    before = told.below or (0, *told.cumulative[:-1])
    return points, np.column_stack([before, told.cumulative]).ravel().astype(float)
