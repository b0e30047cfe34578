"""The gaps of many rows to a distribution function that is a line along each stretch of them, in one pass.

Between two rows the function G of n rows stays the same, and F - G along a stretch of slope s is a line. Its areas are
differences of an antiderivative, which nearly all cancel from row to row; what is left are sums over ranks and rows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.stats.distribution import Points
from cellops.stats.spread import CHUNK, ascending

Indices = NDArray[np.intp]


class Stretches(NamedTuple):
    """Stretches of ascending rows that have no row in common but their ends; shape (stretches,) each."""

    begin: Indices
    end: Indices
    """First and last row of each."""
    low: Points
    high: Points
    """F at these."""


class _Parts(NamedTuple):
    """Stretches cut where the chunks are, and what is between them; shape (parts,) each."""

    bounds: Indices
    """Where each begins, and the last one ends; shape (parts + 1,)."""
    place: Indices
    """The stretch of each."""
    inside: NDArray[np.bool_]
    """Whether it is in one."""

    @property
    def lengths(self) -> Indices:
        return np.diff(self.bounds)

    def chunks(self) -> list[slice]:
        """The parts of each chunk in which there are stretches."""
        starts = np.arange(0, self.bounds[-1] + CHUNK, CHUNK)
        cuts = np.searchsorted(self.bounds, np.minimum(starts, self.bounds[-1]))
        whole = [slice(*pair) for pair in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)]
        return [chunk for chunk in whole if self.inside[chunk].any()]


def along_steps(rows: Points, stretches: Stretches) -> tuple[float, float, float]:
    r"""The largest gap, the area of the gaps and that of their squares, where F stays the same along each stretch.

    From a row a to a row b :math:`n \int G \, dx = a (x_b - x_a) + \sum_{a \le k < b} (x_b - x_k)`. The largest gap is
    at an end of a stretch, where others have seen it.
    """
    n, middle = len(rows), rows[len(rows) // 2]
    # Where G crosses F is known from the ranks.
    crossing = np.clip(np.floor(stretches.low * n).astype(np.intp), stretches.begin, stretches.end)
    parts = _cut(n - 1, stretches.begin, stretches.end, crossing)
    (totals, ranked), places = np.zeros((2, len(parts.place))), np.arange(float(CHUNK))
    for chunk in parts.chunks():
        begin, end = parts.bounds[chunk.start], parts.bounds[chunk.stop]
        away, cuts = rows[begin:end] - middle, parts.bounds[chunk] - begin
        totals[chunk] = np.add.reduceat(away, cuts)
        away *= places[: len(away)]
        ranked[chunk] = np.add.reduceat(away, cuts) - cuts * totals[chunk]
    begin, end, count = parts.bounds[:-1], parts.bounds[1:], parts.lengths
    height, width, last = stretches.low[parts.place] - begin / n, rows[end] - rows[begin], rows[end] - middle
    first_power = (count * last - totals) / n
    second_power = (count * (count * last) - 2 * ranked - totals) / n**2
    area = np.abs(height * width - first_power)[parts.inside]
    squares = (height * (height * width - 2 * first_power) + second_power)[parts.inside]
    return 0.0, float(np.sum(area)), float(np.sum(squares))


def along_lines(rows: Points, stretches: Stretches) -> tuple[float, float, float]:
    r"""The same where F rises along each stretch; :math:`z_k` is F less the midrank of row k.

    .. math:: s \int |F - G| \, dx = \psi(h_b) - \psi(h_a) + \sum_{a < k < b} \frac{|z_k|}{n} +
              \max(0, \tfrac{1}{2n} - |z_k|)^2, \quad \psi(h) = h |h| / 2

    with :math:`h_a, h_b` the gaps behind the first and before the last row, and s the slope; for squares likewise.
    """
    n, half = len(rows), 0.5 / len(rows)
    begin, end, low, high = stretches
    slope = (high - low) / (rows[end] - rows[begin])
    parts = _cut(n, begin + 1, end)
    chosen = np.where(parts.inside, parts.place, 0)
    slopes, shares, values = np.where(parts.inside, slope[chosen], 0.0), low[chosen], rows[begin[chosen]]
    lengths, midranks = parts.lengths, (np.arange(float(CHUNK)) + 0.5) / n
    largest, sums, squares = np.zeros((3, len(lengths)))
    for chunk in parts.chunks():
        first, last = parts.bounds[chunk.start], parts.bounds[chunk.stop]
        count, cuts = lengths[chunk], parts.bounds[chunk] - first
        away = rows[first:last] - values[chunk].repeat(count)
        away *= slopes[chunk].repeat(count)
        away += (shares[chunk] - first / n).repeat(count)
        away -= midranks[: len(away)]
        np.abs(away, out=away)
        largest[chunk] = np.maximum.reduceat(away, cuts)
        sums[chunk] = np.add.reduceat(away, cuts) / n
        near = (away < half).nonzero()[0]
        if len(near):
            place = cuts.searchsorted(near, side="right") - 1
            sums[chunk] += np.bincount(place, (half - away[near]) ** 2, len(cuts))
        away *= away
        squares[chunk] = np.add.reduceat(away, cuts) / n
    starts, ends = low - (begin + 1) / n, high - end / n
    area = (ends * np.abs(ends) - starts * np.abs(starts)) / 2 + _of_stretches(sums, parts, len(low))
    under_squares = (ends**3 - starts**3) / 3 + _of_stretches(squares, parts, len(low))
    under_squares += np.maximum(end - begin - 1, 0) * (2 * half**3 / 3)
    most = float(np.max(largest[parts.inside], initial=-half)) + half
    return most, float(np.sum(area / slope)), float(np.sum(under_squares / slope))


def _cut(rows: int, begin: Indices, end: Indices, *others: Indices) -> _Parts:
    bounds: Indices = ascending(np.concatenate([begin, end, *others, np.arange(0, rows, CHUNK), [rows]]))
    place: Indices = np.searchsorted(begin, bounds[:-1], side="right") - 1
    return _Parts(bounds, place, (place >= 0) & (bounds[:-1] < end[place]))


def _of_stretches(figures: Points, parts: _Parts, stretches: int) -> Points:
    return np.bincount(parts.place[parts.inside], figures[parts.inside], stretches).astype(np.float64, copy=False)
