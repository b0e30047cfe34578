import numpy as np
from numpy.typing import ArrayLike

from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.stats.counts import aligned, shares
from cellops.stats.noncentrality import LEVEL, harmonic
from cellops.stats.result import NOT_ENOUGH_DATA, computed, refused


def total_variation(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Total variation distance: the share of rows that would have to change their bin to make one side the other.

    .. math:: \mathrm{TV} = \tfrac12 \sum_i |p_i - q_i|

    With :math:`h = nm / (n + m)` and k bins, noise alone gives no more than :math:`\sqrt{(k - 1) / h} / 2` on average,
    and a sample lies within :math:`t = \sqrt{\ln (2 / \alpha) / 2h}` of its average. The interval of the effect, from
    TV - average noise - t to TV + t, therefore holds for any number of rows, but for bins that no row has reached yet.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 to 1, symmetric and a metric; it is the effect, with interval "McDiarmid". Not
        computed ("not enough data") when a side has no rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Devroye and Lugosi, Combinatorial Methods in Density Estimation (2001), chapter 5, for the distance; McDiarmid, On
    the method of bounded differences, in Surveys in Combinatorics (1989), lemma 1.2, for the interval.

    Examples
    --------
    >>> result = total_variation([500, 500], [800, 200])
    >>> round(result.value, 3), round(result.effect.low, 3), round(result.effect.high, 3)
    (0.3, 0.217, 0.361)
    """
    p, q = aligned(reference, current)
    rows = p.sum(), q.sum()
    if not all(rows):
        return refused("total_variation", NOT_ENOUGH_DATA, *rows)
    value = float(np.sum(np.abs(shares(p) - shares(q))) / 2)
    return computed("total_variation", value, *rows, effect=_effect(min(value, 1.0), len(p), rows))


def _effect(value: float, bins: int, rows: tuple[float, float]) -> Measure:
    noise = np.sqrt((bins - 1) / harmonic(rows)) / 2
    reach = np.sqrt(np.log(2 / (1 - LEVEL)) / (2 * harmonic(rows)))
    low, high = max(0.0, value - noise - reach), min(1.0, value + reach)
    return Measure(
        name="total_variation", value=value, low=float(low), high=float(high), level=LEVEL, method="McDiarmid"
    )
