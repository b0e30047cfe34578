import numpy as np

from cellops.records.drift import StatisticResult
from cellops.records.profile import QuantileSketch
from cellops.stats.result import ALL_MISSING, computed, refused
from cellops.stats.samples import cumulative_share, points_of, rows_of


def kolmogorov_smirnov(reference: QuantileSketch, current: QuantileSketch) -> StatisticResult:
    r"""Two-sample Kolmogorov-Smirnov test: the largest gap between the two distribution functions.

    .. math:: D = \sup_x |F(x) - G(x)|

    Against exact sketches it equals `scipy.stats.ks_2samp(..., method="asymp")`; against a grid D is off by no more
    than the sum of both `rank_error`. The p-value is the asymptotic one: Kolmogorov's distribution for
    round(mn / (m + n)) rows, at least one. It assumes continuous values; with ties it is too large, never too small.

    Parameters
    ----------
    reference, current
        Sketches of the values that are there; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 to 1, and `p_value`; symmetric. Not computed ("all missing") when a side has no
        values.

    Raises
    ------
    InputError
        When a sketch is not one: values that do not ascend, or counts that do not rise.

    References
    ----------
    Smirnov, Table for estimating the goodness of fit of empirical distributions, Ann. Math. Statist. 19 (1948);
    Hodges, The significance probability of the Smirnov two-sample test, Ark. Mat. 3 (1958).

    Examples
    --------
    >>> low = QuantileSketch(values=(1.0, 2.0), cumulative=(30, 60))
    >>> high = QuantileSketch(values=(2.0, 3.0), cumulative=(30, 60))
    >>> kolmogorov_smirnov(low, high).value
    0.5
    """
    from scipy.stats import kstwo

    rows = rows_of(reference), rows_of(current)
    if not all(rows):
        return refused("kolmogorov_smirnov", ALL_MISSING, *rows)
    at = points_of(reference, current)
    gap = np.max(np.abs(cumulative_share(reference, at) - cumulative_share(current, at)))
    effective_rows = max(np.round(rows[0] * rows[1] / (rows[0] + rows[1])), 1)
    return computed("kolmogorov_smirnov", gap, *rows, p_value=kstwo.sf(gap, effective_rows))
