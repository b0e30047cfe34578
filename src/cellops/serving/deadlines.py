"""Tasks that are ended when they take too long: one timer for all of them, since each has the same time."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

Result = TypeVar("Result")


class LateError(Exception):
    """What was waited for has not come in time."""


class Deadlines:
    """Waits for what tasks wait for; a clock for each would take longer than what most of them do.

    Parameters
    ----------
    seconds
        How long a task may wait.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # In the order in which their time ends.
        self._ends: dict[asyncio.Task[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def within(self, awaited: Awaitable[Result]) -> Result:
        """What is awaited, if it comes in time.

        Raises
        ------
        LateError
            When it does not.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs in an event loop is in a task
        self._ends[task] = loop.time() + self._seconds
        if self._timer is None or self._loop is not loop:
            self._loop, self._timer = loop, loop.call_later(self._seconds, self._look, loop)
        try:
            return await awaited
        except asyncio.CancelledError:
            if task in self._ends or task.uncancel() > 0:
                raise
            raise LateError from None
        finally:
            self._ends.pop(task, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for task, end in list(self._ends.items()):
            if end > now:
                self._timer = loop.call_at(end, self._look, loop)
                return
            del self._ends[task]
            task.cancel()
