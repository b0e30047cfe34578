"""How far predicted numbers lie from the true ones: MAE, RMSE and R²."""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.records.contract import Measure
from cellops.stats.interval import normal
from cellops.stats.mean import mean

Floats: TypeAlias = NDArray[np.float64]


def mae(truth: ArrayLike, predicted: ArrayLike, *, level: float = 0.95) -> Measure | None:
    r"""Mean absolute error, :math:`\frac1n \sum |y - \hat y|`, with the normal interval of the mean.

    Parameters
    ----------
    truth, predicted
        Shape (rows,), in the unit of the target.
    level
        Confidence level of the interval.

    Returns
    -------
    Measure or None
        In the unit of the target; None for no rows or infinite residuals.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.

    References
    ----------
    Hyndman and Koehler, Another look at measures of forecast accuracy, Int. J. Forecast. 22 (2006), section 2.1.

    Examples
    --------
    >>> mae([1.0, 2.0], [2.0, 4.0]).value
    1.5
    """
    return mean("mae", np.abs(_residuals(truth, predicted)), level=level)


def rmse(truth: ArrayLike, predicted: ArrayLike, *, level: float = 0.95) -> Measure | None:
    r"""Root mean squared error, :math:`\sqrt{\frac1n \sum (y - \hat y)^2}`; the interval is the root of the MSE's.

    Parameters
    ----------
    truth, predicted
        Shape (rows,), in the unit of the target.
    level
        Confidence level of the interval.

    Returns
    -------
    Measure or None
        In the unit of the target, method "root of the normal interval"; None for no rows or infinite residuals.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.

    References
    ----------
    Hyndman and Koehler, Another look at measures of forecast accuracy, Int. J. Forecast. 22 (2006), section 2.1.

    Examples
    --------
    >>> rmse([1.0, 1.0], [4.0, 4.0]).value
    3.0
    """
    residuals = _residuals(truth, predicted)
    unit = _unit(residuals)
    squared = mean("rmse", (residuals / unit) ** 2, level=level) if np.isfinite(unit) else None
    if squared is None:
        return None
    low, high = (math.nan if end is None else math.sqrt(end) * unit for end in (squared.low, squared.high))
    known = math.isfinite(low) and math.isfinite(high)
    return Measure(
        name="rmse",
        value=math.sqrt(squared.value) * unit,
        low=low if known else None,
        high=high if known else None,
        level=level,
        method="root of the normal interval" if known else "",
    )


def r2(truth: ArrayLike, predicted: ArrayLike, *, level: float = 0.95) -> Measure | None:
    r"""Share of the target's variance that the predictions explain, :math:`1 - \sum (y-\hat y)^2 / \sum (y-\bar y)^2`.

    The interval is that of the delta method on the ratio of both means, rows taken as independent.

    Parameters
    ----------
    truth, predicted
        Shape (rows,), in the unit of the target.
    level
        Confidence level of the interval.

    Returns
    -------
    Measure or None
        Without unit, at most 1, method "delta method"; None for fewer than two rows, a constant target, infinite
        residuals or a figure beyond the largest float.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.

    References
    ----------
    Kvålseth, Cautionary note about R², Am. Stat. 39 (1985), equation 1; Cochran, Sampling Techniques (1977),
    section 2.11, for the error of a ratio.

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]).value
    0.5
    """
    y = np.asarray(truth, dtype=np.float64)
    residuals = _residuals(truth, predicted)
    if len(y) < 2 or y.min() == y.max() or not np.isfinite(residuals).all():  # noqa: PLR2004 a variance needs two rows
        return None
    unit = _unit(y)
    scaled = y / unit
    with np.errstate(over="ignore", invalid="ignore"):
        unexplained, total = (residuals / unit) ** 2, (scaled - scaled.mean()) ** 2
        ratio = unexplained.sum() / total.sum()
        if not np.isfinite(ratio):
            return None
        error = (unexplained - ratio * total).std(ddof=1) / total.mean() / np.sqrt(len(y))
    return normal("r2", float(1 - ratio), float(error), level=level, method="delta method", most=1.0)


def _residuals(truth: ArrayLike, predicted: ArrayLike) -> Floats:
    with np.errstate(over="ignore"):
        residuals: Floats = np.subtract(truth, predicted, dtype=np.float64)
    return residuals


def _unit(values: Floats) -> float:
    """The largest magnitude: what is divided by it can be squared and summed within the range of floats."""
    return float(np.max(np.abs(values), initial=0.0)) or 1.0
