import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, chdtrc

from cellops.records.drift import StatisticResult
from cellops.stats.counts import Counts, aligned
from cellops.stats.result import CONSTANT, NOT_ENOUGH_DATA, computed, refused

LEAST_EXPECTED = 5.0
"""Expected rows that a bin needs for the asymptotic p-value to hold (Cochran 1954, section 4)."""
LEAST_IN_GROUP = 2.0
"""Expected rows of each group that are enough where there are several (Roscoe and Byars 1971)."""


def chi_squared(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Pearson's test that both sides are drawn from one distribution over the bins.

    .. math:: X^2 = \sum_{s \in \{ref, cur\}} \sum_i (n_{si} - e_{si})^2 / e_{si}, \quad
              e_{si} = n_{s\cdot} n_{\cdot i} / n

    The p-value is the asymptotic one where every bin expects five rows on both sides. Where some expect fewer it does
    not hold; then two tests that do are combined after Bonferroni: the asymptotic one over groups of bins, rarest
    together until a group expects two rows, for a shift spread over many bins; and for a shift into one bin, such as
    unseen categories, the exact test of each rare bin that its rows fall on the two sides as all rows do. Bins empty on
    both sides are left out. No continuity correction.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 up, and `p_value`; symmetric. Not computed: "constant" when all rows of both
        sides share one bin, "not enough data" when a side has no rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Pearson, Phil. Mag. 50 (1900); the two-sample form is Cramér, Mathematical Methods of Statistics (1946), chapter 30.
    Cochran, Some methods for strengthening the common chi-squared tests, Biometrics 10 (1954), for the five rows;
    Roscoe and Byars, An investigation of the restraints with respect to sample size commonly imposed on the use of the
    chi-square statistic, J. Am. Stat. Assoc. 66 (1971), for the groups;
    Przyborowski and Wilenski, Homogeneity of results in testing samples from Poisson series, Biometrika 31 (1940), for
    the exact test.

    Examples
    --------
    >>> result = chi_squared([50, 50], [80, 20])
    >>> round(result.value, 3), round(result.p_value, 7)
    (19.78, 8.7e-06)
    """
    p, q = aligned(reference, current)
    rows = p.sum(), q.sum()
    if not all(rows):
        return refused("chi_squared", NOT_ENOUGH_DATA, *rows)
    if len(p) == 1:
        return refused("chi_squared", CONSTANT, *rows)
    value = _statistic(p, q)
    rare = _expected(p, q) < LEAST_EXPECTED
    if not rare.any():
        return computed("chi_squared", value, *rows, p_value=float(chdtrc(len(p) - 1, value)))
    exact = float(np.count_nonzero(rare) * _exact(p, q)[rare].min())
    grouped = _grouped(p, q)
    asymptotic = float(chdtrc(len(grouped[0]) - 1, _statistic(*grouped))) if len(grouped[0]) > 1 else 1.0
    return computed("chi_squared", value, *rows, p_value=2 * min(exact, asymptotic))


def _statistic(p: Counts, q: Counts) -> float:
    table = np.stack([p, q])
    expected = np.outer(table.sum(axis=1), p + q) / table.sum()
    return float(np.sum((table - expected) ** 2 / expected))


def _expected(p: Counts, q: Counts) -> Counts:
    """Rows that the smaller side expects in each bin."""
    expected: Counts = (p + q) * (min(p.sum(), q.sum()) / (p.sum() + q.sum()))
    return expected


def _exact(p: Counts, q: Counts) -> Counts:
    """Two-sided p-value of each bin: twice the smaller tail of the binomial distribution over its rows."""
    share = q.sum() / (p.sum() + q.sum())
    both: Counts = 2 * np.minimum(betainc(q, p + 1, share), betainc(p, q + 1, 1 - share))
    return both


def _grouped(p: Counts, q: Counts) -> tuple[Counts, Counts]:
    """Bins, rarest first, added up until each group expects enough rows; what is left over joins the last group.

    The order comes from both sides together, so that it says nothing of how they differ.
    """
    rarest_first = np.argsort(p + q, kind="stable")
    p, q = p[rarest_first], q[rarest_first]
    starts, filled = [0], 0.0
    for place, expected in enumerate(_expected(p, q).tolist()):
        if filled >= LEAST_IN_GROUP:
            starts.append(place)
            filled = 0.0
        filled += expected
    if filled < LEAST_IN_GROUP and len(starts) > 1:
        starts.pop()
    return np.add.reduceat(p, starts), np.add.reduceat(q, starts)
