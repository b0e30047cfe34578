from cellops.records.drift import StatisticResult
from cellops.stats.moved import moved
from cellops.stats.result import ALL_MISSING, INFINITE, computed, refused
from cellops.stats.samples import Values, distribution


def wasserstein(reference: Values, current: Values) -> StatisticResult:
    r"""First Wasserstein distance: how far the average row would have to be moved to make one side the other.

    .. math:: W_1 = \int |F(x) - G(x)| \, dx

    Between values, or exact sketches of them, it equals `scipy.stats.wasserstein_distance`; where a side is a grid it
    is off by no more than the `error` of the result, for the distance of each grid from its rows was measured when it
    was made.

    Parameters
    ----------
    reference, current
        Values, or sketches of those that are there; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` in the unit of the column (seconds for times), from 0 up, symmetric; it is the effect, with the
        interval of `cellops.stats.moved`. Not computed: "all missing" when a side has no values, "infinite values" when
        there are infinite ones or the distance is beyond the largest float.

    Raises
    ------
    InputError
        When values are not numbers, or a sketch is not one: values that do not ascend, or counts that do not rise.

    References
    ----------
    Vallender, Calculation of the Wasserstein distance between probability distributions on the line, Theory Probab.
    Appl. 18 (1974).

    Examples
    --------
    >>> from cellops.records.profile import QuantileSketch
    >>> here = QuantileSketch(values=(1.0, 2.0), cumulative=(30, 60))
    >>> there = QuantileSketch(values=(3.0, 4.0), cumulative=(30, 60))
    >>> wasserstein(here, there).value
    2.0
    """
    first, second = distribution(reference), distribution(current)
    rows = first.rows, second.rows
    if not all(rows):
        return refused("wasserstein", ALL_MISSING, *rows)
    effect = moved("wasserstein", first, second)
    if effect is None:
        return refused("wasserstein", INFINITE, *rows)
    error = first.distance_error + second.distance_error
    return computed("wasserstein", effect.value, *rows, error=error, effect=effect)
