"""Objects that were given up and live on, in a circle, until Python looks for such: then they may do something."""

import gc
from collections.abc import Iterable

from cellops.records.effects import GARBAGE


class Garbage:
    """Whether there may be any, and the classes whose objects do something when they are given up."""

    def __init__(self) -> None:
        self._is_there = False
        self._classes: dict[str, None] = {}

    def collected(self) -> int:
        """How many objects python has found in circles so far; 0 while none of them may do anything."""
        if not (self._is_there or self._classes):
            return 0
        return sum(generation["collected"] for generation in gc.get_stats())

    def acted(self, before: int) -> list[str]:
        """The names that stand for what may have acted, if there is more than `before`."""
        return [GARBAGE, *self._classes] if self.collected() != before else []

    def learn(self, lingering: Iterable[str], classes: Iterable[str]) -> None:
        """Take in what a cell has given up that may live on, and the classes that it has defined."""
        self._is_there = self._is_there or any(True for _ in lingering)
        self._classes |= dict.fromkeys(classes)
