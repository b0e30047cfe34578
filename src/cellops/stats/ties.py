"""P-values of mean square gaps between two samples in which many rows are equal."""

from collections.abc import Callable

import numpy as np
from scipy.special import chdtrc

from cellops.stats.distribution import Distribution, Points
from cellops.stats.union import rows_of_both

MANY_TIES = 0.01
"""The chance that two rows of a side are equal, from which the limit without ties does not hold."""
TIES_OF_A_ROW = 0.1
"""Other rows that are equal to one, from which midranks of sides of different size are off by more than chance."""
Weights = Callable[[Points, Points], Points]
"""Of each value, from its share of all rows and the variance of the gap there."""


def tied(first: Distribution, second: Distribution, enough: float = MANY_TIES) -> bool:
    """Whether so many rows of a side are equal that it matters."""
    return any(_equal(side) >= enough for side in (first, second))


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


def tied_p_value(first: Distribution, second: Distribution, weights: Weights) -> float:
    r"""How likely a weighted mean square gap as large is, when sides do not differ and have these ties.

    .. math:: S = \frac{nm (N - 1)}{N^2} \sum_i w_i D_i^2, \quad C_{ij} = a_i (1 - a_j), \; i < j, \quad
              C_{ii} = a_i (1 - a_i) - h_i / 4

    with D the gap of the two distribution functions at midranks, h the share of all N rows at each value, a the share
    below it and half of those at it. Given the values of all rows D is about normal, and C is its covariance. The
    p-value is that of the chi-squared distribution, moved and stretched, that has the first three cumulants of S.

    References
    ----------
    Buckley and Eagleson, An approximation to the distribution of quadratic forms in normal random variables, Austral.
    J. Statist. 30 (1988); Conover, A Kolmogorov goodness-of-fit test for discontinuous distributions, J. Am. Stat.
    Assoc. 67 (1972), for what ties do to such tests.
    """
    _, here, there = rows_of_both(first, second)
    n, m = float(here.sum()), float(there.sum())
    rows = n + m
    share = (here + there) / rows
    under = np.cumsum(share) - share / 2
    variance = under * (1 - under) - share / 4
    weight = weights(share, variance)
    gap = (np.cumsum(here) - here / 2) / n - (np.cumsum(there) - there / 2) / m
    seen = n * m / rows * (rows - 1) / rows * float(np.sum(weight * gap**2))
    mean, second_cumulant, third = _cumulants(weight, under, variance)
    degrees = 8 * second_cumulant**3 / third**2
    at = degrees + (seen - mean) * np.sqrt(2 * degrees / second_cumulant)
    return float(chdtrc(degrees, at)) if at > 0 else 1.0


def _cumulants(weight: Points, under: Points, variance: Points) -> tuple[float, float, float]:
    own, cross = weight * variance, weight * under * (1 - under)
    low, high = weight * under**2, weight * (1 - under) ** 2
    below, above = np.cumsum(low) - low, np.sum(high) - np.cumsum(high)
    second = 2 * float(np.sum(own**2) + 2 * np.sum(high * below))
    pairs = 3 * np.sum(own * (low * above + high * below))
    third = 8 * float(np.sum(own**3) + pairs + 6 * np.sum(cross * below * above))
    return float(np.sum(own)), second, third
