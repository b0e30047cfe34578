import numpy as np
from numpy.typing import NDArray

from cellops.stats.tilts import Numbers, geometric, mixed

TILTS = geometric(6.0, 26)
"""Of the logarithm of the odds."""


def share_evidence(
    successes: Numbers, trials: Numbers, share: Numbers, *, above: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Evidence of a share lying above this one, or below, which may be looked at after every trial.

    .. math:: \log E_n(p) = \log \frac{1}{K} \sum_k \exp\left(\lambda_k s - n \log(1 - p + p e^{\lambda_k})\right)

    It is the likelihood of the trials, mixed over shares on one side of this one, over their likelihood at this one. If
    the share is no further to that side, its exponential is a supermartingale that begins at 1, so by Ville's
    inequality it ever reaches :math:`1 / \alpha` no more often than :math:`\alpha`.

    Parameters
    ----------
    successes, trials
        How many there were until now; shapes that go together. They need not be whole, for a look ahead.
    share
        From 0 to 1.
    above
        Whether the evidence is of the true share lying above it.

    Returns
    -------
    tuple of numpy.ndarray
        The logarithm of the evidence, which is convex in the share, and its slope there.

    References
    ----------
    Robbins, Statistical methods related to the law of the iterated logarithm, Ann. Math. Statist. 41 (1970), eq. 3;
    Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Ann. Statist.
    49 (2021), section 3.4, for mixtures of a geometric series.

    Examples
    --------
    >>> evidence, slope = share_evidence(30, 100, np.array([0.05, 0.3]), above=True)
    >>> evidence.round(2)
    array([28.17, -0.4 ])
    """
    s, n, p = (np.asarray(given, dtype=np.float64)[..., None] for given in (successes, trials, share))
    tilts = TILTS if above else -TILTS
    odds = np.expm1(tilts)
    moment = 1 + p * odds
    return mixed(tilts * s - n * np.log(moment), -n * odds / moment)
