"""How far shares of rows have moved, with Newcombe's interval."""

import numpy as np

from cellops.stats.counts import Counts
from cellops.stats.interval import quantile


def newcombe(before: Counts, rows: float, after: Counts, later_rows: float, *, level: float) -> tuple[Counts, Counts]:
    r"""The interval of how far each share has moved, without sign: from both intervals of Wilson.

    .. math:: d - \sqrt{(q - l_q)^2 + (u_p - p)^2} \quad\text{to}\quad d + \sqrt{(u_q - q)^2 + (p - l_p)^2}

    Parameters
    ----------
    before, after
        Rows that count, on either side, shape (shares,).
    rows, later_rows
        All rows of either side.
    level
        Confidence level of each interval.

    Returns
    -------
    tuple of ndarray
        Lower and upper ends, from 0 to 1, shape (shares,).

    References
    ----------
    Newcombe, Interval estimation for the difference between independent proportions, Stat. Med. 17 (1998), method 10.

    Examples
    --------
    >>> low, high = newcombe(np.array([48.0]), 80, np.array([56.0]), 70, level=0.95)
    >>> low.round(4), high.round(4)
    (array([0.0524]), array([0.3339]))
    """
    z = quantile(level)
    (p, p_low, p_high), (q, q_low, q_high) = _wilson(before, rows, z), _wilson(after, later_rows, z)
    falls, rises = np.hypot(q - q_low, p_high - p), np.hypot(q_high - q, p - p_low)
    below, above = np.where(q >= p, falls, rises), np.where(q >= p, rises, falls)
    apart = np.abs(q - p)
    return np.maximum(apart - below, 0.0), np.minimum(apart + above, 1.0)


def _wilson(successes: Counts, trials: float, z: float) -> tuple[Counts, Counts, Counts]:
    """The shares with their intervals."""
    share = successes / trials
    noise = z * z / (2 * trials)
    reach = z * np.sqrt(share * (1 - share) / trials + noise / (2 * trials))
    scale = 1 + 2 * noise
    low, high = (share + noise - reach) / scale, (share + noise + reach) / scale
    return share, np.clip(low, 0.0, share), np.clip(high, share, 1.0)
