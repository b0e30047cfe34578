"""Rows that the model answered and whose truth is known, no more of them than memory should hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cellops.monitoring.windows import Window
from cellops.stats.splitmix import mixed

MOST = 1_000_000
"""Labelled rows that are kept of a window."""
MOST_TOGETHER = 2_000_000
"""Labelled rows that are kept of all windows, where there are many."""
LEAST = 1_000
"""Labelled rows that are kept of a window, however many windows there are."""


@dataclass(frozen=True)
class LabelledRows:
    """Labelled rows, or of many those whose numbers mix to the smallest: a sample by chance that is always the same."""

    total: int
    """Rows with a label, kept or not."""
    keys: NDArray[np.uint64]
    """Shape (kept rows,), ascending: the numbers of the rows in their table, mixed."""
    truth: NDArray[Any]
    """Shape (kept rows,)."""
    labels: NDArray[Any]
    """What the model answered, shape (kept rows,)."""
    probabilities: NDArray[np.float64] | None
    """Shape (kept rows, classes)."""

    @classmethod
    def of(cls, window: Window, most: int = MOST) -> Self | None:
        """The labelled rows of a window; None where nothing was answered or there are no labels.

        Parameters
        ----------
        window
            With `answered`, the numbers of its rows in their table.
        most
            That are kept.
        """
        if window.truth is None or window.labels is None or window.answered is None:
            return None
        import pandas as pd

        rows = np.flatnonzero(~np.asarray(pd.isna(window.truth), dtype=bool))
        keys = mixed(window.answered[rows].astype(np.uint64))
        order = np.argsort(keys)[:most]
        kept = rows[order]
        # Each value once, since every row of a file brings an object of its own.
        codes, values = pd.factorize(np.asarray(window.truth)[kept])
        chances = None if window.probabilities is None else np.asarray(window.probabilities)[kept]
        return cls(len(rows), keys[order], np.asarray(values)[codes], np.asarray(window.labels)[kept], chances)

    @classmethod
    def merged(cls, parts: Sequence[Self], most: int = MOST) -> Self:
        """The same of all rows of several parts, in whatever order these come.

        Parameters
        ----------
        parts
            At least one.
        most
            Rows that are kept.
        """
        keys = np.concatenate([part.keys for part in parts])
        order = np.argsort(keys, kind="stable")[:most]
        chances = [part.probabilities for part in parts if part.probabilities is not None]
        return cls(
            sum(part.total for part in parts),
            keys[order],
            np.concatenate([part.truth for part in parts])[order],
            np.concatenate([part.labels for part in parts])[order],
            np.concatenate(chances)[order] if len(chances) == len(parts) else None,
        )

    def thinned(self, most: int) -> Self:
        """The same sample with no more than so many rows; of what is left out nothing stays in memory."""
        if self.kept <= most:
            return self
        chances = None if self.probabilities is None else self.probabilities[:most].copy()
        parts = self.keys[:most].copy(), self.truth[:most].copy(), self.labels[:most].copy()
        return type(self)(self.total, *parts, chances)

    @property
    def kept(self) -> int:
        return len(self.keys)


def most_of_each(windows: int) -> int:
    """Labelled rows that are kept of each of so many windows.

    >>> most_of_each(1), most_of_each(12), most_of_each(365)
    (1000000, 166666, 5479)
    """
    return max(LEAST, min(MOST, MOST_TOGETHER // max(windows, 1)))
