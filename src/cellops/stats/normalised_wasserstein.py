from cellops.records.drift import StatisticResult
from cellops.stats.moved import moved, spread_error
from cellops.stats.result import ALL_MISSING, CONSTANT, GRID, INFINITE, computed, refused
from cellops.stats.samples import Values, distribution


def normalised_wasserstein(reference: Values, current: Values) -> StatisticResult:
    r"""First Wasserstein distance in standard deviations of the reference, so that columns can be ranked by it.

    .. math:: W_1 / \sigma_{ref}, \quad W_1 = \int |F(x) - G(x)| \, dx

    Parameters
    ----------
    reference, current
        Values, or sketches of those that are there; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` in standard deviations, from 0 up, not symmetric; it is the effect, with the interval of
        `cellops.stats.moved`, where the standard deviation is taken as known. Where a side is a grid it is off by no
        more than `error`. Not computed: "all missing" when a side has no values, "constant" when the reference has one
        value only, "infinite values" when there are infinite ones or the distance is beyond the largest float, "known
        from a grid only" when that leaves the standard deviation open.

    Raises
    ------
    InputError
        When values are not numbers, or a sketch is not one: values that do not ascend, or counts that do not rise.

    References
    ----------
    Vallender, Calculation of the Wasserstein distance between probability distributions on the line, Theory Probab.
    Appl. 18 (1974); a quotient such as Glass's, Integrating findings, Rev. Res. Educ. 5 (1977), for the unit.

    Examples
    --------
    >>> normalised_wasserstein([1.0, 3.0], [2.0, 4.0]).value
    1.0
    """
    name, first, second = "normalised_wasserstein", distribution(reference), distribution(current)
    rows = first.rows, second.rows
    if not all(rows):
        return refused(name, ALL_MISSING, *rows)
    if moved(name, first, second) is None:
        return refused(name, INFINITE, *rows)
    unit, unit_error = first.spread.deviation, spread_error(first)
    if unit == 0:
        return refused(name, CONSTANT, *rows)
    if unit_error >= unit:
        return refused(name, GRID, *rows)
    effect = moved(name, first, second, unit=unit)
    if effect is None:
        return refused(name, INFINITE, *rows)
    error = (first.distance_error + second.distance_error + effect.value * unit_error) / (unit - unit_error)
    return computed(name, effect.value, *rows, error=error, effect=effect)
