"""Figures that stay the same along stretches of rows, row by row."""

import numpy as np
from numpy.typing import NDArray

from cellops.stats.distribution import Points


def stretched(starts: NDArray[np.intp], figures: Points, begin: int, end: int) -> Points:
    """Those at each row from begin to end.

    Parameters
    ----------
    starts
        Row at which each stretch begins, ascending, the first one 0; shape (stretches,).
    figures
        Shape (figures, stretches).

    Returns
    -------
    ndarray
        Shape (figures, end - begin).

    Examples
    --------
    >>> stretched(np.array([0, 3, 5]), np.array([[7.0, 8.0, 9.0]]), 2, 6)
    array([[7., 8., 8., 9.]])
    """
    first, last = int(np.searchsorted(starts, begin, side="right")) - 1, int(np.searchsorted(starts, end))
    bounds = np.concatenate([[begin], starts[first + 1 : last], [end]])
    return np.repeat(figures[:, first:last], np.diff(bounds), axis=1)
