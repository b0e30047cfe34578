from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.stats.latency_bins import WIDTH, seconds_of
from cellops.stats.share_evidence import share_evidence

AROUND = np.arange(-3, 4)
"""Counts near the expected one, among which the evidence is least."""


@dataclass(frozen=True)
class QuantileRatio:
    r"""A quantile of seconds in two arms, compared while the requests come in: their ratio less one.

    .. math:: \log E(r) = \min_x \; \log E_A(x) + \log E_B(r x), \quad E(x) = \min_{N(x-) \le k \le N(x)} E_n^k(q)

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
    (0.0404, np.float64(487.27))
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

    def against_at_most(self, difference: float) -> NDArray[np.float64]:
        # The bins of a pair lie less than one further apart than the quantiles in them.
        most = int(np.ceil(_bins(difference) + 1)) - 1
        return _least(self._evidence(self.first), self._evidence(self.second), most)

    def against_at_least(self, difference: float) -> NDArray[np.float64]:
        least = int(np.floor(_bins(difference) - 1)) + 1
        first, second = self._evidence(self.first), self._evidence(self.second)
        return _least(first[..., ::-1], second[..., ::-1], -least)

    def scaled(self, factor: float) -> Self:
        return type(self)(np.multiply(self.first, factor), np.multiply(self.second, factor), self.quantile, self.start)

    def _quantile(self, counts: ArrayLike) -> float:
        below = np.cumsum(counts)
        return seconds_of(self.start + int(np.searchsorted(below, self.quantile * below[-1])))

    def _evidence(self, counts: ArrayLike) -> NDArray[np.float64]:
        """Against each bin, and first and last against what lies before and behind them all; shape (..., bins + 2)."""
        below = np.cumsum(np.asarray(counts, dtype=np.float64), axis=-1)
        requests = below[..., -1:]
        none = np.zeros_like(requests)
        at_most = np.concatenate([none, below, requests], axis=-1)
        less = np.concatenate([none, none, below], axis=-1)
        expected = self.quantile * requests
        near = np.clip(np.floor(expected) + AROUND, 0, requests)
        least = share_evidence(near, requests, self.quantile).min(axis=-1, keepdims=True)
        ends = np.where(at_most < expected, at_most, less)
        inside = (less <= expected + 1) & (at_most >= expected - 1)
        return np.where(inside, least, share_evidence(ends, requests, self.quantile))


def _least(first: NDArray[np.float64], second: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """The least evidence of a pair whose second lies at most so many bins behind the first; shape (...).

    What lies before all bins lies as far before them as it takes.
    """
    lowest = np.minimum.accumulate(second, axis=-1)
    bins = first.shape[-1]
    places = np.clip(np.arange(bins) + most, 0, bins - 1)
    # Behind all bins there is always one that is far enough behind, so each second is near enough to it.
    places[-1] = bins - 1
    found: NDArray[np.float64] = (first + lowest[..., places]).min(axis=-1)
    return found


def _bins(difference: float) -> float:
    """How many bins further a ratio lies."""
    return float(np.log1p(difference) / np.log(WIDTH))
