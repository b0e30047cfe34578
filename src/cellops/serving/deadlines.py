"""What takes too long is given up: one timer for all that is waited for, since each has the same time."""

import asyncio
from collections.abc import Callable

from cellops.serving.awaited import Awaited


class Deadlines:
    """Waits for answers; a clock for each would take longer than what most of them do.

    Parameters
    ----------
    seconds
        How long an answer may be waited for.
    error
        Makes what is told in place of one that has not come.
    """

    def __init__(self, seconds: float, error: Callable[[], Exception]) -> None:
        self._seconds = seconds
        self._error = error
        # In the order in which their time ends.
        self._ends: dict[Awaited, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def watch(self, awaited: Awaited) -> None:
        """Give it up when it has not been told in time; called in an event loop."""
        loop = self._loop
        # Asyncio asks the system for the process each time that it is asked for the loop.
        if loop is None or not loop.is_running():
            self._loop = loop = asyncio.get_running_loop()
            self._timer = None
        self._ends[awaited] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look, loop)

    def forget(self, awaited: Awaited | None) -> None:
        """It has been told."""
        self._ends.pop(awaited, None)  # type: ignore[arg-type]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for awaited, end in list(self._ends.items()):
            if end > now:
                self._timer = loop.call_at(end, self._look, loop)
                return
            del self._ends[awaited]
            awaited.give_up(self._error())
