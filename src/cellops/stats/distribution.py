"""A distribution function: of a few points, or of many ascending rows, which are read only when there is need."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from cellops.stats.spread import Spread, spread_of_points, spread_of_rows

Points: TypeAlias = NDArray[np.float64]
Made = TypeVar("Made")
LARGEST = float(np.finfo(np.float64).max)
"""What stands for infinity, in a sketch too."""
MANY = 4096
"""Distinct values from which rows are worth a way of their own, where their ties are not looked for."""
WIDE = 1e300
"""Magnitudes above which differences may be beyond the largest float."""


class Steps(NamedTuple):
    """What a distribution function does at its values, ascending, shape (values,) each."""

    values: Points
    below: Points
    """Share of rows below each value."""
    upto: Points
    """Share of rows at or below each value."""


class Distribution:
    """A distribution function: it jumps at each value, and rises on a line between two of them.

    Parameters
    ----------
    points
        Its values; None where it is made of rows.
    ordered
        Ascending rows, finite or at most `LARGEST`, shape (rows,).
    rows
        How many rows it speaks of.
    rank_error
        The most by which a share may be off because the rows are known from a grid only.
    distance_error
        How far, on average over all rows, it may be from the rows.
    """

    def __init__(
        self,
        points: Steps | None = None,
        *,
        ordered: Points | None = None,
        rows: int,
        rank_error: float = 0.0,
        distance_error: float = 0.0,
    ) -> None:
        self._points = points
        self.ordered = ordered
        self.rows = rows
        self.rank_error = rank_error
        self.distance_error = distance_error
        self._beside: tuple[Distribution, dict[object, Any]] = self, {}

    @cached_property
    def points(self) -> Steps:
        if self._points is not None:
            return self._points
        ordered, rows = self.rows_held, max(self.rows, 1)
        starts = np.flatnonzero(np.append(self.rows > 0, ordered[1:] != ordered[:-1]))
        upto = np.append(starts[1:], self.rows)[: len(starts)]
        return Steps(ordered[starts], starts / rows, upto / rows)

    @property
    def values(self) -> Points:
        return self.points.values

    @property
    def below(self) -> Points:
        return self.points.below

    @property
    def upto(self) -> Points:
        return self.points.upto

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest value."""
        values = self.values if self.ordered is None else self.ordered
        return float(values[0]), float(values[-1])

    @cached_property
    def distinct(self) -> int:
        """How many values there are."""
        if self.ordered is None:
            return len(self.values)
        return int(np.count_nonzero(self.ordered[1:] != self.ordered[:-1])) + min(self.rows, 1)

    @cached_property
    def steps(self) -> bool:
        """Whether no row lies between two values, so that there are no lines to read."""
        return self.ordered is not None or np.array_equal(self.below[1:], self.upto[:-1])

    @cached_property
    def counts(self) -> Points:
        """Rows at each value; shape (values,)."""
        counts: Points = np.round((self.upto - self.below) * self.rows)
        return counts

    @cached_property
    def spread(self) -> Spread:
        """How far its rows lie apart."""
        return spread_of_rows(self.rows_held) if self.many else spread_of_points(*self.points, self.rows)

    @cached_property
    def many(self) -> bool:
        """Whether it is made of rows of which most differ."""
        return self.ordered is not None and self.distinct >= MANY and max(map(abs, self.ends)) < WIDE

    @property
    def rows_held(self) -> Points:
        """The rows it is made of, ascending; none where it is made of points."""
        return np.zeros(0) if self.ordered is None else self.ordered

    def beside(self, other: "Distribution", make: Callable[["Distribution", "Distribution"], Made]) -> Made:
        """What `make` finds out of this and another one; remembered for as long as no other one is asked for."""
        if self._beside[0] is not other:
            self._beside = other, {}
        known = self._beside[1]
        if make not in known:
            known[make] = make(self, other)
        made: Made = known[make]
        return made

    def knows(self, other: "Distribution", make: Callable[["Distribution", "Distribution"], object]) -> bool:
        """Whether that has been found out already."""
        return self._beside[0] is other and make in self._beside[1]

    def at(self, points: Points) -> Points:
        """Share of rows at or below each point."""
        if self.ordered is not None:
            return np.searchsorted(self.ordered, points, side="right") / max(self.rows, 1)
        return self._read(points, np.searchsorted(self.values, points, side="right") - 1)

    def before(self, points: Points) -> Points:
        """Share of rows below each point."""
        if self.ordered is not None:
            return np.searchsorted(self.ordered, points, side="left") / max(self.rows, 1)
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
