"""The gaps between two distribution functions along the whole axis, of a few points and many rows in one pass."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.stats.distribution import WIDE, Distribution, Points
from cellops.stats.spread import ascending
from cellops.stats.stretches import Stretches, along_lines, along_steps
from cellops.stats.union import points_of, rows_of_both

FEWER = 8
"""How many times more rows than points make it worth while to go along the rows without ranking them."""
NARROW = 1e-290
FIRST = 16
"""Stretches with most room for a gap, which are read before the others."""


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


def largest_gap(first: Distribution, second: Distribution) -> float:
    """The largest of them alone, which many rows beside a few points tell without most of the rows being read."""
    if few_and_many(first, second) is None or second.knows(first, _measured):
        return gaps(first, second).largest
    return second.beside(first, _largest)


def few_and_many(first: Distribution, second: Distribution) -> tuple[Distribution, Distribution] | None:
    """The side of few points and the side of many rows, where there are such."""
    few, many = (first, second) if first.distinct <= second.distinct else (second, first)
    worth = many.many and few.distinct * FEWER <= many.distinct and max(map(abs, few.ends)) < WIDE
    return (few, many) if worth else None


def ranks(few: Distribution, many: Distribution) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """How many of the rows lie below, and at or below, each of the few values; shape (values,) each."""
    return many.beside(few, _ranks)


def _ranks(many: Distribution, few: Distribution) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.searchsorted(many.rows_held, few.values), np.searchsorted(many.rows_held, few.values, side="right")


def _largest(second: Distribution, first: Distribution) -> float:
    """Of the stretches between two points those are read whose ends leave room for a larger gap than is known."""
    sides = few_and_many(first, second)
    assert sides is not None  # noqa: S101 - else nobody asks
    few, many = sides
    left, right = (rank / many.rows for rank in ranks(few, many))
    most = float(np.max(np.abs([few.below - left, few.upto - right])))
    room = np.maximum(few.below[1:] - right[:-1], left[1:] - few.upto[:-1])
    order = np.argsort(-room)
    for chosen in (order[:FIRST], order[FIRST:]):
        place = np.sort(chosen[room[chosen] > most])
        if len(place):
            most = max(most, _within(few, many, place))
    return most


def _within(few: Distribution, many: Distribution, place: NDArray[np.intp]) -> float:
    """The largest gap at the rows between some points and the next ones."""
    left, right = ranks(few, many)
    begin, count = right[place], left[place + 1] - right[place]
    if not count.sum():
        return 0.0
    rows = np.arange(count.sum()) + (begin - count.cumsum() + count).repeat(count)
    start, width = few.values[place], few.values[place + 1] - few.values[place]
    low, rise = few.upto[place], few.below[place + 1] - few.upto[place]
    way = (many.rows_held[rows] - start.repeat(count)) / width.repeat(count)
    gap = low.repeat(count) + way * rise.repeat(count) - rows / many.rows
    return float(max(gap.max(), 1 / many.rows - gap.min()))


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


def _along_rows(few: Distribution, many: Distribution) -> Gaps:
    """Point by point beside each of the few, and in one pass along the rows from there to the next."""
    rows, (left, right) = many.rows_held, ranks(few, many)
    beside = np.concatenate([[0, len(rows) - 1], left - 1, right])
    points = ascending(np.concatenate([few.values, rows[beside[(beside >= 0) & (beside < len(rows))]]]))
    begin, end = np.searchsorted(rows, points), np.searchsorted(rows, points, side="right")
    at, before = few.at(points), few.before(points)
    after_all, before_all = at - end / len(rows), before - begin / len(rows)
    apart = begin[1:] > end[:-1]
    parts = [Gaps(float(np.max(np.abs([after_all, before_all]))), 0.0, 0.0)]
    parts.append(Gaps(0.0, *_areas(after_all[:-1][~apart], before_all[1:][~apart], np.diff(points / 2)[~apart])))
    # A line that is too steep for its slope to be a float has no area.
    flat = (at[:-1] == before[1:]) | (np.diff(points) < NARROW)
    for chosen, along in ((apart & flat, along_steps), (apart & ~flat, along_lines)):
        place = np.flatnonzero(chosen)
        if len(place):
            stretches = Stretches(end[place] - 1, begin[place + 1], at[place], before[place + 1])
            parts.append(Gaps(*along(rows, stretches)))
    return Gaps(
        max(part.largest for part in parts), sum(part.area for part in parts), sum(part.squares for part in parts)
    )
