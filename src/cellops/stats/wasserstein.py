import numpy as np

from cellops.records.drift import StatisticResult
from cellops.records.profile import QuantileSketch
from cellops.stats.result import ALL_MISSING, INFINITE, computed, refused
from cellops.stats.samples import area_between, distance_error, distribution, points_of, rows_of


def wasserstein(reference: QuantileSketch, current: QuantileSketch) -> StatisticResult:
    r"""First Wasserstein distance: how far the average row would have to be moved to make one side the other.

    .. math:: W_1 = \int |F(x) - G(x)| \, dx

    Between exact sketches it equals `scipy.stats.wasserstein_distance`; where a side is a grid it is off by no more
    than the `error` of the result, for the distance of each grid from its rows was measured when it was made.

    Parameters
    ----------
    reference, current
        Sketches of the values that are there; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` in the unit of the column (seconds for times), from 0 up, symmetric. Not computed: "all missing" when a
        side has no values, "infinite values" when there are infinite ones or the distance is beyond the largest float.

    Raises
    ------
    InputError
        When a sketch is not one: values that do not ascend, or counts that do not rise.

    References
    ----------
    Vallender, Calculation of the Wasserstein distance between probability distributions on the line, Theory Probab.
    Appl. 18 (1974).

    Examples
    --------
    >>> here = QuantileSketch(values=(1.0, 2.0), cumulative=(30, 60))
    >>> there = QuantileSketch(values=(3.0, 4.0), cumulative=(30, 60))
    >>> wasserstein(here, there).value
    2.0
    """
    rows = rows_of(reference), rows_of(current)
    if not all(rows):
        return refused("wasserstein", ALL_MISSING, *rows)
    first, second = distribution(reference), distribution(current)
    if np.max(np.abs(points_of(first, second))) >= np.finfo(np.float64).max:
        return refused("wasserstein", INFINITE, *rows)
    distance, error = area_between(first, second), distance_error(reference) + distance_error(current)
    if not np.isfinite(distance) or not np.isfinite(error):
        return refused("wasserstein", INFINITE, *rows)
    return computed("wasserstein", distance, *rows, error=error)
