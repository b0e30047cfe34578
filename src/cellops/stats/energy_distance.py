import numpy as np
from scipy.special import chdtrc

from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.stats.interval import quantile
from cellops.stats.noncentrality import LEVEL, harmonic
from cellops.stats.result import ALL_MISSING, INFINITE, computed, refused
from cellops.stats.samples import LARGEST, Distribution, Points, Values, distribution, points_of


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
    points = points_of(first, second)
    unit = float(points[-1] / 2 - points[0] / 2) * 2
    if np.abs(points[[0, -1]]).max() >= LARGEST or not np.isfinite(unit):
        return refused(name, INFINITE, *rows)
    if unit == 0:
        return computed(name, 0.0, *rows, p_value=1.0, method="asymptotic")
    widths = np.diff(points / unit)
    left, right = _heights(first, points), _heights(second, points)
    squared = 2 * float(np.sum(widths * _mean_square(left - right)))
    before, after = left.mean(axis=0), right.mean(axis=0)
    return computed(
        name,
        np.sqrt(squared * unit),
        *rows,
        p_value=_p_value(squared, widths, before, after, rows),
        method="asymptotic",
        error=_error(squared, float(np.abs(left - right).max()), first, second, unit),
        effect=_effect(squared, widths, before, after, rows),
    )


def _heights(side: Distribution, points: Points) -> Points:
    """Share of rows at both ends of each interval between points; shape (2, intervals)."""
    return np.stack([side.at(points[:-1]), side.before(points[1:])])


def _mean_square(ends: Points) -> Points:
    """Of a line, from the heights of its two ends."""
    square: Points = (ends[0] ** 2 + ends[0] * ends[1] + ends[1] ** 2) / 3
    return square


def _p_value(squared: float, widths: Points, left: Points, right: Points, rows: tuple[int, int]) -> float:
    if squared == 0:
        return 1.0
    share = (rows[0] * left + rows[1] * right) / sum(rows)
    low, middle, high = widths * share**2, widths * share * (1 - share), widths * (1 - share) ** 2
    below, above = np.cumsum(low) - low, np.sum(high) - np.cumsum(high)
    first = float(np.sum(middle))
    second = 2 * float(np.sum(middle**2) + 2 * np.sum(high * below))
    cubes = np.sum(middle**3) + 3 * np.sum(low * middle * above) + 3 * np.sum(middle * high * below)
    third = 8 * float(cubes + 6 * np.sum(middle * below * above))
    degrees = 8 * second**3 / third**2
    away = harmonic(rows) * squared / 2 - first * sum(rows) / (sum(rows) - 1)
    at = degrees + away * np.sqrt(2 * degrees / second)
    return float(chdtrc(degrees, at)) if at > 0 else 1.0


def _effect(squared: float, widths: Points, left: Points, right: Points, rows: tuple[int, int]) -> Measure:
    share = (rows[0] * left + rows[1] * right) / sum(rows)
    unit = np.sqrt(2 * np.sum(widths * share * (1 - share)))
    noise = [np.sum(widths * side * (1 - side)) / n for side, n in zip((left, right), rows, strict=True)]
    reach = quantile(LEVEL) * np.sqrt(2 * sum(noise)) / unit
    value = float(np.sqrt(squared) / unit)
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
