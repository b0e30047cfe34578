import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.stats.false_alarms import checked

SHARE = 0.07720838
"""What the sequence is multiplied by, so that its sum stays below one."""


def lord(p_values: ArrayLike, *, level: float = 0.05) -> NDArray[np.float64]:
    r"""Levels at which to test windows one after another, so that of all alarms ever raised few are false.

    .. math:: \alpha_t = \gamma_t w_0 + (\alpha - w_0) \gamma_{t - \tau_1} + \alpha \sum_{j \ge 2} \gamma_{t - \tau_j}

    Each test spends from a budget that never runs dry, and each alarm, at :math:`\tau_j`, pays some back. Half of the
    level is there at the start, and :math:`\gamma_j \propto \ln(\max(j, 2)) / (j e^{\sqrt{\ln j}})`. A level depends on
    earlier windows only: what was called an alarm stays one, whatever comes later.

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
    Ramdas, Yang, Wainwright and Jordan, Online control of the false discovery rate with decaying memory, NIPS (2017),
    section 3, LORD++; Javanmard and Montanari, Online rules for control of false discovery rate and false discovery
    exceedance, Ann. Statist. 46 (2018), for the sequence. Holds for p-values that are independent of each other.

    Examples
    --------
    >>> lord([0.0001, 0.5, 0.4]).round(5)
    array([0.00134, 0.00163, 0.00054])
    """
    p = checked(p_values, level)
    gamma, start, alarms = _sequence(len(p)), level / 2, 0
    levels: NDArray[np.float64] = gamma * start
    for t in range(len(p)):
        if p[t] <= levels[t]:
            levels[t + 1 :] += (level if alarms else level - start) * gamma[: len(p) - t - 1]
            alarms += 1
    return levels


def _sequence(windows: int) -> NDArray[np.float64]:
    j = np.arange(1, windows + 1, dtype=np.float64)
    sequence: NDArray[np.float64] = SHARE * np.log(np.maximum(j, 2)) / (j * np.exp(np.sqrt(np.log(j))))
    return sequence
