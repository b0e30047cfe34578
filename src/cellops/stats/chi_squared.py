import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from cellops.records.drift import StatisticResult
from cellops.stats.counts import Counts, aligned
from cellops.stats.result import CONSTANT, NOT_ENOUGH_DATA, computed, refused

LEAST_EXPECTED = 5.0
"""Expected rows that a cell needs for the asymptotic p-value to hold (Cochran 1954, section 4)."""


def chi_squared(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Pearson's test that both sides are drawn from one distribution over the bins.

    .. math:: X^2 = \sum_{s \in \{ref, cur\}} \sum_i (n_{si} - e_{si})^2 / e_{si}, \quad
              e_{si} = n_{s\cdot} n_{\cdot i} / n

    Bins in which a side expects fewer than five rows are pooled, rarest first, for the p-value does not hold with
    them; bins empty on both sides are left out. No continuity correction.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 up, and `p_value`; symmetric. Not computed: "constant" when all rows of both
        sides share one bin, "not enough data" when a side has no rows or fewer than two bins are left after pooling.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Pearson, Phil. Mag. 50 (1900); Cochran, Some methods for strengthening the common chi-squared tests, Biometrics 10
    (1954), for the pooling; the two-sample form is Cramér, Mathematical Methods of Statistics (1946), chapter 30.

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
    p, q = _pool_rare(p, q)
    if len(p) == 1:
        return refused("chi_squared", NOT_ENOUGH_DATA, *rows)
    table = np.stack([p, q])
    expected = np.outer(rows, p + q) / sum(rows)
    value = np.sum((table - expected) ** 2 / expected)
    return computed("chi_squared", value, *rows, p_value=chdtrc(len(p) - 1, value))


def _pool_rare(p: Counts, q: Counts) -> tuple[Counts, Counts]:
    """Bins that expect too few rows as one bin, to which the next rarest ones are added until it expects enough."""
    rarest_first = np.argsort(p + q, kind="stable")
    p, q = p[rarest_first], q[rarest_first]
    smaller_side = min(p.sum(), q.sum()) / (p.sum() + q.sum())
    expected = (p + q) * smaller_side
    rare = int(np.sum(expected < LEAST_EXPECTED))
    if rare == 0:
        return p, q
    enough = int(np.searchsorted(np.cumsum(expected), LEAST_EXPECTED)) + 1
    pooled = min(max(rare, enough), len(p))
    return np.append(p[pooled:], p[:pooled].sum()), np.append(q[pooled:], q[:pooled].sum())
