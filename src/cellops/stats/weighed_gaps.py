"""Squared gaps that weigh the more the further out in the tails they are, as the Anderson-Darling tests add them up."""

import numpy as np

from cellops.stats.distribution import Distribution, Points
from cellops.stats.gaps import ranks

SMOOTH = 512.0
"""Ranks from both ends up to which terms are added up one by one."""
NODES = 12


def weighed_gaps(here: Points, both: Points) -> float:
    r"""The integral for a side of n among all N rows, each read at midranks, times n.

    .. math:: n^2 \frac{N - 1}{N} \int \frac{(F - H)^2}{H (1 - H) - h / 4N} \, dH

    Parameters
    ----------
    here, both
        Rows of the side, and all rows, at each value, ascending; shape (values,).
    """
    n, rows = here.sum(), both.sum()
    below = np.cumsum(both) - both / 2
    apart = rows * (np.cumsum(here) - here / 2) - below * n
    return float(_added(apart, below, both, rows) * (rows - 1) / rows**2)


def weighed_along(few: Distribution, many: Distribution) -> float:
    """The same for a side of many rows among those and an exact side of few values."""
    n, m, rows = few.rows, many.rows, few.rows + many.rows
    left, right = (rank.astype(np.float64) for rank in ranks(few, many))
    upto = few.upto * n
    own, known, both = (left + right) / 2, upto - few.counts / 2, few.counts + right - left
    at_the_few = _added(n * own - m * known, own + known, both, rows)
    # Between two values of the few as many of their rows are below.
    bounds = np.append(0.0, right), np.append(left, float(m))
    below = np.append(0.0, upto)
    between = _untied(*bounds, below, n, m) if many.distinct == m else _tied(many, *bounds, below, n)
    return (at_the_few + between) * (rows - 1) / rows**2


def _tied(many: Distribution, begin: Points, end: Points, below: Points, n: int) -> float:
    """The sum over the values between those of the few."""
    m = many.rows
    own, here = (many.below + many.upto) * (m / 2), many.counts
    place = np.searchsorted(begin, own, side="right") - 1
    between = own < end[place]
    own, here, known = own[between], here[between], below[place[between]]
    return _added(n * own - m * known, own + known, here, n + m)


def _untied(begin: Points, end: Points, below: Points, n: int, m: int) -> float:
    """The sum over ranks, of which each has a row: the smooth terms are integrated but for those at both ends.

    After Euler and Maclaurin the sum over a range of midranks is the integral, less a 24th of the difference of slopes
    at its ends. A range is no longer than it is away from where the terms are not smooth.
    """
    rows = n + m
    near = SMOOTH * 2.0 ** np.arange(np.ceil(np.log2(rows / SMOOTH)) + 1)
    cuts = np.concatenate([near, rows - near]) - np.zeros((len(begin), 1))  # ranks among all rows, for each range
    cuts = np.clip(np.floor(cuts - below[:, None]), begin[:, None], end[:, None])
    cuts = np.sort(np.concatenate([begin[:, None], cuts, end[:, None]], axis=1), axis=1)
    first, last, known = cuts[:, :-1].ravel(), cuts[:, 1:].ravel(), np.repeat(below, cuts.shape[1] - 1)
    there = last > first
    first, last, known = first[there], last[there], known[there]
    smooth = (first + known >= SMOOTH) & (last + known <= rows - SMOOTH)
    total = 0.0
    for a, b, k in zip(first[~smooth].tolist(), last[~smooth].tolist(), known[~smooth].tolist(), strict=True):
        own = np.arange(a, b) + 0.5
        total += _added(n * own - m * k, own + k, 1.0, rows)
    first, last, known = first[smooth], last[smooth], known[smooth]
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = (last - first) / 2
    own = ((first + last) / 2)[:, None] + half[:, None] * nodes
    known = known[:, None]
    total += float(np.sum(half * (_terms(n * own - m * known, own + known, 1.0, rows) @ weights)))
    for at, sign in ((last, -1), (first, 1)):
        beside = at[:, None] + [[-1.0, 1.0]]
        slopes = np.diff(_terms(n * beside - m * known, beside + known, 1.0, rows)) / 2
        total += sign * float(np.sum(slopes)) / 24
    return total


def _added(apart: Points, below: Points, both: Points | float, rows: float) -> float:
    return float(np.sum(_terms(apart, below, both, rows)))


def _terms(apart: Points, below: Points, both: Points | float, rows: float) -> Points:
    # Beyond the whole numbers that floats hold, rows of the other side may be lost beside those of one value.
    variance = below * (rows - below) - rows * both / 4
    terms: Points = np.divide(both * apart**2, variance, out=np.zeros_like(apart), where=variance > 0)
    return terms
