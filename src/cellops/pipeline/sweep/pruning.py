"""Which trials are hopeless: worse, at the same place, than half of those that have come to their end."""

from collections import defaultdict
from statistics import median

FEWEST = 4
"""Trials that have to be completed before one is judged by them."""


class MedianPruner:
    """Compares the best that a trial has reported so far with what others had reported by the same step."""

    def __init__(self, *, maximize: bool) -> None:
        self._sign = 1.0 if maximize else -1.0
        self._reported: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self._completed: set[int] = set()

    def completed(self, number: int) -> None:
        """A trial has come to its end: others are judged by it from now on."""
        if number in self._reported:
            self._completed.add(number)

    def is_hopeless(self, number: int, step: int, value: float) -> bool:
        """Hear what a trial reports, and say whether it is not worth its time."""
        self._reported[number].append((step, self._sign * value))
        others = [best for other in self._completed - {number} if (best := self._best(other, step)) is not None]
        own = self._best(number, step)
        return own is not None and len(others) >= FEWEST and own < median(others)

    def _best(self, number: int, step: int) -> float | None:
        return max((value for at, value in self._reported[number] if at <= step), default=None)
