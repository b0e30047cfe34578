"""How far the average row has moved, and how far it may have moved beyond the rows seen."""

import math

import numpy as np

from cellops.records.contract import Measure
from cellops.stats.distribution import LARGEST, Distribution
from cellops.stats.gaps import gaps
from cellops.stats.interval import quantile
from cellops.stats.noncentrality import LEVEL


def moved(name: str, first: Distribution, second: Distribution, *, unit: float = 1.0) -> Measure | None:
    r"""First Wasserstein distance over a unit, with an interval that does not take noise for movement.

    Noise alone moves a sample of n rows by :math:`b_n = n^{-1/2} \int \sqrt{F (1 - F)} \, dx` at most on average, and
    its distance has a variance of :math:`\sigma^2 / n` at most, so that the interval goes

    .. math:: \text{from } W - b_n - b_m - z s \text{ to } W + z s, \quad s^2 = \sigma_F^2 / n + \sigma_G^2 / m

    widened by what sketches may be off.

    Parameters
    ----------
    name
        What the effect is called.
    first, second
        Both with rows.
    unit
        What the distance is measured in, taken as known.

    Returns
    -------
    Measure or None
        From 0 up, method "Efron-Stein", without an interval where it is beyond the largest float; None when there are
        infinite values or the distance is beyond the largest float.

    References
    ----------
    Bobkov and Ledoux, One-dimensional empirical measures, order statistics, and Kantorovich transport distances, Mem.
    Am. Math. Soc. 261 (2019), theorem 3.2, for the noise; Efron and Stein, The jackknife estimate of variance, Ann.
    Statist. 9 (1981), for the variance.
    """
    if max(map(abs, (*first.ends, *second.ends))) >= LARGEST:
        return None
    sides, error = (first, second), first.distance_error + second.distance_error
    with np.errstate(over="ignore", invalid="ignore"):
        value = gaps(first, second).area / unit
        reach = quantile(LEVEL) * math.hypot(*(side.spread.deviation / math.sqrt(side.rows) for side in sides)) + error
        noise = sum(side.spread.noise / math.sqrt(side.rows) for side in sides)
        low = max(0.0, value - (noise + reach) / unit)
        high = value + reach / unit
    if not np.isfinite([value, error]).all():
        return None
    known = bool(np.isfinite([low, high]).all()) and reach > 0
    return Measure(
        name=name,
        value=float(value),
        low=float(low) if known else None,
        high=float(high) if known else None,
        level=LEVEL,
        method="Efron-Stein" if known else "",
    )


def spread_error(side: Distribution) -> float:
    """The most by which a standard deviation may be off: a row of a grid moves less than its neighbours are apart."""
    between, width = side.below[1:] - side.upto[:-1], np.diff(side.values / 2)
    unit = float(np.max(width, initial=0.0)) or 1.0
    return 2 * unit * float(np.sqrt(np.maximum(between, 0.0) @ (width / unit) ** 2))
