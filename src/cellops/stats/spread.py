"""How far the rows of a distribution lie apart, from its points or in one pass over many rows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK = 8192
"""Rows at a time: what is made of them stays in the cache of the processor."""


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
    """Of ascending rows that are well within the range of floats; ties among them have no width."""
    rows, middle = len(ordered), ordered[len(ordered) // 2]
    places = np.arange(1.0, CHUNK + 1)
    total = squares = noise = apart = 0.0
    for begin in range(0, rows, CHUNK):
        away = ordered[begin : begin + CHUNK] - middle
        total += float(away.sum())
        squares += float(away @ away)
        widths = np.diff(ordered[begin : begin + CHUNK + 1])
        share = (places[: len(widths)] + begin) / rows
        share *= 1 - share
        apart += float(share @ widths)
        noise += float(np.sqrt(share) @ widths)
    mean = total / rows
    return Spread(float(middle + mean), float(np.sqrt(max(squares / rows - mean**2, 0.0))), noise, apart)


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
