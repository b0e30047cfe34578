"""The distribution of the largest gap between a sample and what it is drawn from."""

import numpy as np

from cellops.stats.distribution import Points

MANY = 1000
"""Rows from which the sum is smooth enough to be taken at some of its terms."""
TERMS = 4001
RARE = 2.2
"""n D² from which both sides hardly ever gap as much at once, so that one of them tells."""
NEVER = 370.0
"""n D² from which the probability is below the smallest float."""


def kolmogorov_tail(gap: float, rows: int) -> float:
    r"""Probability that the largest gap of so many rows is larger, as `scipy.stats.kstwo` gives it.

    .. math:: 2 P(D^+ > x) = 2 x \sum_{j=0}^{n (1 - x)} \binom nj (x + j / n)^{j-1} (1 - x - j / n)^{n-j}

    where that holds to fifteen digits. scipy adds up all terms, which for n in the hundred thousands takes half a
    second; they are so smooth in j, and so flat at both ends, that some thousand of them give the sum to rounding.

    References
    ----------
    Birnbaum and Tingey, One-sided confidence contours for probability distribution functions, Ann. Math. Statist. 22
    (1951); Miller, Table of percentage points of Kolmogorov statistics, J. Am. Stat. Assoc. 51 (1956); Simard and
    L'Ecuyer, Computing the two-sided Kolmogorov-Smirnov distribution, J. Stat. Softw. 39 (2011), for where it holds.

    Examples
    --------
    >>> round(kolmogorov_tail(0.006, 100_000), 5)
    0.00149
    """
    from scipy.stats import kstwo

    squared = rows * gap * gap
    if rows >= MANY and squared >= NEVER:
        return 0.0
    if rows < MANY or squared < RARE:
        return float(kstwo.sf(gap, rows))
    return min(1.0, 2 * _one_sided(gap, float(rows)))


def _one_sided(gap: float, n: float) -> float:
    """The terms are binomial probabilities of j, written as Loader does, lest digits cancel."""
    j, step = np.linspace(0.0, n * (1 - gap), TERMS, retstep=True)
    j = j[1:-1]
    rest, moved = n - j, n * gap
    likelihood = j * np.log1p(moved / j) + rest * np.log1p(-moved / rest)
    likely = np.exp(likelihood + _beyond_stirling(n) - _beyond_stirling(j) - _beyond_stirling(rest))
    return float(step * gap * np.sum(likely * np.sqrt(n / (2 * np.pi * j * rest)) / (gap + j / n)))


def _beyond_stirling(x: Points | float) -> Points | float:
    """What the logarithm of a factorial is beyond Stirling's formula; terms of few rows are too small to matter."""
    square = x * x
    return (1 / 12 - (1 / 360 - 1 / (1260 * square)) / square) / x
