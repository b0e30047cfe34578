"""How far the rows of a distribution lie apart, from its points or in one pass over many rows."""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", np.float64, np.intp)
CHUNK = 8192
"""Rows at a time: what is made of them stays in the cache of the processor."""
SOME = 8192


class Spread(NamedTuple):
    """Figures of one side."""

    mean: float
    deviation: float
    """Standard deviation."""
    noise: float
    """The integral of the root of F (1 - F): over the root of n, the most by which noise alone moves it on average."""
    apart: float
    """The integral of F (1 - F): half the mean distance of two rows."""


def spread_of_rows(ordered: NDArray[np.float64]) -> Spread:
    """Of ascending rows that are well within the range of floats.

    The noise is that of some thousand of them, more and more towards both ends: it is a bound of what noise may be.
    """
    rows, middle = len(ordered), ordered[len(ordered) // 2]
    places = np.arange(float(CHUNK))
    total = squares = ranked = 0.0
    for begin in range(0, rows, CHUNK):
        away = ordered[begin : begin + CHUNK] - middle
        own = float(away.sum())
        total += own
        squares += float(away @ away)
        ranked += float(places[: len(away)] @ away) + begin * own
    mean = total / rows
    apart = (2 * ranked - (rows - 1) * total) / rows**2
    ranks = some_ranks(rows, SOME)
    share = (ranks[1:] + ranks[:-1] + 1) / (2 * rows)
    noise = np.sqrt(share * (1 - share)) @ np.diff(ordered[ranks])
    deviation = np.sqrt(max(squares / rows - mean**2, 0.0))
    return Spread(float(middle + mean), float(deviation), float(noise), max(float(apart), 0.0))


def some_ranks(rows: int, most: int) -> NDArray[np.intp]:
    """No more than so many ranks, from 0: half of them evenly, the others ever closer together towards both ends."""
    if rows <= most:
        return np.arange(rows)
    tail = np.geomspace(1, rows / 2, most // 4)
    ranks = np.concatenate([[0], tail, rows - 1 - tail, np.linspace(0, rows - 1, most // 2 - 1)])
    return ascending(ranks.astype(np.intp))


def ascending(some: NDArray[Kind]) -> NDArray[Kind]:
    """Each value once, ascending: numpy's own way, by a table of hashes, is slower for few."""
    ordered = np.sort(some)
    once: NDArray[Kind] = ordered[np.append(len(ordered) > 0, ordered[1:] != ordered[:-1])]
    return once


def spread_of_points(
    values: NDArray[np.float64], below: NDArray[np.float64], upto: NDArray[np.float64], rows: int
) -> Spread:
    """Of points between which the rows of a grid lie on a line."""
    if not rows:
        return Spread(0.0, 0.0, 0.0, 0.0)
    unit = float(np.max(np.abs(values))) or 1.0
    scaled = values / unit
    at, between = upto - below, below[1:] - upto[:-1]
    middle = (scaled[1:] + scaled[:-1]) / 2
    mean = at @ scaled + between @ middle
    variance = at @ (scaled - mean) ** 2 + between @ ((middle - mean) ** 2 + np.diff(scaled) ** 2 / 12)
    share, halves = np.clip((upto[:-1] + below[1:]) / 2, 0.0, 1.0), np.diff(values / 2)
    noise, apart = np.sum(np.sqrt(share * (1 - share)) * halves), np.sum(share * (1 - share) * halves)
    return Spread(float(mean) * unit, float(np.sqrt(variance)) * unit, 2 * float(noise), 2 * float(apart))
