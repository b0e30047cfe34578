"""Limiting distributions of the tests that add up squared gaps between two distribution functions."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cellops.stats.distribution import Points

INTERVALS = 64
"""Intervals of the alternating sum; at the smallest figures asked for the next one is below rounding."""
NODES = 64
LEAST_CRAMER_VON_MISES = 0.003
LEAST_ANDERSON_DARLING = 0.03
"""Figures below which the p-value is one to fifteen digits."""
TWO = 2
STEPS = 4000
"""Points of the contour, from its middle to where nothing is left: the trapezoidal sum is exact to rounding."""


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


def anderson_darling_tail(x: float, *, samples: int = TWO) -> float:
    r"""Probability that :math:`\sum_j Z_j^2 / j (j + 1)` exceeds x, to a relative error of about 1e-12.

    For k samples :math:`Z_j^2` is chi-squared with k - 1 degrees of freedom.

    Examples
    --------
    >>> round(anderson_darling_tail(2.4924), 5)
    0.05
    """
    if x < LEAST_ANDERSON_DARLING:
        return 1.0
    if samples > TWO:
        return _inverted(x, samples - 1)
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


def _inverted(x: float, degrees: int) -> float:
    r"""The same for any number of degrees, by inverting the moment generating function.

    .. math:: P(Q > x) = \frac{1}{2 \pi i} \int_C M(s) \, e^{-sx} \, \frac{ds}{s}, \quad
              M(s) = \Big( \frac{-2 \pi s}{\cos (\pi \sqrt{1 + 8 s} / 2)} \Big)^{(k - 1) / 2}

    along a parabola C around all singular points, through the one between zero and the first of them where the
    integrand is least, so that nothing cancels.

    Scholz and Stephens, K-sample Anderson-Darling tests (1987), section 2, for M; Rice, Saddle point approximation of
    tail probabilities, Biometrika 67 (1980), for the contour.
    """
    beside = 1 - np.geomspace(1e-9, 1 - 1e-9, STEPS)  # ever closer to the first singular point, where far tails are
    height = _log_moment(beside.astype(np.complex128), degrees).real - x * beside - np.log(beside)
    middle = float(beside[np.argmin(height)])
    scale = min(middle, 1 - middle)
    reach = float(np.arcsinh(np.sqrt(60 / x + 60.0) / scale))
    t = np.linspace(0, reach, STEPS)
    up, step = scale * np.sinh(t), scale * np.cosh(t)
    s = middle + up**2 + 1j * up
    terms = (np.exp(_log_moment(s, degrees) - s * x) / s * (2 * up + 1j) * step).imag
    terms[0] /= 2
    return float(np.clip(np.sum(terms) * t[1] / np.pi, 0.0, 1.0))


def _log_moment(s: NDArray[np.complex128], degrees: int) -> NDArray[np.complex128]:
    """Logarithm of M above the real axis, or on it between zero and one, without a jump."""
    root = np.sqrt(1 + 8 * s)
    cosine = -0.5j * np.pi * root + np.log1p(np.exp(1j * np.pi * root)) - np.log(2)
    moment: NDArray[np.complex128] = degrees / 2 * (np.log(2 * np.pi * s) - 1j * np.pi - cosine)
    return moment
