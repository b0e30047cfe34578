"""The gaps between two distribution functions along the whole axis, of a few points and many rows in one pass."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.stats.distribution import WIDE, Distribution, Points
from cellops.stats.spread import CHUNK
from cellops.stats.stretches import stretched
from cellops.stats.union import points_of, rows_of_both

FEWER = 8
"""How many times more rows than points make it worth while to go along the rows without ranking them."""


class Gaps(NamedTuple):
    """Of F - G, without sign."""

    largest: float
    """From 0 to 1."""
    area: float
    """In the unit of the values; infinite where it is beyond the largest float."""
    squares: float
    """The area of the squares."""


def gaps(first: Distribution, second: Distribution) -> Gaps:
    """Of two distributions with rows."""
    return second.beside(first, _measured)


def few_and_many(first: Distribution, second: Distribution) -> tuple[Distribution, Points] | None:
    """The side of few points, and the rows of the side of many, where there are such."""
    few, many = (first, second) if first.distinct <= second.distinct else (second, first)
    if not many.many or many.ordered is None or few.distinct * FEWER > many.distinct:
        return None
    return (few, many.ordered) if max(map(abs, few.ends)) < WIDE else None


def _measured(second: Distribution, first: Distribution) -> Gaps:
    sides = few_and_many(first, second)
    if sides is not None:
        return _along_rows(*sides)
    if first.steps and second.steps:
        return _between_steps(first, second)
    return _between_lines(first, second)


def _between_steps(first: Distribution, second: Distribution) -> Gaps:
    points, here, there = rows_of_both(first, second)
    gap = np.abs(np.cumsum(here) / first.rows - np.cumsum(there) / second.rows)
    halves = np.diff(points / 2)
    return Gaps(float(gap.max()), 2 * float(np.sum(gap[:-1] * halves)), 2 * float(np.sum(gap[:-1] ** 2 * halves)))


def _between_lines(first: Distribution, second: Distribution) -> Gaps:
    points = points_of(first, second)
    at, before = first.at(points) - second.at(points), first.before(points) - second.before(points)
    largest = float(np.max(np.abs([at, before])))
    return Gaps(largest, *_areas(at[:-1], before[1:], np.diff(points / 2)))


def _areas(left: Points, right: Points, halves: Points) -> tuple[float, float]:
    """Under lines and under their squares, from the heights at both ends and half of each width."""
    ends = np.abs(left) + np.abs(right)
    crossing = np.divide(left**2 + right**2, 2 * ends, out=np.zeros_like(ends), where=ends > 0)
    heights = np.where(left * right < 0, crossing, ends / 2)
    squares = (left**2 + left * right + right**2) / 3
    # The difference of two large floats may be infinite.
    return 2 * float(np.sum(heights * halves)), 2 * float(np.sum(squares * halves))


def _along_rows(few: Distribution, rows: Points) -> Gaps:
    """Point by point beside each of the few, and in one pass along the rows from there to the next."""
    left, right = np.searchsorted(rows, few.values), np.searchsorted(rows, few.values, side="right")
    beside = np.concatenate([[0, len(rows) - 1], left - 1, right])
    points = np.unique(np.concatenate([few.values, rows[beside[(beside >= 0) & (beside < len(rows))]]]))
    begin, end = np.searchsorted(rows, points), np.searchsorted(rows, points, side="right")
    at, before = few.at(points), few.before(points)
    after_all, before_all = at - end / len(rows), before - begin / len(rows)
    apart = begin[1:] > end[:-1]
    exact = _areas(after_all[:-1][~apart], before_all[1:][~apart], np.diff(points / 2)[~apart])
    slope = (before[1:] - at[:-1])[apart] / np.diff(points)[apart]
    lines = np.stack([at[:-1][apart], np.ones(len(slope)), slope, points[:-1][apart]])
    # What lies between two stretches has no weight.
    starts = np.concatenate([[0], np.stack([end[:-1][apart] - 1, begin[1:][apart]], axis=1).ravel()])
    figures = np.insert(np.repeat(lines, 2, axis=1), 0, 0.0, axis=1)
    figures[1, 2::2] = 0.0
    largest, area, squares = _passed(rows, starts, figures[: 2 if few.steps else 4])
    largest = max(largest, float(np.max(np.abs([after_all, before_all]))))
    return Gaps(largest, area + exact[0], squares + exact[1])


def _passed(rows: Points, starts: NDArray[np.intp], figures: Points) -> Gaps:
    """The gaps over all stretches: F where each begins, its weight, and where F is no step its slope and the row."""
    largest = area = squares = 0.0
    places, lines = np.arange(1.0, CHUNK + 1), len(figures) > 2  # noqa: PLR2004
    for begin in range(0, len(rows) - 1, CHUNK):
        line = stretched(starts, figures, begin, min(begin + CHUNK, len(rows) - 1))
        widths = np.diff(rows[begin : begin + CHUNK + 1])
        widths *= line[1]
        gap = line[0] - (places[: len(widths)] + begin) / len(rows)
        if lines:
            gap += line[2] * (rows[begin : begin + len(widths)] - line[3])
            rise = line[2] * widths
            gap *= line[1]
            largest = max(largest, -float(gap.min()), float((gap + rise).max()))
            rise /= 2
            gap += rise
            area += _crossings(gap, rise, widths)
            squares += float(rise**2 @ widths) / 3
        area += float(np.abs(gap) @ widths)
        squares += float(gap**2 @ widths)
    return Gaps(largest, area, squares)


def _crossings(middle: Points, reach: Points, widths: Points) -> float:
    """What lines that cross zero have under them beyond what the height of their middle says."""
    short = reach - np.abs(middle)
    crossing = np.flatnonzero(short > 0)
    return float(np.sum(short[crossing] ** 2 / (2 * reach[crossing]) * widths[crossing]))
