import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.errors import InputError
from cellops.records.contract import Measure
from cellops.stats.interval import normal, quantile


def roc_auc(positive: ArrayLike, scores: ArrayLike, *, level: float = 0.95) -> Measure | None:
    r"""Area under the ROC curve with DeLong's interval: how often a positive row scores above a negative one.

    .. math:: A = \frac{1}{mn} \sum_{i,j} \psi(x_i, y_j), \quad
              \mathrm{var}(A) = \frac{S_{10}}{m} + \frac{S_{01}}{n}

    where ψ is 1 above, 1/2 at a tie and 0 below, and S are the sample variances of its row and column means over the
    m positive and n negative rows. Both come from midranks, so the cost is that of sorting.

    Parameters
    ----------
    positive
        Whether each row is positive, shape (rows,).
    scores
        Score of each row, larger for positive; shape (rows,).
    level
        Confidence level of the interval.

    Returns
    -------
    Measure or None
        From 0 to 1, method "DeLong"; None when all rows are of one class, and no interval when a class has one row.
        Where the classes do not overlap that interval has no width; then it is the score interval with the largest
        variance that an area can have, A(1 - A) / min(m, n), and the method "Birnbaum-Klose".

    Raises
    ------
    InputError
        When the two differ in length, a score is NaN, or the level is not between 0 and 1.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated receiver operating
    characteristic curves, Biometrics 44 (1988); Sun and Xu, Fast implementation of DeLong's algorithm, IEEE Signal
    Process. Lett. 21 (2014), for the midranks; Birnbaum and Klose, Bounds for the variance of the Mann-Whitney
    statistic, Ann. Math. Statist. 28 (1957), for the largest variance.

    Examples
    --------
    >>> roc_auc([False, False, True, True], [0.1, 0.4, 0.35, 0.8]).value
    0.75
    """
    is_positive, score = np.asarray(positive, dtype=bool), np.asarray(scores, dtype=np.float64)
    if is_positive.shape != score.shape or np.isnan(score).any():
        fact = "Each row needs one score that is a number"
        raise InputError(fact, received=(is_positive.shape, score.shape), remedy="Leave out rows without a score")
    above, below = score[is_positive], score[~is_positive]
    m, n = len(above), len(below)
    if not m or not n:
        return None
    midranks = _midranks(score)
    beats = (midranks[is_positive] - _midranks(above)) / n
    beaten = 1 - (midranks[~is_positive] - _midranks(below)) / m
    error = np.sqrt(beats.var(ddof=1) / m + beaten.var(ddof=1) / n) if min(m, n) > 1 else np.nan
    if error == 0:
        return _separated(float(beats.mean()), min(m, n), level)
    return normal("roc_auc", float(beats.mean()), float(error), level=level, method="DeLong", least=0.0, most=1.0)


def _separated(area: float, rows: int, level: float) -> Measure:
    """The area with a score interval of the largest variance, for the rows of the smaller class."""
    spread = quantile(level) ** 2 / rows
    middle = (area + spread / 2) / (1 + spread)
    reach = np.sqrt(spread * area * (1 - area) + spread**2 / 4) / (1 + spread)
    low, high = max(0.0, min(area, float(middle - reach))), min(1.0, max(area, float(middle + reach)))
    return Measure(name="roc_auc", value=area, low=low, high=high, level=level, method="Birnbaum-Klose")


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of each value from 1, ties sharing the middle one; shape kept."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    middle: NDArray[np.float64] = last - (count - 1) / 2
    return middle[place]
