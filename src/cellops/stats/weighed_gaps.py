"""Squared gaps that weigh the more the further out in the tails they are, as the Anderson-Darling tests add them up."""

import numpy as np

from cellops.stats.distribution import Distribution, Points
from cellops.stats.spread import CHUNK
from cellops.stats.stretches import stretched


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
    return _added(apart, below, both, rows) * (rows - 1) / rows**2


def weighed_along(few: Distribution, many: Distribution) -> float:
    """The same for a side of many rows among those and an exact side of few values."""
    n, m, rows = few.rows, many.rows, few.rows + many.rows
    tied = many.distinct < m
    values = many.values if tied or many.ordered is None else many.ordered
    at = np.searchsorted(values, few.values), np.searchsorted(values, few.values, side="right")
    upto = few.upto * n
    # Beside the values of the few; along the others the rows of the few below stay the same.
    starts = np.concatenate([[0], np.stack(at, axis=1).ravel()])
    below_few = np.repeat(np.append(0.0, upto), 2)[:-1]
    figures = np.stack([below_few, np.arange(len(starts)) % 2 == 0])
    total = _at_the_few(few, many, upto)
    places = np.arange(CHUNK) + 0.5
    for begin in range(0, len(values), CHUNK):
        end = min(begin + CHUNK, len(values))
        known, weight = stretched(starts, figures, begin, end)
        own = (many.below[begin:end] + many.upto[begin:end]) * (m / 2) if tied else places[: end - begin] + begin
        here = many.counts[begin:end] if tied else 1.0
        total += _added(n * own - m * known, own + known, here, rows, weight=weight)
    return total * (rows - 1) / rows**2


def _at_the_few(few: Distribution, many: Distribution, upto: Points) -> float:
    """The sum over the values of the few."""
    left, right = many.before(few.values) * many.rows, many.at(few.values) * many.rows
    own, known = (left + right) / 2, upto - few.counts / 2
    both = few.counts + right - left
    return _added(few.rows * own - many.rows * known, own + known, both, few.rows + many.rows)


def _added(apart: Points, below: Points, both: Points | float, rows: float, weight: Points | float = 1.0) -> float:
    return float(np.sum(weight * both * apart**2 / (below * (rows - below) - rows * both / 4)))
