import numpy as np

from cellops.records.drift import StatisticResult
from cellops.records.profile import QuantileSketch
from cellops.stats.result import ALL_MISSING, INFINITE, computed, refused
from cellops.stats.samples import cumulative_share, points_of, rows_of


def wasserstein(reference: QuantileSketch, current: QuantileSketch) -> StatisticResult:
    r"""First Wasserstein distance: how far the average row would have to be moved to make one side the other.

    .. math:: W_1 = \int |F(x) - G(x)| \, dx

    Against exact sketches it equals `scipy.stats.wasserstein_distance`; against a grid it reads the distribution
    functions in the middle between two points.

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
    at = points_of(reference, current)
    if np.max(np.abs(at)) >= np.finfo(np.float64).max:
        return refused("wasserstein", INFINITE, *rows)
    with np.errstate(over="ignore", invalid="ignore"):
        widths = np.diff(at)
        middles = at[:-1] + widths / 2
        gaps = np.abs(cumulative_share(reference, middles) - cumulative_share(current, middles))
        distance = np.sum(gaps * widths)
    if not np.isfinite(distance):
        return refused("wasserstein", INFINITE, *rows)
    return computed("wasserstein", distance, *rows)
