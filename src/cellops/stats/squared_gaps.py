"""Limiting distributions of the tests that add up squared gaps between two distribution functions."""

from collections.abc import Callable

import numpy as np

from cellops.stats.samples import Points

INTERVALS = 64
"""Intervals of the alternating sum; at the smallest figures asked for the next one is below rounding."""
NODES = 64
LEAST_CRAMER_VON_MISES = 0.003
LEAST_ANDERSON_DARLING = 0.03
"""Figures below which the p-value is one to fifteen digits."""


def cramer_von_mises_tail(x: float) -> float:
    r"""Probability that :math:`\sum_j Z_j^2 / (j \pi)^2` exceeds x, to a relative error of about 1e-12.

    Examples
    --------
    >>> round(cramer_von_mises_tail(0.46136), 5)
    0.05
    """
    if x < LEAST_CRAMER_VON_MISES:
        return 1.0
    return _alternating(lambda v: np.exp(-x * (np.pi * v / 2) ** 2 / 2) / np.sqrt(np.pi * v / 2), shift=-1.0)


def anderson_darling_tail(x: float) -> float:
    r"""Probability that :math:`\sum_j Z_j^2 / j (j + 1)` exceeds x, to a relative error of about 1e-12.

    Examples
    --------
    >>> round(anderson_darling_tail(2.4924), 5)
    0.05
    """
    if x < LEAST_ANDERSON_DARLING:
        return 1.0
    return _alternating(lambda v: np.exp(-x * (v * v - 1) / 8) * v / np.sqrt((v * v - 1) * np.pi), shift=0.0)


def _alternating(rest: Callable[[Points], Points], *, shift: float) -> float:
    r"""Smirnov's formula for the upper tail of a sum of weighted squares of normal variables.

    .. math:: P(Q > x) = \frac1\pi \sum_k (-1)^{k+1} \int_{1/\lambda_{2k-1}}^{1/\lambda_{2k}}
              \frac{e^{-xu/2}}{u \sqrt{|D(u)|}} \, du, \quad D(u) = \prod_j (1 - \lambda_j u)

    For both tests D is a sine over what is smooth; the ends of its intervals are where the sine is zero, and a sine as
    variable of integration makes the integrand smooth there too.

    Smirnov, Sur la distribution de ω², C. R. Acad. Sci. Paris 202 (1936); Martynov, The Omega Squared Tests (1978).
    """
    angle = (np.arange(NODES, dtype=np.float64) + 0.5) * np.pi / NODES - np.pi / 2
    side: Points = np.sin(angle)
    weight = np.cos(angle) / np.sqrt(np.cos(np.pi * side / 2)) * np.pi / NODES
    k = np.arange(1, INTERVALS + 1)
    at: Points = 4.0 * k[:, None] + shift + side
    terms = rest(at) @ weight
    return float(np.clip(np.sum(terms * np.where(k % 2, 1, -1)), 0.0, 1.0))
