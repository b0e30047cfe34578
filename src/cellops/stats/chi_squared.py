import numpy as np
from numpy.typing import ArrayLike

from cellops.records.drift import StatisticResult
from cellops.stats.counts import Counts, aligned
from cellops.stats.noncentrality import noncentral
from cellops.stats.rare_bins import p_value_of
from cellops.stats.result import CONSTANT, NOT_ENOUGH_DATA, computed, refused


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
        `value` without unit, from 0 up, and `p_value`; symmetric. The effect is Cramér's V, the root of the share of
        the largest value that there could be, from 0 to 1. Not computed: "constant" when all rows of both sides share
        one bin, "not enough data" when a side has no rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Pearson, Phil. Mag. 50 (1900); the two-sample form is Cramér, Mathematical Methods of Statistics (1946), chapter 30.
    Cochran, Some methods for strengthening the common chi-squared tests, Biometrics 10 (1954), for the five rows;
    Cramér, the same, section 21.9, for V;
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
    value = pearson(p, q)
    p_value, method = p_value_of(pearson, p, q)
    effect = noncentral("cramers_v", value, len(p) - 1, unit=sum(rows), power=0.5)
    return computed("chi_squared", value, *rows, p_value=p_value, method=method, effect=effect)


def pearson(p: Counts, q: Counts) -> float:
    """The statistic alone, of bins that are not empty on both sides."""
    table = np.stack([p, q])
    expected = np.outer(table.sum(axis=1), p + q) / table.sum()
    return float(np.sum((table - expected) ** 2 / expected))
