import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr

from cellops.records.drift import StatisticResult
from cellops.stats.counts import aligned, shares
from cellops.stats.noncentrality import harmonic, noncentral
from cellops.stats.result import NOT_ENOUGH_DATA, computed, refused


def jensen_shannon(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Jensen-Shannon distance: how well one row tells from which side it comes, from 0 (not at all) to 1 (surely).

    .. math:: \sqrt{\tfrac12 D(p \Vert m) + \tfrac12 D(q \Vert m)}, \quad m = \tfrac12 (p + q)

    with logarithms to base 2. The mixture m is above zero wherever p or q is, so empty bins need no treatment.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 to 1, symmetric and a metric; it is the effect, for 8 nm / (n + m) times its square
        in nats is about chi-squared when the sides do not differ. Not computed ("not enough data") when a side has no
        rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not finite.

    References
    ----------
    Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991), section IV; Endres and
    Schindelin, A new metric for probability distributions, IEEE Trans. Inf. Theory 49 (2003), for the square root;
    Grosse et al., Analysis of symbolic sequences using the Jensen-Shannon divergence, Phys. Rev. E 65 (2002), for its
    distribution.

    Examples
    --------
    >>> jensen_shannon([10, 0], [0, 10]).value
    1.0
    """
    p_counts, q_counts = aligned(reference, current)
    rows = p_counts.sum(), q_counts.sum()
    if not all(rows):
        return refused("jensen_shannon", NOT_ENOUGH_DATA, *rows)
    p, q = shares(p_counts), shares(q_counts)
    middle = (p + q) / 2
    bits = np.sum(rel_entr(p, middle) + rel_entr(q, middle)) / 2 / np.log(2)
    bits = float(np.clip(bits, 0.0, 1.0))
    unit = 8 * np.log(2) * harmonic(rows)
    effect = noncentral("jensen_shannon", bits * unit, len(p) - 1, unit=unit, power=0.5)
    return computed("jensen_shannon", np.sqrt(bits), *rows, effect=effect)
