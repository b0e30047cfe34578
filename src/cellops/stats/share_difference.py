from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellops.stats.share_evidence import Numbers, share_evidence


@dataclass(frozen=True)
class ShareDifference:
    r"""Two shares, such as of errors, compared while the trials come in.

    .. math:: \log E(d) = \min_p \; \log E_A(p) + \log E_B(p + d)

    The evidence against a pair of shares is the product of that against each, as the arms are independent; that against
    a difference is the least of the pairs that have it. Where it is least stands in closed form.

    Parameters
    ----------
    first, first_trials
        Successes and trials of the champion; numbers, or arrays of one shape for many comparisons at once.
    second, second_trials
        Those of the challenger.

    References
    ----------
    Wasserman, Ramdas and Balakrishnan, Universal inference, PNAS 117 (2020), eq. 5; Miettinen and Nurminen, Comparative
    analysis of two rates, Statist. Med. 4 (1985), appendix, for the shares at which it is least.

    Examples
    --------
    >>> errors = ShareDifference(10, 1000, 60, 1000)
    >>> errors.against_at_most(0.005).round(2), errors.against_at_least(0.005).round(2)
    (np.float64(9.5), np.float64(0.0))
    """

    first: Numbers
    first_trials: Numbers
    second: Numbers
    second_trials: Numbers

    @property
    def ends(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def champion(self) -> float:
        return float(np.divide(self.first, self.first_trials))

    @property
    def challenger(self) -> float:
        return float(np.divide(self.second, self.second_trials))

    @property
    def value(self) -> float:
        return float(self._seen())

    def against_at_most(self, difference: Numbers) -> NDArray[np.float64]:
        """Zero where what was seen is no more than that."""
        return np.where(self._seen() > difference, self._against(difference), 0.0)

    def against_at_least(self, difference: Numbers) -> NDArray[np.float64]:
        """Zero where what was seen is no less than that."""
        return np.where(self._seen() < difference, self._against(difference), 0.0)

    def scaled(self, factor: float) -> Self:
        counts = (self.first, self.first_trials, self.second, self.second_trials)
        return type(self)(*(np.multiply(count, factor) for count in counts))

    def _seen(self) -> NDArray[np.float64]:
        rates = [
            np.divide(successes, np.maximum(trials, 1e-9))
            for successes, trials in ((self.first, self.first_trials), (self.second, self.second_trials))
        ]
        return np.asarray(rates[1] - rates[0])

    def _against(self, difference: Numbers) -> NDArray[np.float64]:
        d = np.asarray(difference, dtype=np.float64)
        share = _likeliest(self.first, self.first_trials, self.second, self.second_trials, d)
        least: NDArray[np.float64] = share_evidence(self.first, self.first_trials, share) + share_evidence(
            self.second, self.second_trials, np.clip(share + d, 0, 1)
        )
        return least


def _likeliest(
    first: Numbers, first_trials: Numbers, second: Numbers, second_trials: Numbers, d: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The share of the champion at which all trials are likeliest, when the challenger's lies by d above it."""
    x, n, y, m = (np.asarray(count, dtype=np.float64) for count in (first, first_trials, second, second_trials))
    cube = np.maximum(n + m, 1e-9)
    square = (m + 2 * n) * d - (n + m) - (x + y)
    line = (n * d - (n + m) - 2 * x) * d + x + y
    constant = x * d * (1 - d)
    middle = square / (3 * cube)
    q = middle**3 - line * square / (6 * cube**2) + constant / (2 * cube)
    reach = np.copysign(np.sqrt(np.maximum(middle**2 - line / (3 * cube), 0)), q)
    turn = np.divide(q, reach**3, out=np.zeros(np.broadcast(q, reach).shape), where=reach != 0)
    share: NDArray[np.float64] = 2 * reach * np.cos((np.pi + np.arccos(np.clip(turn, -1, 1))) / 3) - middle
    return np.clip(share, np.maximum(0, -d), np.minimum(1, 1 - d))
