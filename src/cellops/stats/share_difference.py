from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellops.stats.difference import between
from cellops.stats.share_evidence import share_evidence
from cellops.stats.tilts import Numbers


@dataclass(frozen=True)
class ShareDifference:
    """Two shares, such as of errors, compared while the trials come in (`difference.between`).

    Parameters
    ----------
    first, first_trials
        Successes and trials of the champion; numbers, or arrays of one shape for many comparisons at once.
    second, second_trials
        Those of the challenger.

    References
    ----------
    As `share_evidence`; Wasserman, Ramdas and Balakrishnan, Universal inference, PNAS 117 (2020), eq. 5, for the
    evidence against a difference.

    Examples
    --------
    >>> errors = ShareDifference(10, 1000, 60, 1000)
    >>> errors.against_at_most(0.005).round(2), errors.against_at_least(0.1).round(2)
    (np.float64(11.43), np.float64(10.06))
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
        counts = (self.first, self.first_trials, self.second, self.second_trials)
        return type(self)(*(np.multiply(count, factor) for count in counts))

    @property
    def arms(self) -> tuple["_Shares", "_Shares"]:
        return _Shares(self.first, self.first_trials), _Shares(self.second, self.second_trials)


@dataclass(frozen=True)
class _Shares:
    successes: Numbers
    trials: Numbers

    @property
    def mean(self) -> NDArray[np.float64]:
        return np.asarray(np.divide(self.successes, np.maximum(self.trials, 1e-9)))

    def evidence(self, mean: NDArray[np.float64], *, above: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return share_evidence(self.successes, self.trials, mean, above=above)
