"""Moments of numbers up to the fourth order, of parts that merge."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers
from cellops.records.profile import Moments

BLOCK = 16_384
"""Values that stay in the processor's cache while they are read several times."""


@dataclass(frozen=True)
class CentralMoments:
    """Count, mean and the sums of the second to fourth powers of the deviations from it; extremes are exact.

    Parts are joined pairwise: Chan, Golub and LeVeque, Algorithms for computing the sample variance, Am. Stat. 37
    (1983); Pébay, Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical
    moments, Sandia report SAND2008-6212 (2008), equations 3.1 to 3.3. Sums that no float holds are not finite, and
    whatever is made of them is NaN.
    """

    count: int = 0
    mean: float = 0.0
    second: float = 0.0
    third: float = 0.0
    fourth: float = 0.0
    minimum: float = np.inf
    maximum: float = -np.inf

    @classmethod
    def of_ordered(cls, finite: Numbers) -> Self:
        """The moments of finite numbers, ascending.

        Examples
        --------
        >>> CentralMoments.of_ordered(np.array([1.0, 2.0, 3.0])).variance
        1.0
        """
        if not len(finite):
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(finite.mean())
            blocks = (finite[begin : begin + BLOCK] for begin in range(0, len(finite), BLOCK))
            second, third, fourth = np.sum([_powers(block - mean) for block in blocks], axis=0).tolist()
        return cls(len(finite), mean, second, third, fourth, float(finite[0]), float(finite[-1]))

    @classmethod
    def of_counts(cls, values: Numbers, counts: NDArray[np.int64]) -> Self:
        """The same of few values, ascending, each in so many rows."""
        if not len(values):
            return cls()
        rows = int(counts.sum())
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(values @ counts / rows)
            deviations = values - mean
            second, third, fourth = (float(deviations**power @ counts) for power in (2, 3, 4))
        return cls(rows, mean, second, third, fourth, float(values[0]), float(values[-1]))

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """The moments of all values of several parts."""
        return reduce(cls._joined, parts, cls())

    def _joined(self, other: Self) -> Self:
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        here, there = self.count / count, other.count / count
        with np.errstate(over="ignore", invalid="ignore"):
            step = np.float64(other.mean) - self.mean
            square = step * step
            both = self.count * there
            mean = self.mean + step * there
            second = self.second + other.second + square * both
            third = (
                self.third
                + other.third
                + square * step * both * (here - there)
                + 3 * step * (here * other.second - there * self.second)
            )
            fourth = (
                self.fourth
                + other.fourth
                + square * square * both * (here * here - here * there + there * there)
                + 6 * square * (here * here * other.second + there * there * self.second)
                + 4 * step * (here * other.third - there * self.third)
            )
        lowest, highest = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        return type(self)(count, float(mean), float(second), float(third), float(fourth), lowest, highest)

    @property
    def variance(self) -> float:
        """Of the sample, with count - 1 in the denominator; NaN for fewer than two values."""
        return self.second / (self.count - 1) if self.count > 1 else np.nan

    @property
    def skewness(self) -> float:
        """The third standardised moment, biased as `scipy.stats.skew` gives it; NaN for a constant."""
        return self._standardised(self.third, 1.5)

    @property
    def kurtosis(self) -> float:
        """The excess over that of the normal distribution, biased as `scipy.stats.kurtosis` gives it."""
        return self._standardised(self.fourth, 2.0) - 3

    def _standardised(self, power_sum: float, exponent: float) -> float:
        spread = self.second / self.count if self.count else 0.0
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            if not np.sqrt(spread) > abs(self.mean) * np.finfo(float).eps:  # all that is left of a constant is rounding
                return np.nan
            return float(power_sum / self.count / np.float64(spread) ** exponent)

    def record(self) -> Moments | None:
        """What a package keeps of it; None where there is no value, or they are too large to be squared."""
        if not self.count or not np.isfinite(self.second):
            return None
        return Moments(
            count=self.count,
            mean=self.mean,
            squared_deviations=self.second,
            minimum=self.minimum,
            maximum=self.maximum,
        )


def _powers(deviations: Numbers) -> tuple[float, float, float]:
    """The sums of the second to fourth powers; not by @, whose threads would stand in the way of other columns."""
    squares = deviations * deviations
    third, fourth = (float(np.einsum("i,i->", squares, other)) for other in (deviations, squares))
    return float(squares.sum()), third, fourth
