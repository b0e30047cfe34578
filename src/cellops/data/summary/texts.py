"""What is known of the strings of a column."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cellops.data.summary.counts import CAP, CategoryCounts, abbreviated
from cellops.data.summary.distinct import STANDARD_ERROR, HyperLogLog
from cellops.data.summary.hashing import hash_texts


@dataclass(frozen=True)
class Lengths:
    """How many characters the strings have."""

    shortest: int
    longest: int
    total: int
    """Of all rows together."""
    empty: int
    """Rows of the empty string."""

    @classmethod
    def of(cls, characters: NDArray[np.int64], rows: NDArray[np.int64]) -> Self:
        """Of strings with so many characters in so many rows; each of shape (strings,), at least one."""
        empty = int(rows[characters == 0].sum())
        return cls(int(characters.min()), int(characters.max()), int(characters @ rows), empty)

    @classmethod
    def merged(cls, parts: Sequence[Self]) -> Self:
        return cls(
            shortest=min(part.shortest for part in parts),
            longest=max(part.longest for part in parts),
            total=sum(part.total for part in parts),
            empty=sum(part.empty for part in parts),
        )


@dataclass(frozen=True)
class TextSummary:
    """Strings: their number, lengths and categories."""

    rows: int
    lengths: Lengths
    counts: CategoryCounts
    seen: HyperLogLog | None
    """What tells how many are distinct; None where the counts say it exactly."""
    categorical: bool
    """Whether all of them were categories by their type."""

    @classmethod
    def of(
        cls,
        strings: Any,
        rows: NDArray[np.int64],
        *,
        categorical: bool = False,
    ) -> Self:
        """The summary of an array of pyarrow with different strings, at least one, and the rows of each."""
        import pyarrow.compute as pc

        characters = pc.utf8_length(strings).to_numpy(zero_copy_only=False).astype(np.int64)
        names = [abbreviated(name) for name in strings.to_pylist()]
        counts = CategoryCounts.of(names, rows)
        seen = None if counts.exact else HyperLogLog.of(hash_texts(names))
        return cls(int(rows.sum()), Lengths.of(characters, rows), counts, seen, categorical)

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """The summary of all that several have seen."""
        held = list(parts)
        counts = CategoryCounts.merged(part.counts for part in held)
        return cls(
            rows=sum(part.rows for part in held),
            lengths=Lengths.merged([part.lengths for part in held]),
            counts=counts,
            seen=None if counts.exact else HyperLogLog.merged(part.registers() for part in held),
            categorical=all(part.categorical for part in held),
        )

    def registers(self) -> HyperLogLog:
        """What has seen all strings."""
        return HyperLogLog.of(hash_texts(self.counts.rows)) if self.seen is None else self.seen

    @property
    def distinct(self) -> int:
        return len(self.counts.rows) if self.seen is None else max(round(self.seen.estimate()), CAP + 1)

    @property
    def distinct_error(self) -> float:
        """The relative standard error of `distinct`."""
        return 0.0 if self.seen is None else STANDARD_ERROR


def summed(names: Sequence[str], rows: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Names that may come several times, each once, and its rows; those without any row are left out."""
    whole: defaultdict[str, int] = defaultdict(int)
    for name, number in zip(names, rows.tolist(), strict=True):
        if number:
            whole[name] += number
    return list(whole), np.fromiter(whole.values(), dtype=np.int64)
