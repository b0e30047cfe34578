"""A figure with its normal confidence interval, kept within the range that the figure can have."""

from statistics import NormalDist

import numpy as np

from cellops.errors import InputError
from cellops.records.contract import Measure


def quantile(level: float) -> float:
    """How many standard errors a two-sided interval of this confidence level reaches.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.

    Examples
    --------
    >>> round(quantile(0.95), 3)
    1.96
    """
    if not 0 < level < 1:
        fact = "A confidence level lies between 0 and 1"
        raise InputError(fact, received=level, remedy="Give for example 0.95")
    return NormalDist().inv_cdf((1 + level) / 2)


def normal(
    name: str, value: float, error: float, *, level: float, method: str, least: float = -np.inf, most: float = np.inf
) -> Measure:
    """The figure ± its standard error times the quantile; without an interval when the error is not known (NaN), is
    zero, since rows that do not differ say nothing of those that do, or when the interval reaches beyond the largest
    float.
    """
    reach = quantile(level) * error
    low, high = max(least, float(value - reach)), min(most, float(value + reach))
    known = reach > 0 and bool(np.isfinite([reach, low, high]).all())
    return Measure(
        name=name,
        value=float(value),
        low=low if known else None,
        high=high if known else None,
        level=level,
        method=method if known else "",
    )
