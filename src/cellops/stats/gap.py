"""The gap between two distribution functions, and how far that of two samples may be from it."""

import numpy as np

from cellops.records.contract import Measure
from cellops.stats.noncentrality import LEVEL


def gap_effect(name: str, gap: float, *rows: int, error: float = 0.0) -> Measure:
    r"""A mean or largest gap with an interval that holds for any distributions and any number of rows.

    .. math:: \mathrm{gap} \pm \big(\sqrt{\ln (4 / \alpha) / 2n} + \sqrt{\ln (4 / \alpha) / 2m}\big)

    for each distribution function is within its root of that of its sample with probability :math:`1 - \alpha / 2`.
    Between k samples 4 is 2k, and n and m are the rows of the two smallest.

    Parameters
    ----------
    name
        What the effect is called.
    gap
        From 0 to 1: the gap between two samples in a norm no larger than its maximum.
    rows
        n and m, or those of k samples.
    error
        The most by which the gap may be off because a side is known from a grid only.

    Returns
    -------
    Measure
        Method "Dvoretzky-Kiefer-Wolfowitz".

    References
    ----------
    Massart, The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality, Ann. Probab. 18 (1990), corollary 1.

    Examples
    --------
    >>> effect = gap_effect("largest_gap", 0.3, 1000, 1000)
    >>> round(effect.low, 3), round(effect.high, 3)
    (0.206, 0.394)
    """
    radius = np.log(2 * len(rows) / (1 - LEVEL)) / 2
    reach = float(sum(np.sqrt(radius / side) for side in sorted(rows)[:2])) + error
    value = min(float(gap), 1.0)
    return Measure(
        name=name,
        value=value,
        low=max(0.0, value - reach),
        high=min(1.0, value + reach),
        level=LEVEL,
        method="Dvoretzky-Kiefer-Wolfowitz",
    )
