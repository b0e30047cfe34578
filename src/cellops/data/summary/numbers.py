"""What is known of the numbers of a column."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cellops.data.buckets import Sketch
from cellops.data.column import Numbers
from cellops.data.summary.distinct import INDEX_BITS, STANDARD_ERROR, HyperLogLog
from cellops.data.summary.hashing import Hashes, hash_numbers, hash_wide
from cellops.data.summary.moments import CentralMoments

EXACT = 2**53
"""From here on a float may stand for several integers."""
SURE_BITS = INDEX_BITS + 5
BLOCK = 8_192
"""Numbers whose hashes stay in the processor's cache."""


@dataclass(frozen=True)
class NumberSummary:
    """Numbers, infinite ones counted apart."""

    whole: bool
    """Whether all of them were integers by their type."""
    wide: bool
    """Whether there are integers that no float holds exactly: all but the number of distinct ones is of the floats."""
    below: int
    """Rows of minus infinity."""
    above: int
    """Rows of infinity."""
    moments: CentralMoments
    """Of the finite ones."""
    sketch: Sketch
    """Of the finite ones."""
    seen: HyperLogLog | None
    """What tells how many are distinct; None where the sketch says it exactly."""

    @classmethod
    def of(cls, numbers: NDArray[Any], *, whole: bool = False) -> tuple[Self, int]:
        """The summary of numbers, and how many of them are NaN.

        Parameters
        ----------
        numbers
            Shape (rows,), integers or floats of any width.
        whole
            Whether they are integers.
        """
        ordered = np.sort(numbers.astype(np.float64, copy=False))
        present = int(np.searchsorted(ordered, np.nan))
        below = int(np.searchsorted(ordered, -np.inf, side="right"))
        above = int(np.searchsorted(ordered, np.inf))
        finite = ordered[below:above]
        wide = whole and len(finite) > 0 and bool(max(-finite[0], finite[-1]) >= EXACT)
        sketch = Sketch.of_ordered(finite)
        seen = None
        if wide:
            seen = HyperLogLog.of(_hashes_of_integers(numbers))
        elif sketch.values is None:
            seen = _seen(finite)
        moments = CentralMoments.of_ordered(finite) if sketch.exact is None else CentralMoments.of_counts(*sketch.exact)
        return cls(whole, wide, below, present - above, moments, sketch, seen), len(ordered) - present

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """The summary of all that several have seen."""
        held = list(parts)
        sketch = Sketch.merged(part.sketch for part in held)
        wide = any(part.wide for part in held)
        return cls(
            whole=all(part.whole for part in held),
            wide=wide,
            below=sum(part.below for part in held),
            above=sum(part.above for part in held),
            moments=CentralMoments.merged(part.moments for part in held),
            sketch=sketch,
            seen=HyperLogLog.merged(part.registers() for part in held) if wide or sketch.values is None else None,
        )

    def registers(self) -> HyperLogLog:
        """What has seen the finite values."""
        if self.seen is not None:
            return self.seen
        assert self.sketch.values is not None  # noqa: S101 - then the sketch is exact
        return _seen(self.sketch.values)

    @property
    def rows(self) -> int:
        return self.below + self.above + self.moments.count

    @property
    def distinct(self) -> int:
        """How many different ones there are, infinities too."""
        infinite = (self.below > 0) + (self.above > 0)
        exact = self._exactly_distinct
        return infinite + (round(self.registers().estimate()) if exact is None else exact)

    @property
    def distinct_error(self) -> float:
        """The relative standard error of `distinct`."""
        return STANDARD_ERROR if self._exactly_distinct is None else 0.0

    @property
    def _exactly_distinct(self) -> int | None:
        """How many finite ones there are, where each has a bucket to itself."""
        if self.wide:
            return None
        if self.sketch.values is not None:
            return len(self.sketch.values)
        apart = [one for one in (self.sketch.even, self.sketch.relative) if one is not None and not one.widest]
        return len(apart[0].buckets.keys) if apart else None


def _seen(ordered: Numbers) -> HyperLogLog:
    """Where most values differ, each register will hold almost surely what lets most hashes be left out unlooked at."""
    middle = ordered[len(ordered) // 2 :][:BLOCK]
    if np.count_nonzero(middle[1:] != middle[:-1]) < len(middle) // 2:
        return HyperLogLog.of_blocks(
            hash_numbers(block[np.append(True, block[1:] != block[:-1])]) for block in _blocks(ordered)
        )
    guess = max(0, len(ordered).bit_length() - SURE_BITS)
    quick = HyperLogLog.of_blocks(map(hash_numbers, _blocks(ordered)), guess)
    return quick if quick.least >= guess else HyperLogLog.of_blocks(map(hash_numbers, _blocks(ordered)))


def _blocks(ordered: Numbers) -> Iterator[Numbers]:
    return (ordered[begin : begin + BLOCK] for begin in range(0, len(ordered), BLOCK))


def _hashes_of_integers(numbers: NDArray[Any]) -> Hashes:
    """Those that a float holds exactly have the hash of that float."""
    wide: NDArray[Any] = numbers.astype(np.uint64 if numbers.dtype.kind == "u" else np.int64)
    narrow = (wide >= -EXACT) & (wide <= EXACT) if wide.dtype.kind == "i" else wide <= EXACT
    return np.where(narrow, hash_numbers(numbers.astype(np.float64)), hash_wide(wide))
