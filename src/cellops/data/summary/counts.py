"""Rows of each category, exact for as many as fit, beyond that the frequent ones within a stated error."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellops.data.summary.hashing import hash_texts

CAP = 4096
"""Categories that are counted."""
LONGEST = 256
"""Characters of a category; of a longer one its beginning and its hash are kept."""
BEGINNING = 80


@dataclass(frozen=True)
class CategoryCounts:
    """Exact up to 4,096 categories; beyond, a summary of Misra and Gries, whose counts are too low by `error` at most.

    Misra and Gries, Finding repeated elements, Sci. Comput. Program. 2 (1982); that it merges with the same bound is
    shown by Agarwal et al., Mergeable summaries, TODS 38 (2013): the error is at most rows / 4097.
    """

    rows: Mapping[str, int]
    """Rows of each category, at least."""
    error: int = 0
    """By how many rows a count may be too low, and how many rows a category may have that has no count."""

    @classmethod
    def of(cls, names: Sequence[str], rows: NDArray[np.int64]) -> Self:
        """Categories, each named once, and their rows, shape (categories,).

        Examples
        --------
        >>> CategoryCounts.of(["UA", "AA"], np.array([2, 1])).rows
        {'UA': 2, 'AA': 1}
        """
        error = 0
        if len(rows) > CAP:
            error = int(np.partition(rows, len(rows) - CAP - 1)[len(rows) - CAP - 1])
            kept = np.flatnonzero(rows > error)
            names, rows = [names[place] for place in kept.tolist()], rows[kept] - error
        return cls(dict(zip(names, rows.tolist(), strict=True)), error)

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """The counts of all rows of several parts."""
        error = 0
        whole: Counter[str] = Counter()
        for part in parts:
            whole.update(part.rows)
            error += part.error
        if len(whole) <= CAP:
            return cls(dict(whole), error)
        joined = cls.of(list(whole), np.fromiter(whole.values(), dtype=np.int64))
        return cls(joined.rows, joined.error + error)

    @property
    def exact(self) -> bool:
        return self.error == 0

    def ranked(self) -> list[tuple[str, int]]:
        """The most frequent first, then by name."""
        return sorted(self.rows.items(), key=lambda pair: (-pair[1], pair[0]))


def abbreviated(name: str) -> str:
    """A category as it is counted.

    >>> abbreviated("a" * 300)[78:]
    'aa… (300 characters, c1d17581d8eb7e21)'
    """
    if len(name) <= LONGEST:
        return name
    return f"{name[:BEGINNING]}… ({len(name)} characters, {int(hash_texts([name])[0]):016x})"


def is_abbreviated(name: str) -> bool:
    """Whether it is the abbreviation of a longer one."""
    return re.fullmatch(r".*… \(\d+ characters, [0-9a-f]{16}\)", name, re.DOTALL) is not None
