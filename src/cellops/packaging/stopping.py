"""Work in another thread that is asked to end before it is done, since nobody waits for it any more."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cellops.errors import DeadlineError


class Stop:
    """Asks for an end; what works looks at it where it can: before it starts, and between parts of its work."""

    __slots__ = ("_runs", "asked")

    def __init__(self) -> None:
        self.asked = False
        self._runs: list[Any] = []

    def ask(self) -> None:
        """Have what works end as soon as it can; called from any thread."""
        self.asked = True
        for run in self._runs:
            run.terminate = True

    def watch(self, run: Any) -> None:
        """Have a run of onnxruntime, by its RunOptions, end between two operators of its graph, too."""
        self._runs.append(run)
        # It may have been asked meanwhile.
        run.terminate = self.asked

    def check(self) -> None:
        """Raise `DeadlineError` where an end was asked for."""
        if self.asked:
            fact = "Nobody waits for this answer any more"
            raise DeadlineError(fact, remedy="Ask again with fewer rows")


STOP: ContextVar[Stop | None] = ContextVar("STOP", default=None)
"""Of the request that a thread works for."""


@contextmanager
def unstopped() -> Iterator[None]:
    """Work in this thread that is done to its end, whoever waits for it."""
    token = STOP.set(None)
    try:
        yield
    finally:
        STOP.reset(token)


def check_stop() -> None:
    """Raise `DeadlineError` where the work of this thread was asked to end."""
    stop = STOP.get()
    if stop is not None:
        stop.check()
