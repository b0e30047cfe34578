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

    __slots__ = ("_hear", "is_over", "stop")

    def __init__(self, hear: Callable[[Any], None]) -> None:
        self._hear = hear
        self.is_over = False
        """Whether nobody waits any more."""
        self.stop: Callable[[], None] | None = None
        """Ends the work for it, where that is under way in a thread."""

    def tell(self, answer: object) -> None:
        """Tell the answer, or the exception, to whoever still waits."""
        if not self.is_over:
            self.is_over = True
            self._hear(answer)

    def give_up(self, error: Exception) -> None:
        """Tell the error, since the answer does not come in time, and have the work for it end."""
        self.tell(error)
        if self.stop is not None:
            self.stop()


def told_at_once(hear: Callable[[Any], None], answer: object) -> Awaited:
    """What is told already."""
    awaited = Awaited(hear)
    awaited.tell(answer)
    return awaited
