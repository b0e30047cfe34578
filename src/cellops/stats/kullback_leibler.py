import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr

from cellops.records.drift import StatisticResult
from cellops.stats.counts import aligned, positive_shares, shares
from cellops.stats.noncentrality import harmonic, noncentral
from cellops.stats.result import NOT_ENOUGH_DATA, computed, refused


def kullback_leibler(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Kullback-Leibler divergence of the current rows from the reference: the surprise of who expects the reference.

    .. math:: D(q \Vert p) = \sum_i q_i \ln (q_i / p_i)

    with p the shares of the reference and q those of the current rows. A bin that is empty in the current rows adds
    nothing; one that is empty in the reference counts as half a row there, so that the result is finite.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` in nats, from 0 up, not symmetric; it is the effect, for 2D nm / (n + m) is about chi-squared when the
        sides do not differ. Not computed ("not enough data") when a side has no rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Kullback and Leibler, On information and sufficiency, Ann. Math. Statist. 22 (1951), section 2;
    Kullback, Information Theory and Statistics (1959), section 6.4, for its distribution.

    Examples
    --------
    >>> round(kullback_leibler([50, 50], [80, 20]).value, 4)
    0.1927
    """
    p_counts, q_counts = aligned(reference, current)
    rows = p_counts.sum(), q_counts.sum()
    if not all(rows):
        return refused("kullback_leibler", NOT_ENOUGH_DATA, *rows)
    p, q = positive_shares(p_counts), shares(q_counts)
    value = float(np.sum(rel_entr(q, p)))
    unit = 2 * harmonic(rows)
    effect = noncentral("kullback_leibler", value * unit, len(p) - 1, unit=unit, most=np.inf)
    return computed("kullback_leibler", value, *rows, effect=effect)
