import numpy as np
from numpy.typing import ArrayLike

from cellops.records.drift import StatisticResult
from cellops.stats.counts import aligned, shares
from cellops.stats.noncentrality import harmonic, noncentral
from cellops.stats.result import NOT_ENOUGH_DATA, computed, refused


def hellinger(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Hellinger distance: how far apart the shares are once their noise has been made even by a square root.

    .. math:: H = \sqrt{\tfrac12 \sum_i (\sqrt{p_i} - \sqrt{q_i})^2}

    An empty bin needs no treatment, and a rare bin weighs no more than its rows can say.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 to 1, symmetric and a metric; it is the effect, for 8H² nm / (n + m) is about
        chi-squared when the sides do not differ. Not computed ("not enough data") when a side has no rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Hellinger, J. Reine Angew. Math. 136 (1909); Freeman and Tukey, Transformations related to the angular and the
    square root, Ann. Math. Statist. 21 (1950), for the noise.

    Examples
    --------
    >>> round(hellinger([50, 50], [80, 20]).value, 4)
    0.2265
    """
    p_counts, q_counts = aligned(reference, current)
    rows = p_counts.sum(), q_counts.sum()
    if not all(rows):
        return refused("hellinger", NOT_ENOUGH_DATA, *rows)
    squared = min(1.0, float(np.sum((np.sqrt(shares(p_counts)) - np.sqrt(shares(q_counts))) ** 2)) / 2)
    unit = 8 * harmonic(rows)
    effect = noncentral("hellinger", squared * unit, len(p_counts) - 1, unit=unit, power=0.5)
    return computed("hellinger", np.sqrt(squared), *rows, effect=effect)
