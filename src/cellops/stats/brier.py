import numpy as np
from numpy.typing import ArrayLike

from cellops.records.contract import Measure
from cellops.stats.mean import mean


def brier(codes: ArrayLike, probabilities: ArrayLike, *, level: float = 0.95) -> Measure | None:
    r"""Brier score: the mean squared distance of the probabilities from what happened.

    .. math:: \frac1n \sum_t \sum_k (p_{tk} - o_{tk})^2

    For two classes the half of it, which is the squared error of the positive class alone, as is customary.

    Parameters
    ----------
    codes
        Index of the class that each row had, shape (rows,).
    probabilities
        Shape (rows, classes), in the same order of classes.
    level
        Confidence level of the interval.

    Returns
    -------
    Measure or None
        From 0 to 1 for two classes, else to 2, smaller is better; normal interval of the mean, None for no rows.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.

    References
    ----------
    Brier, Verification of forecasts expressed in terms of probability, Mon. Weather Rev. 78 (1950), equation 2.

    Examples
    --------
    >>> round(brier([0, 1], [[0.9, 0.1], [0.4, 0.6]]).value, 4)
    0.085
    """
    probability = np.asarray(probabilities, dtype=np.float64)
    happened = np.eye(probability.shape[1])[np.asarray(codes, dtype=np.intp)]
    squared = np.sum((probability - happened) ** 2, axis=1)
    return mean("brier", squared / 2 if probability.shape[1] == 2 else squared, level=level)  # noqa: PLR2004 two classes
