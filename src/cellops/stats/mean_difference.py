from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellops.stats.difference import between
from cellops.stats.mean_evidence import Losses, mean_evidence
from cellops.stats.tilts import Numbers


@dataclass(frozen=True)
class MeanDifference:
    """Two means of numbers from 0 to 1, such as of losses, compared as the labels come in (`difference.between`).

    Parameters
    ----------
    first, second
        Losses of champion and challenger; numbers, or arrays of one shape for many comparisons at once.

    References
    ----------
    As `mean_evidence`; Wasserman, Ramdas and Balakrishnan, Universal inference, PNAS 117 (2020), eq. 5, for the
    evidence against a difference.

    Examples
    --------
    >>> wrong = MeanDifference(Losses(1000, 100, 90), Losses(1000, 200, 160))
    >>> wrong.against_at_most(0.02).round(2), wrong.against_at_least(0.2).round(2)
    (np.float64(5.92), np.float64(10.55))
    """

    first: Losses
    second: Losses

    @property
    def ends(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def champion(self) -> float:
        return float(self.arms[0].mean)

    @property
    def challenger(self) -> float:
        return float(self.arms[1].mean)

    @property
    def value(self) -> float:
        return self.challenger - self.champion

    def against_at_most(self, difference: Numbers) -> NDArray[np.float64]:
        return between(*self.arms, difference, above=True)

    def against_at_least(self, difference: Numbers) -> NDArray[np.float64]:
        return between(*self.arms, difference, above=False)

    def scaled(self, factor: float) -> Self:
        return type(self)(*(Losses(*(np.multiply(part, factor) for part in arm)) for arm in (self.first, self.second)))

    @property
    def arms(self) -> tuple["_Means", "_Means"]:
        return _Means(self.first), _Means(self.second)


@dataclass(frozen=True)
class _Means:
    losses: Losses

    @property
    def mean(self) -> NDArray[np.float64]:
        return np.asarray(np.divide(self.losses.total, np.maximum(self.losses.rows, 1e-9)))

    def evidence(self, mean: NDArray[np.float64], *, above: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return mean_evidence(self.losses, mean, above=above)
