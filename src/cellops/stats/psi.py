import numpy as np
from numpy.typing import ArrayLike

from cellops.records.drift import StatisticResult
from cellops.stats.counts import aligned, positive_shares
from cellops.stats.noncentrality import harmonic, noncentral
from cellops.stats.result import NOT_ENOUGH_DATA, computed, refused


def psi(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Population stability index: how far the shares of the bins have moved, in both directions at once.

    .. math:: \mathrm{PSI} = \sum_i (q_i - p_i) \ln (q_i / p_i)

    with p the shares of the reference and q those of the current rows. It is Jeffreys' divergence, the sum of both
    Kullback-Leibler divergences. A bin that is empty on one side counts as half a row there; bins empty on both
    sides are left out. The result is therefore finite, and equals the formula where no bin is empty.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` in nats, from 0 up, symmetric; it is the effect, for PSI nm / (n + m) is about chi-squared when the
        sides do not differ. Not computed ("not enough data") when a side has no rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Siddiqi, Credit Risk Scorecards (2006), where it guards a scorecard; Jeffreys, An invariant form for the
    prior probability in estimation problems, Proc. R. Soc. A 186 (1946), for the divergence;
    Yurdakul and Naranjo, Statistical properties of the population stability index, J. Risk Model Valid. 14 (2020), for
    its distribution.

    Examples
    --------
    >>> round(psi([50, 50], [80, 20]).value, 4)
    0.4159
    """
    p_counts, q_counts = aligned(reference, current)
    rows = p_counts.sum(), q_counts.sum()
    if not all(rows):
        return refused("psi", NOT_ENOUGH_DATA, *rows)
    p, q = positive_shares(p_counts), positive_shares(q_counts)
    value = float(np.sum((q - p) * np.log(q / p)))
    unit = harmonic(rows)
    effect = noncentral("psi", value * unit, len(p) - 1, unit=unit, most=np.inf)
    return computed("psi", value, *rows, effect=effect)
