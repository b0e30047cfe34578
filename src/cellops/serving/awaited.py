"""Answers that somebody waits for, without a task for each: whoever is to hear of one is called."""

from collections.abc import Callable
from typing import Any


class Awaited:
    """An answer that is waited for until it is told, or given up.

    Parameters
    ----------
    hear
        Is told the answer, or the exception in place of one, once.
    """

    __slots__ = ("_hear", "stop")

    def __init__(self, hear: Callable[[Any], None]) -> None:
        self._hear: Callable[[Any], None] | None = hear
        self.stop: Callable[[], None] | None = None
        """Ends the work for it, where that is under way in a thread."""

    @property
    def is_over(self) -> bool:
        """Whether nobody waits any more."""
        return self._hear is None

    def tell(self, answer: object) -> None:
        """Tell the answer, or the exception, to whoever still waits."""
        # Let go of at once: both hold on to each other, and what waits for the collector is in nobody's cache.
        hear, self._hear, self.stop = self._hear, None, None
        if hear is not None:
            hear(answer)

    def give_up(self, error: Exception) -> None:
        """Tell the error, since the answer does not come in time, and have the work for it end."""
        stop = self.stop
        self.tell(error)
        if stop is not None:
            stop()


def told_at_once(hear: Callable[[Any], None], answer: object) -> Awaited:
    """What is told already."""
    awaited = Awaited(hear)
    awaited.tell(answer)
    return awaited
