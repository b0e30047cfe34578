import numpy as np
from numpy.typing import ArrayLike

from cellops.records.contract import Measure
from cellops.stats.interval import normal


def mean(name: str, losses: ArrayLike, *, level: float = 0.95) -> Measure | None:
    r"""The mean of a loss over rows with its normal interval; Brier score, log loss and MAE are such means.

    .. math:: \bar x \pm z \, s / \sqrt n

    Parameters
    ----------
    name
        What the loss is called.
    losses
        Loss of each row, from 0 up; shape (rows,).
    level
        Confidence level of the interval.

    Returns
    -------
    Measure or None
        In the unit of the loss, method "normal"; no interval for one row, None for no rows or for a loss that is not
        finite.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.

    References
    ----------
    The central limit theorem; Wasserman, All of Statistics (2004), theorem 6.16.

    Examples
    --------
    >>> figure = mean("mae", [1.0, 3.0, 2.0, 2.0])
    >>> figure.value, round(figure.low, 2), round(figure.high, 2)
    (2.0, 1.2, 2.8)
    """
    loss = np.asarray(losses, dtype=np.float64)
    if not len(loss) or not np.isfinite(loss).all():
        return None
    unit = (
        float(loss.max()) or 1.0
    )  # neither the sum of large losses nor the square of small ones leaves the range of floats
    scaled = loss / unit
    error = scaled.std(ddof=1) / np.sqrt(len(loss)) if len(loss) > 1 else np.nan
    return normal(name, float(scaled.mean()) * unit, float(error) * unit, level=level, method="normal", least=0.0)
