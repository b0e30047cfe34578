import numpy as np
from numpy.typing import ArrayLike

from cellops.records.contract import Measure
from cellops.stats.mean import mean


def log_loss(codes: ArrayLike, probabilities: ArrayLike, *, level: float = 0.95) -> Measure | None:
    r"""Log loss: the mean surprise, in nats, at the class that came.

    .. math:: -\frac1n \sum_t \ln p_{t, c_t}

    Probabilities are kept one rounding step away from 0 and 1, so that one certain mistake costs 36 and not infinity.

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
        In nats, from 0 up, smaller is better; normal interval of the mean, None for no rows.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.

    References
    ----------
    Good, Rational decisions, J. R. Statist. Soc. B 14 (1952), section 8.

    Examples
    --------
    >>> round(log_loss([0, 1], [[0.9, 0.1], [0.4, 0.6]]).value, 4)
    0.3081
    """
    probability = np.asarray(probabilities, dtype=np.float64)
    code = np.asarray(codes, dtype=np.intp)
    step = np.finfo(np.float64).eps
    came = np.clip(probability[np.arange(len(code)), code], step, 1 - step)
    return mean("log_loss", -np.log(came), level=level)
