import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.stats.false_alarms import checked

CANDIDATE = 0.5
"""The p-value up to which a window may have drifted: it costs nothing."""
POWER = 1.6
"""How fast the sequence falls."""


def saffron(p_values: ArrayLike, *, level: float = 0.05) -> NDArray[np.float64]:
    r"""Levels at which to test windows one after another, that pay for windows that are clearly quiet only.

    .. math:: \alpha_t = \min\Big(\lambda, (1 - \lambda) \big[ w_0 \gamma_{t - C_0} + (\alpha - w_0)
              \gamma_{t - \tau_1 - C_1} + \alpha \sum_{j \ge 2} \gamma_{t - \tau_j - C_j} \big]\Big)

    As `lord`, but windows with a p-value up to :math:`\lambda = 1/2`, of which :math:`C_j` have come since the alarm at
    :math:`\tau_j`, spend nothing from the budget. It raises more alarms where many windows drift.
    :math:`\gamma_j \propto j^{-1.6}`, and half of the level is there at the start.

    Parameters
    ----------
    p_values
        One of each window, in the order of time; shape (windows,).
    level
        The false discovery rate to stay below at any time.

    Returns
    -------
    numpy.ndarray
        The level of each window, shape (windows,): it is an alarm where its p-value is no larger.

    Raises
    ------
    InputError
        When a p-value is not from 0 to 1, or the level is not between them.

    References
    ----------
    Ramdas, Zrnic, Wainwright and Jordan, SAFFRON: an adaptive algorithm for online control of the false discovery rate,
    ICML (2018), algorithm 1. Holds for p-values that are independent of each other.

    Examples
    --------
    >>> saffron([0.0001, 0.6, 0.4]).round(5)
    array([0.00547, 0.01094, 0.00361])
    """
    from scipy.special import zeta

    p = checked(p_values, level)
    candidates = np.concatenate([[0], np.cumsum(p <= CANDIDATE)])
    # What each start or alarm pays, the window it pays from, and the candidates up to it.
    pays, times, before = [level / 2], [-1], [0]
    levels = np.zeros(len(p))
    for t in range(len(p)):
        ages = t - np.array(times) - (candidates[t] - np.array(before))
        levels[t] = min(
            CANDIDATE, (1 - CANDIDATE) * float(np.array(pays) @ ages.astype(np.float64) ** -POWER / zeta(POWER))
        )
        if p[t] <= levels[t]:
            pays.append(level if len(pays) > 1 else level / 2)
            times.append(t)
            before.append(int(candidates[t + 1]))
    return levels
