"""Requests that wait at the same time are answered by one call of the model, where that takes less time.

Nothing waits for others to come: what one turn of the event loop has brought, or what has come while the model was
busy, is answered together. A call of few microseconds is made on the event loop itself, since a thread takes longer.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from itertools import accumulate

import numpy as np

from cellops.data.matrix import Matrix
from cellops.errors import NotReadyError
from cellops.packaging.predictor import Array, Predictions
from cellops.packaging.stopping import STOP, Stop
from cellops.serving.awaited import Awaited
from cellops.serving.pace import Pace

MOST_ROWS = 1000
"""Rows that one call may gather; a request that has more is answered alone."""
QUICK = 0.001
"""Seconds for which the event loop may be held up where a thread would work beside it."""
INTERPRETED = 0.005
"""The same for a model that is mostly Python: a thread of its own would take turns with the loop, and both be late."""
GAIN = 0.8
"""Share of the time for each alone that a call for all may take."""
AGAIN = 500
"""Times that a group was answered one by one after which it is tried together once more."""
THREADS = 2
"""Calls that may be under way in threads, so that a long one does not hold up a short one."""

Gather = bool | Callable[[], bool]


class Waiting(Awaited):
    """A request for which the model has to be called; it is told `Predictions`, or what the model raises."""

    __slots__ = ("columns", "rows")

    def __init__(
        self, columns: Mapping[str, Array], rows: int, hear: Callable[[Predictions | Exception], None]
    ) -> None:
        super().__init__(hear)
        self.columns = columns
        self.rows = rows


class Batcher:
    """Gathers the requests for one model.

    Each gets what it would get alone: if a call for several fails, each is asked alone, and an error is told to the
    request that is at fault.

    Parameters
    ----------
    ask
        Calls the model on columns of so many rows; it raises when there is no answer for one of them.
    gather
        Whether several requests may be answered by one call: only where the model gives a row the same answer whatever
        stands beside it (see `sameness`). A function is called once, in a thread, when requests first wait together.
    quick
        Seconds that a call may be expected to take for which the event loop is held up.
    """

    def __init__(
        self, ask: Callable[[Mapping[str, Array], int], Predictions], *, gather: Gather, quick: float = QUICK
    ) -> None:
        self._ask = ask
        self._quick = quick
        self._find_out = None if isinstance(gather, bool) else gather
        self._gathers = gather is True
        self._pace = Pace()
        self._waiting: deque[Waiting] = deque()
        self._scheduled = False
        self._under_way = 0
        self._apart = 0

    def ask(
        self,
        columns: Mapping[str, Array],
        rows: int,
        pool: Executor,
        hear: Callable[[Predictions | Exception], None],
    ) -> Awaited:
        """Have `hear` told the model's answer, from the event loop, later; long calls are made in a thread of the pool.

        What is told is an exception where the model raises it on these rows.
        """
        waiting = Waiting(columns, rows, hear)
        self._waiting.append(waiting)
        if self._find_out is not None and len(self._waiting) > 1:
            pool.submit(self._find_out).add_done_callback(self._found_out)
            self._find_out = None
        if not self._scheduled:
            self._schedule(asyncio.get_running_loop(), pool)
        return waiting

    def _found_out(self, found: "Future[bool]") -> None:
        self._gathers = not found.cancelled() and found.exception() is None and found.result()

    def _schedule(self, loop: asyncio.AbstractEventLoop, pool: Executor) -> None:
        if not self._scheduled and self._waiting and self._under_way < THREADS:
            self._scheduled = True
            loop.call_soon(self._answer_next, loop, pool)

    def _answer_next(self, loop: asyncio.AbstractEventLoop, pool: Executor) -> None:
        self._scheduled = False
        group = self._next_group()
        if not group:
            return
        seconds = self._pace.expected(sum(waiting.rows for waiting in group))
        if seconds is not None and seconds <= self._quick:
            _tell(group, self._answers(group))
        else:
            self._under_way += 1
            stop = Stop()
            for waiting in group:
                waiting.stop = partial(_stop_for_nobody, group, stop)
            call = loop.run_in_executor(pool, self._answers_until, stop, group)
            call.add_done_callback(partial(self._came, group, loop, pool))
        self._schedule(loop, pool)

    def _came(
        self,
        group: Sequence[Waiting],
        loop: asyncio.AbstractEventLoop,
        pool: Executor,
        call: "asyncio.Future[list[Predictions | Exception]]",
    ) -> None:
        self._under_way -= 1
        if call.cancelled():
            fact = "The server is being stopped"
            _tell(group, [NotReadyError(fact, remedy="Ask another, or this one when it runs again")] * len(group))
        else:
            _tell(group, call.result())
        self._schedule(loop, pool)

    def _next_group(self) -> list[Waiting]:
        """Those that are answered next: the first that waits, and what may be gathered with it."""
        group: list[Waiting] = []
        rows = 0
        while self._waiting and (not group or (self._gathers and rows + self._waiting[0].rows <= MOST_ROWS)):
            waiting = self._waiting.popleft()
            if not waiting.is_over:
                group.append(waiting)
                rows += waiting.rows
        if len(group) > 1 and not self._pays([waiting.rows for waiting in group]):
            self._waiting.extendleft(reversed(group[1:]))
            return group[:1]
        return group

    def _pays(self, rows: Sequence[int]) -> bool:
        """Whether one call takes less time than one for each; what is not known is tried, each alone first."""
        together, apart = self._pace.known(sum(rows)), [self._pace.known(count) for count in rows]
        each = [seconds for seconds in apart if seconds is not None]
        if len(each) < len(apart):
            return False
        if together is None or together <= GAIN * sum(each):
            return True
        self._apart += 1
        return self._apart % AGAIN == 0

    def _answers_until(self, stop: Stop, group: Sequence[Waiting]) -> list[Predictions | Exception]:
        token = STOP.set(stop)
        try:
            return self._answers(group)
        finally:
            STOP.reset(token)

    def _answers(self, group: Sequence[Waiting]) -> list[Predictions | Exception]:
        if len(group) > 1:
            answers = self._together(group)
            if answers is not None:
                return answers
        return [self._alone(waiting) for waiting in group]

    def _together(self, group: Sequence[Waiting]) -> list[Predictions | Exception] | None:
        """The answers of one call; None where it fails or does not answer each row."""
        columns = joined([waiting.columns for waiting in group])
        if columns is None:
            return None
        ends = list(accumulate(waiting.rows for waiting in group))
        try:
            predictions = self._timed(columns, ends[-1])
        except Exception:  # noqa: BLE001 - each is asked alone then, and whose fault it is gets its error
            return None
        return [predictions.of(slice(end - waiting.rows, end)) for waiting, end in zip(group, ends, strict=True)]

    def _alone(self, waiting: Waiting) -> Predictions | Exception:
        try:
            return self._timed(waiting.columns, waiting.rows)
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            return error

    def _timed(self, columns: Mapping[str, Array], rows: int) -> Predictions:
        started = time.perf_counter()
        predictions = self._ask(columns, rows)
        self._pace.note(rows, time.perf_counter() - started)
        return predictions


def joined(tables: Sequence[Mapping[str, Array]]) -> Mapping[str, Array] | None:
    """Tables of the same columns below one another; None where the types of a column differ."""
    first = tables[0]
    matrices = [table.array for table in tables if type(table) is Matrix]
    if type(first) is Matrix and len(matrices) == len(tables):
        return first.with_rows(np.concatenate(matrices))
    columns = {name: [table[name] for table in tables] for name in first}
    if any(len({part.dtype for part in parts}) > 1 for parts in columns.values()):
        return None
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def _stop_for_nobody(group: Sequence[Waiting], stop: Stop) -> None:
    """Ask for an end where each request has its answer, or is not waited for any more."""
    if all(waiting.is_over for waiting in group):
        stop.ask()


def _tell(group: Sequence[Waiting], answers: Sequence[Predictions | Exception]) -> None:
    for waiting, answer in zip(group, answers, strict=True):
        waiting.tell(answer)
