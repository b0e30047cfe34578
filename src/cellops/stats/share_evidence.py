import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, xlog1py, xlogy

Numbers = float | NDArray[np.float64]
"""One, or an array of them."""
HALF = 0.5
"""Both parameters of the mixture: that of Jeffreys, which is nearly best whatever the share is."""


def share_evidence(successes: Numbers, trials: Numbers, share: Numbers) -> NDArray[np.float64]:
    r"""Evidence against a share being this one, which may be looked at after every trial.

    .. math:: \log E_n(p) = \log \frac{B(s + 1/2, n - s + 1/2)}{B(1/2, 1/2)\, p^s (1 - p)^{n - s}}

    It is the likelihood of the trials, mixed over all shares, over their likelihood at this one. If the share is right,
    its exponential is a martingale that begins at 1, so by Ville's inequality it ever reaches
    :math:`1 / \alpha` no more often than :math:`\alpha`.

    Parameters
    ----------
    successes, trials
        How many there were until now; shapes that go together. They need not be whole, for a look ahead.
    share
        From 0 to 1.

    Returns
    -------
    numpy.ndarray
        The logarithm of the evidence; infinite where the trials cannot be with this share.

    References
    ----------
    Robbins, Statistical methods related to the law of the iterated logarithm, Ann. Math. Statist. 41 (1970), eq. 3;
    Krichevsky and Trofimov, The performance of universal encoding, IEEE Trans. Inf. Theory 27 (1981), for the mixture.

    Examples
    --------
    >>> share_evidence(30, 100, np.array([0.05, 0.3])).round(2)
    array([29.84, -2.53])
    """
    s, n, p = (np.asarray(given, dtype=np.float64) for given in (successes, trials, share))
    mixed = betaln(s + HALF, n - s + HALF) - np.log(np.pi)
    evidence: NDArray[np.float64] = mixed - xlogy(s, p) - xlog1py(n - s, -p)
    return evidence
