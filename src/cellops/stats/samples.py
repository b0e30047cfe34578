"""A sketch, or the values themselves, read as a distribution function, as the statistics that compare two need it."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from cellops.errors import InputError
from cellops.records.profile import QuantileSketch
from cellops.stats.distribution import LARGEST, Distribution, Points, Steps

Values: TypeAlias = QuantileSketch | Distribution | ArrayLike
"""One side of a comparison: values, where NaN is missing, shape (rows,); a sketch of them, with ties counted; or what
`distribution` made of either, so that several statistics share its work."""


def distribution(side: Values, *, ascending: bool = False) -> Distribution:
    """The distribution function of values, or of a sketch: exact for an exact one, within the stated error for a grid.

    Give it to the statistics in place of the values where several are asked for: these are then sorted once, and what
    one statistic finds out of the rows the next one need not.

    Parameters
    ----------
    side
        Values or a sketch; a distribution comes back as it is.
    ascending
        Whether values are ascending already and none is missing, so that they need not be sorted. They are not copied
        then, and must not be changed later.

    Raises
    ------
    InputError
        When values are not one row of numbers, or do not ascend though that was said, or the sketch is not one: values
        that do not ascend, or counts that do not rise.

    Examples
    --------
    >>> current = distribution([3.0, 1.0, np.nan, 1.0])
    >>> current.rows, current.at(np.array([2.0])).round(3)
    (3, array([0.667]))
    """
    if isinstance(side, Distribution):
        return side
    return _of_sketch(side) if isinstance(side, QuantileSketch) else _of_values(side, ascending=ascending)


def _of_values(side: ArrayLike, *, ascending: bool) -> Distribution:
    try:
        values = np.asarray(side, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        fact = "Values must be numbers"
        raise InputError(fact, received=side, remedy="Give one row of numbers, NaN for a missing one") from error
    if values.ndim != 1:
        fact = "Values must be one row of numbers"
        raise InputError(fact, received=values.shape, remedy="Give the values of one column")
    if ascending and not np.all(values[1:] >= values[:-1]):
        fact = "Values do not ascend, or some are missing"
        raise InputError(fact, remedy="Sort them and leave out NaN, or do not say that they ascend")
    ordered = values if ascending else np.sort(values)
    ordered = ordered[: np.searchsorted(ordered, np.nan)]
    if len(ordered) and max(-ordered[0], ordered[-1]) > LARGEST:
        ordered = np.clip(ordered, -LARGEST, LARGEST)
    return Distribution(ordered=ordered, rows=len(ordered))


def _of_sketch(sketch: QuantileSketch) -> Distribution:
    values, below, upto = _counted(sketch)
    rows = sketch.cumulative[-1] if sketch.cumulative else 0
    points = Steps(values, below / max(rows, 1), upto / max(rows, 1))
    error = _distance_error(sketch, points)
    return Distribution(points, rows=rows, rank_error=sketch.rank_error, distance_error=error)


def _counted(sketch: QuantileSketch) -> tuple[Points, Points, Points]:
    """The values of a sketch, with the rows below, and at or below, each."""
    values = np.asarray(sketch.values, dtype=np.float64)
    upto = np.asarray(sketch.cumulative, dtype=np.float64)
    previous = np.concatenate([[0.0], upto[:-1]])[: len(upto)]
    below = np.asarray(sketch.below, dtype=np.float64)
    if not len(below):  # no grid, or one of a package that does not say
        below = np.minimum(previous + sketch.rank_error * upto[-1:], upto)
        below[:1] = 0.0
    if values.shape != upto.shape or values.shape != below.shape or not _rising(values, previous, below, upto):
        fact = "A sketch needs ascending distinct values and as many rising cumulative counts"
        raise InputError(fact, remedy="Make it with cellops.data.profile.sketch")
    return values, below, upto


def distance_error(side: Values) -> float:
    """How far, on average over all rows, a sketch may be from the rows; zero for values."""
    return distribution(side).distance_error


def _distance_error(sketch: QuantileSketch, read: Steps) -> float:
    """What the sketch states, else what is possible."""
    if sketch.distance_error is not None or not sketch.rank_error:
        return sketch.distance_error or 0.0
    return float(np.sum((read.below[1:] - read.upto[:-1]) * np.diff(read.values / 2)))


def distance_bound(values: Points, below: Points, upto: Points, step: int) -> float:
    """The most by which the lines through every `step`-th of some points are off, on average over all rows.

    How far they are off at the other points is known; between two neighbours the rows are at most half of the box that
    these span away from the line between them.

    Parameters
    ----------
    values
        Ascending, shape (step * lines + 1,); where two are equal, their shares are too.
    below, upto
        Share of rows below, and at or below, each value.
    """
    halves = values / 2  # the difference of two large floats may be beyond the largest
    begin, base = halves[:-1:step], upto[:-1:step]
    width, rise = halves[step::step] - begin, below[step::step] - base
    slope = np.divide(rise, width, out=np.zeros_like(rise), where=width > np.finfo(np.float64).tiny)
    line = (halves[:-1] - begin.repeat(step)) * slope.repeat(step) + base.repeat(step)
    before = np.abs(below[:-1] - line)
    before[::step] = 0.0  # where lines meet
    heights = np.abs(upto[:-1] - line) + (below[1:] - upto[:-1])
    heights[:-1] += before[1:]
    return float(np.sum(heights * (halves[1:] - halves[:-1])))


def _rising(values: Points, previous: Points, below: Points, upto: Points) -> bool:
    """Whether values ascend and each has rows at it, on top of all rows before it."""
    return bool(
        np.all(values[1:] > values[:-1])
        and np.all(previous <= below)
        and np.all(previous < upto)
        and np.all(below <= upto)
    )
