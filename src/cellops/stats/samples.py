"""A sketch read as a distribution function, as the statistics that compare two of them need it."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellops.errors import InputError
from cellops.records.profile import QuantileSketch

Points: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """A distribution function: it jumps at each value, and rises on a line between two of them."""

    values: Points
    """Ascending, shape (values,)."""
    below: Points
    """Share of rows below each value."""
    upto: Points
    """Share of rows at or below each value."""

    def at(self, points: Points) -> Points:
        """Share of rows at or below each point."""
        return self._read(points, np.searchsorted(self.values, points, side="right") - 1)

    def before(self, points: Points) -> Points:
        """Share of rows below each point."""
        return self._read(points, np.searchsorted(self.values, points, side="left") - 1)

    def _read(self, points: Points, last: NDArray[np.intp]) -> Points:
        """The line that leaves the value at `last` and ends at the next one, read at each point."""
        here, following = np.maximum(last, 0), np.minimum(last + 1, len(self.values) - 1)
        # Halves, since the difference of two large floats may be beyond the largest.
        width = self.values[following] / 2 - self.values[here] / 2
        way = np.divide(points / 2 - self.values[here] / 2, width, out=np.zeros_like(points), where=width > 0)
        rise = np.where(following > last, self.below[following] - self.upto[here], 0.0)
        share: Points = np.where(last < 0, 0.0, np.where(following == here, 1.0, self.upto[here] + way * rise))
        return share


def distribution(sketch: QuantileSketch) -> Distribution:
    """The distribution function of a sketch with rows: exact for an exact one, within the stated error for a grid.

    Raises
    ------
    InputError
        When the sketch is not one: values that do not ascend, or counts that do not rise.
    """
    values = np.asarray(sketch.values, dtype=np.float64)
    upto = np.asarray(sketch.cumulative, dtype=np.float64)
    previous = np.concatenate([[0.0], upto[:-1]])
    below = np.asarray(sketch.below, dtype=np.float64)
    if not len(below):  # no grid, or one of a package that does not say
        below = np.minimum(previous + sketch.rank_error * upto[-1], upto)
        below[0] = 0.0
    if values.shape != upto.shape or values.shape != below.shape or not _rising(values, previous, below, upto):
        fact = "A sketch needs ascending distinct values and as many rising cumulative counts"
        raise InputError(fact, remedy="Make it with cellops.data.profile.sketch")
    return Distribution(values=values, below=below / upto[-1], upto=upto / upto[-1])


def rows_of(sketch: QuantileSketch) -> int:
    """Rows that the sketch speaks of."""
    return sketch.cumulative[-1] if sketch.cumulative else 0


def points_of(first: Distribution, second: Distribution) -> Points:
    """Every value at which one of the two jumps, ascending; shape (values,)."""
    return np.union1d(first.values, second.values)


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


def distance_error(sketch: QuantileSketch) -> float:
    """How far, on average over all rows, a sketch may be from the rows: what it states, else what is possible."""
    if sketch.distance_error is not None or not sketch.rank_error:
        return sketch.distance_error or 0.0
    read = distribution(sketch)
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
