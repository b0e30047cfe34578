import numpy as np
from scipy.special import chdtrc

from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.stats.distribution import LARGEST, Distribution, Points
from cellops.stats.gaps import gaps
from cellops.stats.interval import quantile
from cellops.stats.noncentrality import LEVEL, harmonic
from cellops.stats.result import ALL_MISSING, INFINITE, computed, refused
from cellops.stats.samples import Values, distribution
from cellops.stats.spread import ascending, some_ranks

MOST_POINTS = 4096
"""Values of a side of which the p-value is made: more of them change it by less than its approximation does."""


def energy_distance(reference: Values, current: Values) -> StatisticResult:
    r"""Energy distance of two samples, zero only where they have one distribution.

    .. math:: E = \sqrt{2 \int (F - G)^2 \, dx} = \sqrt{2 |X - Y| - |X - X'| - |Y - Y'|}

    with the mean distances of rows within and between the sides. It equals `scipy.stats.energy_distance`. When the
    sides do not differ, nm / (n + m) times the integral is about a sum of weighted squares of normal variables, whose
    first three cumulants are those of the kernel :math:`H(x) (1 - H(y)), x \le y` of all rows together; the p-value is
    that of the chi-squared distribution, moved and stretched, that has them too.

    Parameters
    ----------
    reference, current
        Values, or sketches of those that are there; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` in the root of the unit of the column, from 0 up, and `p_value`; symmetric. The effect is the distance
        over the root of the mean distance of two rows of both sides, without unit, with interval "Székely-Bakirov".
        Where a side is a grid the value is off by no more than `error`. Not computed: "all missing" when a side has no
        values, "infinite values" when there are infinite ones or a distance is beyond the largest float.

    Raises
    ------
    InputError
        When values are not numbers, or a sketch is not one: values that do not ascend, or counts that do not rise.

    References
    ----------
    Székely and Rizzo, Energy statistics: a class of statistics based on distances, J. Stat. Plan. Inference 143 (2013),
    section 2; Buckley and Eagleson, An approximation to the distribution of quadratic forms in normal random variables,
    Austral. J. Statist. 30 (1988), for the p-value; Székely and Bakirov, Extremal probabilities for Gaussian quadratic
    forms, Probab. Theory Relat. Fields 126 (2003), for the most by which noise may move either side.

    Examples
    --------
    >>> result = energy_distance([0.0, 8.0], [0.0, 0.0, 8.0, 8.0, 8.0, 8.0])
    >>> round(result.value, 4)
    0.6667
    """
    name, first, second = "energy_distance", distribution(reference), distribution(current)
    rows = first.rows, second.rows
    if not all(rows):
        return refused(name, ALL_MISSING, *rows)
    least, largest = min(first.ends[0], second.ends[0]), max(first.ends[1], second.ends[1])
    unit = (largest / 2 - least / 2) * 2
    if max(-least, largest) >= LARGEST or not np.isfinite(unit):
        return refused(name, INFINITE, *rows)
    if unit == 0:
        return computed(name, 0.0, *rows, p_value=1.0, method="asymptotic")
    gap = gaps(first, second)
    part = rows[0] / sum(rows)
    own = first.spread.apart / unit, second.spread.apart / unit
    squares = gap.squares / unit
    apart = part * own[0] + (1 - part) * own[1] + part * (1 - part) * squares
    return computed(
        name,
        np.sqrt(2 * squares) * np.sqrt(unit),
        *rows,
        p_value=_p_value(squares, apart, first, second),
        method="asymptotic",
        error=_error(2 * squares, gap.largest, first, second, unit),
        effect=_effect(squares, apart, sum(side / n for side, n in zip(own, rows, strict=True))),
    )


def _p_value(squares: float, apart: float, first: Distribution, second: Distribution) -> float:
    """From the integrals of the squared gap and of H (1 - H), both over the range of all rows."""
    if squares == 0:
        return 1.0
    rows = first.rows, second.rows
    points = ascending(np.concatenate([_some(first), _some(second)]))
    sides = [
        (n / sum(rows), side.at(points[:-1]), side.before(points[1:]))
        for n, side in zip(rows, (first, second), strict=True)
    ]
    share = sum(weight * (begin + end) / 2 for weight, begin, end in sides)
    # Not 1 - share, which is nothing where one side has all but a few of the rows.
    rest = sum(weight * (1 - begin + (1 - end)) / 2 for weight, begin, end in sides)
    widths = np.diff(points / (points[-1] / 2 - points[0] / 2)) / 2
    low, middle, high = widths * share**2, widths * share * rest, widths * rest**2
    below, above = np.cumsum(low) - low, np.sum(high) - np.cumsum(high)
    second_cumulant = 2 * float(np.sum(middle**2) + 2 * np.sum(high * below))
    cubes = np.sum(middle**3) + 3 * np.sum(low * middle * above) + 3 * np.sum(middle * high * below)
    third_cumulant = 8 * float(cubes + 6 * np.sum(middle * below * above))
    degrees = 8 * second_cumulant * (second_cumulant / third_cumulant) ** 2
    away = harmonic(rows) * squares - apart * sum(rows) / (sum(rows) - 1)
    at = degrees + away * np.sqrt(2 * degrees / second_cumulant)
    return float(chdtrc(degrees, at)) if at > 0 else 1.0


def _some(side: Distribution) -> Points:
    values = side.values if side.ordered is None or not side.many else side.ordered
    return values[some_ranks(len(values), MOST_POINTS)]


def _effect(squares: float, apart: float, noise: float) -> Measure:
    reach = quantile(LEVEL) * np.sqrt(noise / apart)
    value = float(np.sqrt(squares / apart))
    known = reach > 0
    return Measure(
        name="relative_energy_distance",
        value=value,
        low=max(0.0, float(value - reach)) if known else None,
        high=float(value + reach) if known else None,
        level=LEVEL,
        method="Székely-Bakirov" if known else "",
    )


def _error(squared: float, gap: float, first: Distribution, second: Distribution, unit: float) -> float:
    """From how far both functions are off on average, times what their gap and the true one are together at most."""
    off = (first.distance_error + second.distance_error) / unit
    of_square = 2 * off * (2 * gap + first.rank_error + second.rank_error)
    return float(np.sqrt(unit) * of_square / max(np.sqrt(of_square), np.sqrt(squared))) if of_square else 0.0
