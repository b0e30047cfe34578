import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from cellops.records.drift import StatisticResult
from cellops.stats.counts import Counts, aligned
from cellops.stats.noncentrality import noncentral
from cellops.stats.rare_bins import p_value_of
from cellops.stats.result import CONSTANT, NOT_ENOUGH_DATA, computed, refused


def g_test(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Likelihood-ratio test that both sides are drawn from one distribution over the bins.

    .. math:: G = 2 \sum_{s \in \{ref, cur\}} \sum_i n_{si} \ln (n_{si} / e_{si}), \quad
              e_{si} = n_{s\cdot} n_{\cdot i} / n

    Like the chi-squared test it compares rows seen with rows expected, but measures by information: where shares change
    by a factor it tells the sides apart with fewer rows. The p-value is asymptotic where every bin expects five rows on
    both sides, else that of `chi_squared` for rare bins. No Williams correction.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 up, and `p_value`; symmetric. The effect is the mutual information of bin and side
        in nats, G / 2n. Not computed: "constant" when all rows of both sides share one bin, "not enough data" when a
        side has no rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Wilks, The likelihood test of independence in contingency tables, Ann. Math. Statist. 6 (1935); Sokal and Rohlf,
    Biometry (1981), section 17.4.

    Examples
    --------
    >>> result = g_test([50, 50], [80, 20])
    >>> round(result.value, 3), round(result.p_value, 7)
    (20.269, 6.7e-06)
    """
    p, q = aligned(reference, current)
    rows = p.sum(), q.sum()
    if not all(rows):
        return refused("g_test", NOT_ENOUGH_DATA, *rows)
    if len(p) == 1:
        return refused("g_test", CONSTANT, *rows)
    value = _statistic(p, q)
    p_value, method = p_value_of(_statistic, p, q)
    effect = noncentral("mutual_information", value, len(p) - 1, unit=2 * sum(rows), most=float(np.log(2)))
    return computed("g_test", value, *rows, p_value=p_value, method=method, effect=effect)


def _statistic(p: Counts, q: Counts) -> float:
    both, rows = p + q, p.sum() + q.sum()
    expected = (p.sum() / rows * both, q.sum() / rows * both)
    return max(0.0, 2 * float(np.sum(xlogy(p, p / expected[0]) + xlogy(q, q / expected[1]))))
