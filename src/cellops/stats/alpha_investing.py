import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.stats.false_alarms import checked


def alpha_investing(p_values: ArrayLike, *, level: float = 0.05) -> NDArray[np.float64]:
    r"""Levels at which to test windows one after another, that stake the most right after an alarm.

    .. math:: \alpha_t = \frac{W_{t-1}}{1 + t - \tau}, \quad W_t = W_{t-1} +
              \begin{cases} \alpha & \text{alarm} \\ -\alpha_t / (1 - \alpha_t) & \text{none} \end{cases}

    with :math:`\tau` the last alarm, or 0, and :math:`W_0 = \alpha (1 - \alpha)`. Drift that lasts pays for the tests
    that find it; a long quiet time leaves little.

    Parameters
    ----------
    p_values
        One of each window, in the order of time; shape (windows,).
    level
        The marginal false discovery rate to stay below: false alarms expected over alarms expected.

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
    Foster and Stine, Alpha-investing: a procedure for sequential control of expected false discoveries, J. R. Statist.
    Soc. B 70 (2008), sections 3 and 5. Holds for p-values that are independent of each other.

    Examples
    --------
    >>> alpha_investing([0.0001, 0.5, 0.4]).round(5)
    array([0.02375, 0.04875, 0.01542])
    """
    p = checked(p_values, level)
    wealth, last, levels = level * (1 - level), -1, np.zeros(len(p))
    for t in range(len(p)):
        # Whoever loses pays no more than what is there.
        levels[t] = min(wealth / (1 + t - last), wealth / (1 + wealth))
        if p[t] <= levels[t]:
            wealth, last = wealth + level, t
        else:
            wealth = max(0.0, wealth - levels[t] / (1 - levels[t]))  # rounding makes no debts
    return levels
