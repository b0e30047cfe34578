import numpy as np

from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.stats.interval import normal
from cellops.stats.noncentrality import LEVEL, harmonic
from cellops.stats.result import CONSTANT, INFINITE, NOT_ENOUGH_DATA, computed, refused
from cellops.stats.tables import Table, drawn, paired, standardised

LEAST_ROWS = 2
MOST_PAIRED = 1000
"""Rows of a side up to which each row is compared with each other one."""
PERMUTATIONS = 999


def maximum_mean_discrepancy(reference: Table, current: Table) -> StatisticResult:
    r"""Kernel two-sample test: whether the rows of two tables are alike, in all their columns together.

    .. math:: \mathrm{MMD}^2 = E\,k(X, X') + E\,k(Y, Y') - 2 E\,k(X, Y), \quad
              k(x, y) = e^{-\lVert x - y \rVert^2 / 2 s^2}

    over columns in standard deviations of all rows, with s the median distance between two rows. Up to 1,000 rows a
    side all pairs are compared, and the p-value is the share of 999 random divisions of all rows into two sides, and
    the seen one, that are as far apart; their seed is fixed. With more rows each is used once, in time that grows with
    their number: the mean over pairs of rows, a p-value from its normal distribution, and much less power per row.

    Parameters
    ----------
    reference, current
        Numbers, shape (rows, columns); rows in which one is missing are left out.

    Returns
    -------
    StatisticResult
        `value` is MMD², without unit, from 0 to 2, and `p_value`; symmetric. The effect is MMD, from 0 to
        :math:`\sqrt 2`, with interval "Gretton" that holds for any number of rows; with more rows MMD² with its
        "normal" interval. Not computed: "not enough data" when a side has fewer than two whole rows, "constant" when
        all rows are equal, "infinite values" when there are some.

    Raises
    ------
    InputError
        When one is no table of numbers, or they differ in columns.

    References
    ----------
    Gretton, Borgwardt, Rasch, Schölkopf and Smola, A kernel two-sample test, J. Mach. Learn. Res. 13 (2012), equation
    5, theorem 7 for the interval, and section 6 for many rows.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> result = maximum_mean_discrepancy(random.normal(size=(80, 2)), random.normal(1, 1, size=(60, 2)))
    >>> result.method, result.p_value
    ('permutation', 0.001)
    """
    name = "maximum_mean_discrepancy"
    first, second = paired(reference, current)
    rows = len(first), len(second)
    if min(rows) < LEAST_ROWS:
        return refused(name, NOT_ENOUGH_DATA, *rows)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return refused(name, INFINITE, *rows)
    first, second = standardised(first, second)
    width = _median_distance(first, second)
    if width == 0:
        return refused(name, CONSTANT, *rows)
    if max(rows) <= MOST_PAIRED:
        value, p_value = _all_pairs(first / width, second / width)
        return computed(name, value, *rows, p_value=p_value, method="permutation", effect=_effect(value, rows))
    effect, p_value = _each_once(first / width, second / width)
    return computed(name, effect.value, *rows, p_value=p_value, method="linear time", effect=effect)


def _median_distance(first: Table, second: Table) -> float:
    """Of two rows that differ, from no more than 500 of each side."""
    from scipy.spatial.distance import pdist

    some = MOST_PAIRED // 2
    distances = pdist(np.concatenate([drawn(first, some), drawn(second, some)]))
    apart = distances[distances > 0]
    return float(np.median(apart)) if len(apart) else 0.0


def _all_pairs(first: Table, second: Table) -> tuple[float, float]:
    from scipy.spatial.distance import cdist

    both, n, m = np.concatenate([first, second]), len(first), len(second)
    kernel = np.exp(-cdist(both, both, "sqeuclidean") / 2)
    # A side is a column of weights whose product with the kernel, twice, is the squared distance of the two means.
    weights = np.repeat([1 / n, -1 / m], [n, m])
    value = float(weights @ kernel @ weights)
    shuffled = np.random.default_rng(0).permuted(np.tile(weights, (PERMUTATIONS, 1)), axis=1)
    others = np.sum((shuffled @ kernel) * shuffled, axis=1)
    as_far = int(np.count_nonzero(others >= value - 1e-12))
    return max(value, 0.0), (as_far + 1) / (PERMUTATIONS + 1)


def _each_once(first: Table, second: Table) -> tuple[Measure, float]:
    """Pairs of rows of either side, of which each is used once; the larger side gives up rows."""
    from scipy.special import ndtr

    pairs = min(len(first), len(second)) // 2
    sides = [_shuffled(side)[: 2 * pairs].reshape(pairs, 2, -1) for side in (first, second)]
    (x, x2), (y, y2) = ((side[:, 0], side[:, 1]) for side in sides)
    seen = _kernel(x, x2) + _kernel(y, y2) - _kernel(x, y2) - _kernel(x2, y)
    error = float(seen.std(ddof=1) / np.sqrt(pairs)) if pairs > 1 else float("nan")
    value = max(float(seen.mean()), 0.0)
    effect = normal("mmd_squared", value, error, level=LEVEL, method="normal", least=0.0, most=2.0)
    return effect, float(ndtr(-seen.mean() / error)) if error > 0 else 1.0


def _shuffled(table: Table) -> Table:
    """Rows that stand together are often alike, in time or in place."""
    shuffled: Table = np.random.default_rng(0).permutation(table)
    return shuffled


def _kernel(left: Table, right: Table) -> Table:
    kernel: Table = np.exp(-np.sum((left - right) ** 2, axis=1) / 2)
    return kernel


def _effect(value: float, rows: tuple[int, int]) -> Measure:
    noise = 2 * sum(1 / np.sqrt(side) for side in rows)
    reach = noise + np.sqrt(2 * np.log(2 / (1 - LEVEL)) / harmonic(rows))
    mmd, most = float(np.sqrt(value)), float(np.sqrt(2))
    return Measure(
        name="mmd",
        value=mmd,
        low=max(0.0, float(mmd - reach)),
        high=min(most, float(mmd + reach)),
        level=LEVEL,
        method="Gretton",
    )
