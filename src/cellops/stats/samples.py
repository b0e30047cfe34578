"""A sketch, or the values themselves, read as a distribution function, as the statistics that compare two need it."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.errors import InputError
from cellops.records.profile import QuantileSketch

Points: TypeAlias = NDArray[np.float64]
Values: TypeAlias = QuantileSketch | ArrayLike
"""One side of a comparison: values, where NaN is missing, shape (rows,); or a sketch of them, with ties counted."""
LARGEST = float(np.finfo(np.float64).max)
"""What stands for infinity, in a sketch too."""


@dataclass(frozen=True)
class Distribution:
    """A distribution function: it jumps at each value, and rises on a line between two of them."""

    values: Points
    """Ascending, shape (values,)."""
    below: Points
    """Share of rows below each value."""
    upto: Points
    """Share of rows at or below each value."""
    rows: int = 0
    rank_error: float = 0.0
    """The most by which a share may be off because the rows are known from a grid only."""
    distance_error: float = 0.0
    """How far, on average over all rows, it may be from the rows."""

    @property
    def steps(self) -> bool:
        """Whether no row lies between two values, so that there are no lines to read."""
        return np.array_equal(self.below[1:], self.upto[:-1])

    @property
    def counts(self) -> Points:
        """Rows at each value; shape (values,)."""
        counts: Points = np.round((self.upto - self.below) * self.rows)
        return counts

    def at(self, points: Points) -> Points:
        """Share of rows at or below each point."""
        return self._read(points, np.searchsorted(self.values, points, side="right") - 1)

    def before(self, points: Points) -> Points:
        """Share of rows below each point."""
        return self._read(points, np.searchsorted(self.values, points, side="left") - 1)

    def _read(self, points: Points, last: NDArray[np.intp]) -> Points:
        """The line that leaves the value at `last` and ends at the next one, read at each point."""
        if self.steps:
            steps: Points = np.append(0.0, self.upto)[last + 1]
            return steps
        here, following = np.maximum(last, 0), np.minimum(last + 1, len(self.values) - 1)
        # Halves, since the difference of two large floats may be beyond the largest.
        width = self.values[following] / 2 - self.values[here] / 2
        way = np.divide(points / 2 - self.values[here] / 2, width, out=np.zeros_like(points), where=width > 0)
        rise = np.where(following > last, self.below[following] - self.upto[here], 0.0)
        share: Points = np.where(last < 0, 0.0, np.where(following == here, 1.0, self.upto[here] + way * rise))
        return share


def distribution(side: Values) -> Distribution:
    """The distribution function of values, or of a sketch: exact for an exact one, within the stated error for a grid.

    Raises
    ------
    InputError
        When values are not one row of numbers, or the sketch is not one: values that do not ascend, or counts that do
        not rise.
    """
    return _of_sketch(side) if isinstance(side, QuantileSketch) else _of_values(side)


def _of_values(side: ArrayLike) -> Distribution:
    try:
        values = np.asarray(side, dtype=np.float64)
    except (TypeError, ValueError) as error:
        fact = "Values must be numbers"
        raise InputError(fact, received=side, remedy="Give one row of numbers, NaN for a missing one") from error
    if values.ndim != 1:
        fact = "Values must be one row of numbers"
        raise InputError(fact, received=values.shape, remedy="Give the values of one column")
    ordered = np.sort(values)
    ordered = np.clip(ordered[: np.searchsorted(ordered, np.nan)], -LARGEST, LARGEST)
    rows = len(ordered)
    starts = np.flatnonzero(np.append(rows > 0, ordered[1:] != ordered[:-1]))
    upto = np.append(starts[1:], rows)[: len(starts)]
    return Distribution(values=ordered[starts], below=starts / max(rows, 1), upto=upto / max(rows, 1), rows=rows)


def _of_sketch(sketch: QuantileSketch) -> Distribution:
    values, below, upto = _counted(sketch)
    rows = sketch.cumulative[-1] if sketch.cumulative else 0
    read = Distribution(values, below / max(rows, 1), upto / max(rows, 1), rows, sketch.rank_error)
    return replace(read, distance_error=_distance_error(sketch, read))


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


def points_of(first: Distribution, second: Distribution) -> Points:
    """Every value at which one of the two jumps, ascending; shape (values,)."""
    # Two ascending rows are merged by a stable sort in one pass.
    both = np.sort(np.concatenate([first.values, second.values]), kind="stable")
    points: Points = both[np.append(True, both[1:] != both[:-1])]
    return points


def rows_of_both(first: Distribution, second: Distribution) -> tuple[Points, Points, Points]:
    """Every value of two exact distributions, ascending, and the rows of either side at it; shape (values,) each."""
    both = np.concatenate([first.values, second.values])
    order = np.argsort(both, kind="stable")  # two ascending rows are merged in one pass
    ordered = both[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.concatenate([first.counts, second.counts])[order]
    here = np.add.reduceat(np.where(order < len(first.values), counts, 0.0), starts)
    return ordered[starts], here, np.add.reduceat(counts, starts) - here


def area_between(first: Distribution, second: Distribution) -> float:
    """The area between two distribution functions, infinite where it is beyond the largest float."""
    points = points_of(first, second)
    left = first.at(points[:-1]) - second.at(points[:-1])
    right = first.before(points[1:]) - second.before(points[1:])
    return _area(left, right, points)


def _area(left: Points, right: Points, points: Points) -> float:
    """The area under the absolute value of lines between points, from their heights at both ends."""
    ends = np.abs(left) + np.abs(right)
    crossing = np.divide(left**2 + right**2, 2 * ends, out=np.zeros_like(ends), where=ends > 0)
    heights = np.where(left * right < 0, crossing, ends / 2)
    return 2 * float(np.sum(heights * np.diff(points / 2)))  # the difference of two large floats may be infinite


def distance_error(side: Values) -> float:
    """How far, on average over all rows, a sketch may be from the rows; zero for values."""
    return distribution(side).distance_error


def _distance_error(sketch: QuantileSketch, read: Distribution) -> float:
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
