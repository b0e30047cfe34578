import math

from cellops.stats.share_evidence import share_evidence

STEPS = 40


def share_interval(successes: float, trials: float, level: float) -> tuple[float, float]:
    r"""The confidence sequence of one share: its interval now, which holds at every moment at once.

    .. math:: \{p : \log E_n(p) < \log (1 / \alpha)\}

    Parameters
    ----------
    successes, trials
        How many there were until now; at least one trial.
    level
        Confidence, from 0 to 1.

    Returns
    -------
    tuple of float
        Its lower and its upper end, from 0 to 1.

    References
    ----------
    As `share_evidence`.

    Examples
    --------
    >>> low, high = share_interval(30, 100, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.166, 0.463)
    """
    enough, share = -math.log1p(-level), successes / trials
    ends = []
    for outside in (0.0, 1.0):
        inside, beyond = share, outside
        for _ in range(STEPS):
            middle = (inside + beyond) / 2
            if share_evidence(successes, trials, middle) < enough:
                inside = middle
            else:
                beyond = middle
        ends.append(beyond)
    return ends[0], ends[1]
