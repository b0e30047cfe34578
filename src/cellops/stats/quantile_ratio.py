from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.stats.latency_bins import WIDTH, seconds_of
from cellops.stats.share_evidence import share_evidence
from cellops.stats.tilts import Numbers


@dataclass(frozen=True)
class QuantileRatio:
    r"""A quantile of seconds in two arms, compared while the requests come in: their ratio less one.

    .. math:: \log E(r) = \min_x \; \log E_A^{N_A(x-)}(q) + \log E_B^{N_B(r x)}(q)

    If x is the quantile q, each request lies at or below it as often as q says, where those exactly at x may count on
    either side: how many do is a share (`share_evidence`), however heavy the tails are, and with no assumption on the
    distribution. Seconds are known by their bin (`latency_bins`), so a ratio is known but for a bin on either side,
    which is taken to be on the side of the hypothesis.

    Parameters
    ----------
    first, second
        Requests of champion and challenger in each bin, from `start` on; shape (..., bins), the same for both.
    quantile
        From 0 to 1.
    start
        The first bin.

    References
    ----------
    Howard and Ramdas, Sequential estimation of quantiles with applications to A/B testing and best-arm identification,
    Bernoulli 28 (2022), theorem 1 and section 4.

    Examples
    --------
    >>> slower = QuantileRatio([900, 50, 50, 0], [50, 50, 400, 500], quantile=0.5)
    >>> round(slower.value, 4), slower.against_at_most(0.0).round(2)
    (0.0404, np.float64(487.64))
    """

    first: ArrayLike
    second: ArrayLike
    quantile: float
    start: int = 0

    @property
    def ends(self) -> tuple[float, float]:
        bins = np.shape(self.first)[-1]
        return WIDTH ** -(bins + 2) - 1, WIDTH ** (bins + 2) - 1

    @property
    def champion(self) -> float:
        return self._quantile(self.first)

    @property
    def challenger(self) -> float:
        return self._quantile(self.second)

    @property
    def value(self) -> float:
        return self.challenger / self.champion - 1

    def against_at_most(self, difference: Numbers) -> NDArray[np.float64]:
        # The bins of a pair lie less than one further apart than the quantiles in them.
        bins = np.ceil(_bins(difference) + 1) - 1
        return _each(bins, lambda most: _least(*self._slower, most))

    def against_at_least(self, difference: Numbers) -> NDArray[np.float64]:
        bins = np.floor(_bins(difference) - 1) + 1
        return _each(bins, lambda least: _least(*self._faster[::-1], -least))

    def scaled(self, factor: float) -> Self:
        return type(self)(np.multiply(self.first, factor), np.multiply(self.second, factor), self.quantile, self.start)

    def _quantile(self, counts: ArrayLike) -> float:
        below = np.cumsum(counts)
        return seconds_of(self.start + int(np.searchsorted(below, self.quantile * below[-1])))

    @cached_property
    def _slower(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Evidence of the champion's quantile lying before each bin, and of the challenger's lying behind it."""
        return self._before(self.first), self._behind(self.second)

    @cached_property
    def _faster(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._behind(self.first), self._before(self.second)

    def _before(self, counts: ArrayLike) -> NDArray[np.float64]:
        """Evidence of the quantile lying before each bin: more requests than it says are below."""
        requests, below = _below(counts)
        return share_evidence(below[..., :-1], requests, self.quantile, above=True)[0]

    def _behind(self, counts: ArrayLike) -> NDArray[np.float64]:
        """Evidence of the quantile lying behind each bin: fewer requests than it says are there or below."""
        requests, below = _below(counts)
        return share_evidence(below[..., 1:], requests, self.quantile, above=False)[0]


def _below(counts: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All requests, and those below each bin, of which the first lies before all that were hit and the last behind."""
    below = np.cumsum(np.asarray(counts, dtype=np.float64), axis=-1)
    requests, none = below[..., -1:], np.zeros_like(below[..., :1])
    return requests, np.concatenate([none, none, below, requests], axis=-1)


def _least(before: NDArray[np.float64], behind: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """The least evidence of a pair of bins whose second lies at most so many behind the first; shape (...).

    That of the second falls from bin to bin, so the furthest that may be is the least. Behind all bins there is always
    one that is far enough behind.
    """
    bins = before.shape[-1]
    places = np.clip(np.arange(bins) + most, 0, bins - 1)
    places[-1] = bins - 1
    found: NDArray[np.float64] = (before + behind[..., places]).min(axis=-1)
    return found


def _bins(difference: Numbers) -> NDArray[np.float64]:
    """How many bins further a ratio lies."""
    return np.asarray(np.log1p(difference) / np.log(WIDTH))


def _each(bins: NDArray[np.float64], least: Callable[[int], NDArray[np.float64]]) -> NDArray[np.float64]:
    return least(int(bins)) if bins.ndim == 0 else np.stack([least(int(each)) for each in bins])
