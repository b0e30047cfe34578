"""A mixture of many bets, bold and timid: none need be chosen before it is known how many rows there will be."""

import numpy as np
from numpy.typing import NDArray

Numbers = float | NDArray[np.float64]
"""One, or an array of them."""


def geometric(boldest: float, bets: int) -> NDArray[np.float64]:
    """Each two thirds of the one before: the boldest tells first, the most timid after a thousand million rows.

    Examples
    --------
    >>> geometric(0.9, 4).round(3)
    array([0.9  , 0.6  , 0.4  , 0.267])
    """
    return boldest * 1.5 ** -np.arange(float(bets))


def mixed(wins: NDArray[np.float64], slopes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The logarithm of the mean of what bets won, whose logarithms and slopes stand along the last axis; its slope.

    Examples
    --------
    >>> won, slope = mixed(np.log([1.0, 3.0]), np.array([0.0, 4.0]))
    >>> round(float(np.exp(won)), 3), float(slope)
    (2.0, 3.0)
    """
    highest = wins.max(axis=-1, keepdims=True)
    parts = np.exp(wins - highest)
    sums = parts.sum(axis=-1)
    won: NDArray[np.float64] = np.log(sums / wins.shape[-1]) + highest[..., 0]
    return won, (parts * slopes).sum(axis=-1) / sums
