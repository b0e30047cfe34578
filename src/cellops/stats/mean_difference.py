from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellops.stats.mean_evidence import Losses, mean_evidence
from cellops.stats.share_evidence import Numbers

HALVINGS = 20


@dataclass(frozen=True)
class MeanDifference:
    r"""Two means of numbers from 0 to 1, such as of losses, compared while the labels come in.

    .. math:: \log E(d) = \min_\mu \; \log E_A(\mu) + \log E_B(\mu + d)

    Parameters
    ----------
    first, second
        Losses of champion and challenger; numbers, or arrays of one shape for many comparisons at once.

    References
    ----------
    As `mean_evidence`; the arms are independent, so evidence against a pair of means is a product, and that against a
    difference the least of the pairs that have it.

    Examples
    --------
    >>> wrong = MeanDifference(Losses(1000, 100, 90), Losses(1000, 200, 160))
    >>> wrong.against_at_most(0.02).round(2), wrong.against_at_least(0.02).round(2)
    (np.float64(4.45), np.float64(0.0))
    """

    first: Losses
    second: Losses

    @property
    def ends(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def champion(self) -> float:
        return float(_mean(self.first))

    @property
    def challenger(self) -> float:
        return float(_mean(self.second))

    @property
    def value(self) -> float:
        return self.challenger - self.champion

    def against_at_most(self, difference: Numbers) -> NDArray[np.float64]:
        """Zero where what was seen is no more than that."""
        return np.where(_mean(self.second) - _mean(self.first) > difference, self._against(difference), 0.0)

    def against_at_least(self, difference: Numbers) -> NDArray[np.float64]:
        """Zero where what was seen is no less than that."""
        return np.where(_mean(self.second) - _mean(self.first) < difference, self._against(difference), 0.0)

    def scaled(self, factor: float) -> Self:
        first, second = (Losses(*(np.multiply(part, factor) for part in arm)) for arm in (self.first, self.second))
        return type(self)(first, second)

    def _against(self, difference: Numbers) -> NDArray[np.float64]:
        """Each arm's is convex and least at its own mean: so the sum is least between them, where its slope is zero."""
        d = np.asarray(difference, dtype=np.float64)
        ends = np.stack(np.broadcast_arrays(_mean(self.first), _mean(self.second) - d))
        low, high = np.clip(np.sort(ends, axis=0), np.maximum(0.0, -d), np.minimum(1.0, 1.0 - d))
        for _ in range(HALVINGS):
            mean = (low + high) / 2
            rising = mean_evidence(self.first, mean)[1] + mean_evidence(self.second, mean + d)[1] > 0
            low, high = np.where(rising, low, mean), np.where(rising, mean, high)
        mean = (low + high) / 2
        return mean_evidence(self.first, mean)[0] + mean_evidence(self.second, mean + d)[0]


def _mean(losses: Losses) -> NDArray[np.float64]:
    return np.asarray(np.divide(losses.total, np.maximum(losses.rows, 1e-9)))
