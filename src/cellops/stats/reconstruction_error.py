import numpy as np

from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.stats.interval import quantile
from cellops.stats.noncentrality import LEVEL
from cellops.stats.result import CONSTANT, INFINITE, NOT_ENOUGH_DATA, computed, refused
from cellops.stats.tables import Table, paired, within_range

EXPLAINED = 0.65
"""Share of the variance that the components keep, as in NannyML."""
LEAST_ROWS = 20


def reconstruction_error(reference: Table, current: Table) -> StatisticResult:
    r"""How much worse the main components of the reference reconstruct the current rows: a change between columns.

    .. math:: \Delta = |\bar e_{cur} - \bar e_{ref}| / s_{e, ref}, \quad
              e(x) = \lVert (x - \bar x) - V V^T (x - \bar x) \rVert

    over columns in standard deviations of the reference, with V the components that hold 65 % of its variance. It sees
    columns whose correlation is lost though each alone has not moved. A model reconstructs the rows that it was made
    of too well; therefore each half of the reference, drawn with a fixed seed, is reconstructed by the components of
    the other, and a current row has the mean error of both.

    Parameters
    ----------
    reference, current
        Numbers, shape (rows, columns); rows in which one is missing are left out.

    Returns
    -------
    StatisticResult
        `value` in standard deviations of the error, from 0 up, and `p_value` of Welch's test; not symmetric. It is the
        effect, with a "normal" interval. Not computed: "not enough data" when a side has fewer than twenty whole rows,
        or there is one column; "constant" when the components leave no error, "infinite values" when there are some.

    Raises
    ------
    InputError
        When one is no table of numbers, or they differ in columns.

    References
    ----------
    Jackson and Mudholkar, Control procedures for residuals associated with principal component analysis, Technometrics
    21 (1979), for the error; Welch, The generalization of Student's problem, Biometrika 34 (1947).

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> one, other = random.normal(size=(2, 400, 1)), random.normal(size=(2, 400, 2))
    >>> reconstruction_error(one[0] + other[0] / 9, other[1]).p_value < 1e-12
    True
    """
    name, (first, second) = "reconstruction_error", paired(reference, current)
    rows = len(first), len(second)
    if min(rows) < LEAST_ROWS or first.shape[1] == 1:
        return refused(name, NOT_ENOUGH_DATA, *rows)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return refused(name, INFINITE, *rows)
    before, after = _errors(first, second)
    unit = float(before.std(ddof=1))
    if unit <= np.sqrt(np.finfo(np.float64).eps):
        return refused(name, CONSTANT, *rows)
    return _compared(name, before, after, unit)


def _compared(name: str, before: Table, after: Table, unit: float) -> StatisticResult:
    from scipy.stats import ttest_ind

    rows = len(before), len(after)
    value = float(abs(after.mean() - before.mean()) / unit)
    reach = quantile(LEVEL) * float(np.sqrt(before.var(ddof=1) / rows[0] + after.var(ddof=1) / rows[1])) / unit
    effect = Measure(
        name=name, value=value, low=max(0.0, value - reach), high=value + reach, level=LEVEL, method="normal"
    )
    p_value = float(ttest_ind(before, after, equal_var=False).pvalue)
    return computed(name, value, *rows, p_value=p_value, method="Welch", effect=effect)


def _errors(first: Table, second: Table) -> tuple[Table, Table]:
    """Error of each row, in its order; shapes (reference rows,) and (current rows,)."""
    first, second = within_range(first, second)
    middle, unit = first.mean(axis=0), first.std(axis=0)
    unit[unit <= np.finfo(np.float64).eps] = 1.0
    first, second = (first - middle) / unit, (second - middle) / unit
    halves = np.array_split(np.random.default_rng(0).permutation(len(first)), 2)
    before, after = np.zeros(len(first)), np.zeros(len(second))
    for known, held in (halves, halves[::-1]):
        before[held] = _left_over(first[known], first[held])
        after += _left_over(first[known], second) / 2
    return before, after


def _left_over(known: Table, rows: Table) -> Table:
    middle = known.mean(axis=0)
    _, weights, components = np.linalg.svd(known - middle, full_matrices=False)
    explained = np.cumsum(weights**2) / max(float(np.sum(weights**2)), np.finfo(np.float64).tiny)
    # What is kept leaves at least one direction in which the rows differ, where there are two.
    directions = int(np.count_nonzero(weights > weights[0] * len(known) * np.finfo(np.float64).eps))
    kept = components[: max(1, min(int(np.searchsorted(explained, EXPLAINED)) + 1, directions - 1))]
    apart = rows - middle
    errors: Table = np.linalg.norm(apart - apart @ kept.T @ kept, axis=1)
    return errors
