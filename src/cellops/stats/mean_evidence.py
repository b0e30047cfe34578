from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.stats.share_evidence import Numbers

BETS = 0.9 * 1.5 ** -np.arange(24.0)
"""How boldly each part of the mixture bets: the boldest is best after some rows, the most timid after a thousand
million.
"""
COST = -np.log1p(-BETS) - BETS
BOTH = np.concatenate([BETS, -BETS])
BOTH_COST = np.concatenate([COST, COST])


class Losses(NamedTuple):
    """Numbers from 0 to 1 as far as they came; each a number, or an array of one shape."""

    rows: Numbers
    total: Numbers
    surprise: Numbers
    """Sum of the squares of each number less a guess that was made before it was known."""


def mean_evidence(losses: Losses, mean: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Evidence against the mean of numbers from 0 to 1 being this one, which may be looked at after every row.

    .. math:: \log E_n(\mu) = \log \sum_k w_k \exp\left(\lambda_k (S_n - n \mu) - \psi_E(|\lambda_k|) V_n\right),
        \quad \psi_E(\lambda) = -\log(1 - \lambda) - \lambda

    with :math:`S_n` the total and :math:`V_n` the surprise, mixed over bets of either sign. If the mean is right, its
    exponential is a supermartingale that begins at 1. The less the numbers vary, the sooner it tells.

    Parameters
    ----------
    losses
        What came until now. Guesses of several processes may differ, as long as each was made before its number.
    mean
        From 0 to 1.

    Returns
    -------
    tuple of numpy.ndarray
        The logarithm of the evidence, which is convex in the mean, and its slope there.

    References
    ----------
    Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Ann. Statist.
    49 (2021), theorem 4, for numbers and guesses; Waudby-Smith and Ramdas, Estimating means of bounded random variables
    by betting, J. R. Statist. Soc. B 86 (2024), theorem 2.

    Examples
    --------
    >>> evidence, slope = mean_evidence(Losses(rows=400, total=100, surprise=75), np.array([0.25, 0.4]))
    >>> evidence.round(2)
    array([-0.26, 11.9 ])
    """
    rows, total, surprise = (np.asarray(part, dtype=np.float64) for part in losses)
    away = (total - rows * np.asarray(mean, dtype=np.float64))[..., None]
    wins = BOTH * away - BOTH_COST * surprise[..., None]
    highest = wins.max(axis=-1, keepdims=True)
    parts = np.exp(wins - highest)
    sums = parts.sum(axis=-1)
    evidence: NDArray[np.float64] = np.log(sums / len(BOTH)) + highest[..., 0]
    return evidence, -rows * (parts @ BOTH) / sums
