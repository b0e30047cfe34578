"""Rows of a window from several chunks, put together where each chunk has only a few of them.

A model answers a thousand rows, and their columns are observed, hardly faster than ten thousand. Where rows come in no
order of time each chunk has a few of every window.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cellops.monitoring.windows import Window

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 8_192
"""Rows of a window that are worth a look of their own."""
MOST_VALUES = 16_000_000
"""Values that wait, of all windows together: some 128 MB."""


class GatheredWindows:
    """Rows that wait until there are enough of their window, or too many of all."""

    def __init__(self, enough: int = ENOUGH, most_values: int = MOST_VALUES) -> None:
        self._enough = enough
        self._most_values = most_values
        self._waiting: dict[str, list[Window]] = {}
        self._values = 0

    def add(self, window: Window) -> Iterator[Window]:
        """Take more rows of a window, as they were read; what has waited long enough comes out."""
        held = self._waiting.get(window.label, [])
        if held and not _alike(held[0].frame, window.frame):
            yield self._taken(window.label)
        self._waiting.setdefault(window.label, []).append(window)
        self._values += window.frame.size
        if sum(len(part.frame) for part in self._waiting[window.label]) >= self._enough:
            yield self._taken(window.label)
        elif self._values > self._most_values:
            yield from self.rest()

    def rest(self) -> Iterator[Window]:
        """All that waits."""
        for label in list(self._waiting):
            yield self._taken(label)

    def _taken(self, label: str) -> Window:
        import pandas as pd

        parts = self._waiting.pop(label)
        self._values -= sum(part.frame.size for part in parts)
        return parts[0] if len(parts) == 1 else replace(parts[0], frame=pd.concat([part.frame for part in parts]))


def _alike(one: "pd.DataFrame", other: "pd.DataFrame") -> bool:
    """Whether two tables have the same columns of the same types: pandas would convert others without a word."""
    return one.columns.equals(other.columns) and one.dtypes.equals(other.dtypes)
