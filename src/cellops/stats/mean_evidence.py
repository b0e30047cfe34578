from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.stats.tilts import Numbers, geometric, mixed

BETS = geometric(0.9, 22)
COST = -np.log1p(-BETS) - BETS


class Losses(NamedTuple):
    """Numbers from 0 to 1 as far as they came; each a number, or an array of one shape."""

    rows: Numbers
    total: Numbers
    surprise: Numbers
    """Sum of the squares of each number less a guess from 0 to 1 that was made before it was known."""


def mean_evidence(losses: Losses, mean: Numbers, *, above: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Evidence of the mean of numbers from 0 to 1 lying above this one, or below, which may be looked at at any time.

    .. math:: \log E_n(\mu) = \log \frac{1}{K} \sum_k
        \exp\left(\pm\lambda_k (S_n - n \mu) - \psi_E(\lambda_k) V_n\right),
        \quad \psi_E(\lambda) = -\log(1 - \lambda) - \lambda

    with :math:`S_n` the total and :math:`V_n` the surprise. If the mean is no further to that side, its exponential is
    a supermartingale that begins at 1. The less the numbers vary, the sooner it tells.

    Parameters
    ----------
    losses
        What came until now. Guesses of several processes may differ, as long as each was made before its number.
    mean
        From 0 to 1.
    above
        Whether the evidence is of the true mean lying above it.

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
    >>> evidence, slope = mean_evidence(Losses(rows=400, total=100, surprise=75), np.array([0.25, 0.4]), above=False)
    >>> evidence.round(2)
    array([-0.29, 12.68])
    """
    rows, total, surprise = (np.asarray(part, dtype=np.float64)[..., None] for part in losses)
    bets = BETS if above else -BETS
    away = total - rows * np.asarray(mean, dtype=np.float64)[..., None]
    return mixed(bets * away - COST * surprise, -rows * bets)
