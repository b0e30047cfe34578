"""P-values of mean square gaps between two samples in which many rows are equal."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import chdtrc

from cellops.stats.distribution import Distribution, Points
from cellops.stats.gaps import few_and_many
from cellops.stats.spread import ascending, some_ranks
from cellops.stats.union import rows_of_both

MANY_TIES = 0.01
"""The chance that two rows of a side are equal, from which the limit without ties does not hold."""
TIES_OF_A_ROW = 0.1
"""Other rows that are equal to one, from which midranks of sides of different size are off by more than chance."""
MOST_CELLS = 8192
"""Cells into which the rows of a side are put that has many more values than the other one."""
Weights = Callable[[Points, Points], Points]
"""Of each value, from its share of all rows and the variance of the gap there."""


def tied(sides: Sequence[Distribution], enough: float = MANY_TIES) -> bool:
    """Whether so many rows of a side are equal that it matters."""
    return any(_equal(side) >= enough for side in sides)


def _equal(side: Distribution) -> float:
    """The chance that two rows are equal."""
    if side.distinct == side.rows:
        return 0.0
    return float(np.sum(np.square(side.counts / side.rows)) - 1 / side.rows)


def evenly(share: Points, _: Points) -> Points:
    """The weights of Cramér and von Mises."""
    return share


def by_variance(share: Points, variance: Points) -> Points:
    """The weights of Anderson and Darling."""
    weights: Points = share / variance
    return weights


def tied_p_value(
    first: Distribution,
    second: Distribution,
    seen: float,
    weights: Weights,
) -> float:
    r"""How likely a weighted mean square gap as large is, when sides do not differ and have these ties.

    .. math:: S = \frac{nm (N - 1)}{N^2} \sum_i w_i D_i^2, \quad C_{ij} = a_i (1 - a_j), \; i < j, \quad
              C_{ii} = a_i (1 - a_i) - h_i / 4

    with D the gap of the two distribution functions at midranks, h the share of all N rows at each value, a the share
    below it and half of those at it. Given the values of all rows D is about normal, and C is its covariance. The
    p-value is that of the chi-squared distribution, moved and stretched, that has the first three cumulants of S.

    Parameters
    ----------
    seen
        S, or the figure that stands for it where rows are few.

    References
    ----------
    Buckley and Eagleson, An approximation to the distribution of quadratic forms in normal random variables, Austral.
    J. Statist. 30 (1988); Conover, A Kolmogorov goodness-of-fit test for discontinuous distributions, J. Am. Stat.
    Assoc. 67 (1972), for what ties do to such tests.
    """
    sides = few_and_many(first, second)
    if sides is not None:
        return tied_tail(seen, *_cells(*sides), weights)
    _, here, there = rows_of_both(first, second)
    share = (here + there) / (first.rows + second.rows)
    return tied_tail(seen, share, share, weights)


def tied_tail(seen: float, share: Points, ties: Points, weights: Weights, samples: int = 2) -> float:
    """How likely a figure as large is that adds up the gaps of several samples, which do not differ, to all of them.

    It is distributed as the sum of one independent figure of two samples for each sample but one.

    Parameters
    ----------
    share
        The share of all rows at each value, ascending; shape (values,). A few values next to each other may stand
        together.
    ties
        The share of those that are equal to one of them, in the same shape: of a value alone its whole share.
    """
    under, variance = _under(share, ties)
    mean, second, third = _cumulants(weights(share, variance), under, variance) * (samples - 1)
    degrees = 8 * second**3 / third**2
    at = degrees + (seen - mean) * np.sqrt(2 * degrees / second)
    return float(chdtrc(degrees, at)) if at > 0 else 1.0


def _cells(few: Distribution, many: Distribution) -> tuple[Points, Points]:
    """The share of all rows at each value of a few, and in the cells into which the many others between them are put.

    A value of a cell's many rows has a cell of its own. Of the others so many are made, the smaller the further out in
    the tails they are, that the sums over them differ by less than a hundred-thousandth.
    """
    ordered = many.rows_held
    some = ordered[some_ranks(many.rows, MOST_CELLS)]
    starts = ascending(np.concatenate([some, few.values]))
    begin, end = np.searchsorted(ordered, starts), np.searchsorted(ordered, starts, side="right")
    # At each of the values, and between it and the next one, where no row is one of the few.
    here = np.zeros(len(starts))
    here[np.searchsorted(starts, few.values)] = few.counts
    at, between = here + end - begin, np.append(begin[1:], many.rows) - end
    share = np.append(begin[0], np.stack([at, between], axis=1).ravel())
    usual = many.rows / many.distinct
    ties = np.append(usual, np.stack([at, np.full(len(at), usual)], axis=1).ravel())
    filled, rows = share > 0, few.rows + many.rows
    return share[filled] / rows, np.minimum(share, ties)[filled] / rows


def _under(share: Points, ties: Points) -> tuple[Points, Points]:
    """The share below each value and half of those at it, and the variance of the gap there."""
    below, above = np.append(0.0, np.cumsum(share)[:-1]), np.append(np.cumsum(share[:0:-1])[::-1], 0.0)
    # The same as in the formula, without a difference of numbers that may be almost equal.
    apart = share - ties
    variance = below * above + (share + apart) * (below + above) / 4 + share * apart / 4
    return below + share / 2, variance


def _cumulants(weight: Points, under: Points, variance: Points) -> Points:
    own, cross = weight * variance, weight * under * (1 - under)
    low, high = weight * under**2, weight * (1 - under) ** 2
    below, above = np.cumsum(low) - low, np.sum(high) - np.cumsum(high)
    second = 2 * float(np.sum(own**2) + 2 * np.sum(high * below))
    pairs = 3 * np.sum(own * (low * above + high * below))
    third = 8 * float(np.sum(own**3) + pairs + 6 * np.sum(cross * below * above))
    return np.array([float(np.sum(own)), second, third])
