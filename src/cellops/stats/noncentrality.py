"""The interval of an effect whose statistic is about noncentral chi-squared."""

import numpy as np
from scipy.special import chdtr, chndtrinc

from cellops.records.contract import Measure
from cellops.stats.interval import quantile

LEVEL = 0.95
LARGE = 1000.0
"""Above it the noncentral distribution is so near to a normal one that the root of a square answers as well."""


def harmonic(rows: tuple[float, float]) -> float:
    """Rows of one side that are worth as much as both sides together: nm / (n + m)."""
    return float(rows[0] * rows[1] / (rows[0] + rows[1]))


def noncentral(
    name: str, statistic: float, degrees: int, *, unit: float, power: float = 1.0, most: float = 1.0
) -> Measure | None:
    r"""An effect, :math:`(X / u)^a`, with the interval of those whose statistic is as likely as the one seen.

    A statistic X that compares n with m rows, and grows as the square of their difference, is about noncentral
    chi-squared with noncentrality :math:`u \, \theta^{1/a}`. The interval is made of the noncentralities that put X
    between their quantiles; it begins at zero where no difference explains it, and is kept wide enough to hold the
    figure itself, which is too large on average where sides do not differ.

    Parameters
    ----------
    name
        What the effect is called.
    statistic
        X, from 0 up.
    degrees
        Degrees of freedom of X when the sides do not differ.
    unit
        u, from 0 up.
    power
        a.
    most
        The largest effect that there can be.

    Returns
    -------
    Measure or None
        Method "noncentral chi-squared"; None for one bin, where there is no difference to speak of.

    References
    ----------
    Steiger and Fouladi, Noncentrality interval estimation and the evaluation of statistical models, in What if there
    were no significance tests? (1997); Smithson, Confidence Intervals (2003), section 4.2. For large X the quantile is
    that of a normal distribution with mean and variance of X, solved for the noncentrality.

    Examples
    --------
    >>> effect = noncentral("cramers_v", 19.78, 1, unit=200, power=0.5)
    >>> [round(figure, 3) for figure in (effect.low, effect.value, effect.high)]
    [0.176, 0.314, 0.453]
    """
    if degrees < 1:
        return None
    bounds = _solved(statistic, degrees) if statistic > LARGE else _inverted(statistic, degrees)
    value, low, high = (float(min((max(figure, 0.0) / unit) ** power, most)) for figure in (statistic, *bounds))
    return Measure(
        name=name,
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=LEVEL,
        method="noncentral chi-squared",
    )


def _inverted(statistic: float, degrees: int) -> tuple[float, float]:
    """Zero where even no difference at all leaves the statistic below its quantile: then there is nothing to solve."""
    ends = (1 + LEVEL) / 2, (1 - LEVEL) / 2
    low, high = (chndtrinc(statistic, degrees, end) if chdtr(degrees, statistic) > end else 0.0 for end in ends)
    return float(low), float(high)


def _solved(statistic: float, degrees: int) -> tuple[float, float]:
    """Where the distance of X from its mean is the quantile times its standard deviation, a square in the unknown."""
    z = quantile(LEVEL)
    middle = statistic - degrees + 2 * z**2
    reach = z * np.sqrt(4 * (statistic - degrees) + 4 * z**2 + 2 * degrees)
    return float(middle - reach), float(middle + reach)
