import math

import numpy as np

from cellops.stats.share_evidence import share_evidence

GRID, ZOOMS = 64, 5


def share_interval(successes: float, trials: float, level: float) -> tuple[float, float]:
    r"""The confidence sequence of one share: its interval now, which holds at every moment at once.

    .. math:: \{p : \log E_n(p) < \log (2 / \alpha) \text{ on either side}\}

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
    (0.158, 0.473)
    """
    enough = math.log(2) - math.log1p(-level)
    ends = []
    for outside, above in ((0.0, True), (1.0, False)):
        begin, end = outside, 1 - outside
        for _ in range(ZOOMS):
            places = np.linspace(begin, end, GRID)
            refuted = int(np.count_nonzero(share_evidence(successes, trials, places, above=above)[0] >= enough))
            if refuted == 0:
                break
            begin, end = float(places[refuted - 1]), float(places[min(refuted, GRID - 1)])
        ends.append(begin)
    return ends[0], ends[1]
