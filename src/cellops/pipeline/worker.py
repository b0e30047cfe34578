"""Run work in a thread beside the caller, which alone receives signals and can stop it."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

Event = TypeVar("Event")

LOOKING = 0.2
"""Seconds between two looks for signals: one that comes just before a wait begins does not end the wait."""
ASKING = 0.02
"""Seconds between two looks whether work that was stopped has ended."""
BEGINNING = 5.0
"""Seconds that a thread may take to begin."""


class OverTimeError(Exception):
    """Work took longer than it may."""


def run_beside(
    work: Callable[[Future[None], Callable[[Event], None]], None],
    on_event: Callable[[Event], None],
    on_stop: Callable[[], None] = lambda: None,
    *,
    limit: float | None = None,
) -> None:
    """Run `work(stop, tell)` in a thread and hand what it tells to `on_event` in this one; `on_stop` hears of a stop.

    Work that is not done after `limit` seconds is stopped, and `OverTimeError` raised.
    Ctrl-C, SIGTERM, SIGHUP and an error of `on_event` complete `stop`; they are raised once the work has ended, which
    it has to do within a bounded time. A second Ctrl-C does not hurry it, or a kernel could be left behind.
    """
    stop: Future[None] = Future()
    outcome: Future[None] = Future()
    events: SimpleQueue[Event | None] = SimpleQueue()
    begun: list[None] = []
    ended: list[None] = []

    def target() -> None:
        begun.append(None)
        try:
            work(stop, events.put)
            outcome.set_result(None)
        except BaseException as error:  # noqa: BLE001 — it is raised in the caller's thread
            outcome.set_exception(error)
        finally:
            events.put(None)
            ended.append(None)

    thread = threading.Thread(target=target, name="cellops-execute", daemon=True)
    with signals_raise():
        try:
            thread.start()
            ends = None if limit is None else time.monotonic() + limit
            while (event := _next(events, ends)) is not None:
                on_event(event)
        except BaseException:
            try:
                _complete(stop)
                on_stop()
            finally:
                _outlast(stop, begun, ended)
            raise
    outcome.result()


def _next(events: SimpleQueue[Event | None], ends: float | None) -> Event | None:
    """The next event, in time."""
    while True:
        wait = LOOKING if ends is None else min(LOOKING, ends - time.monotonic())
        try:
            return events.get(timeout=max(0.0, wait))
        except Empty:
            if wait <= 0:
                raise OverTimeError from None


def _complete(stop: Future[None]) -> None:
    with contextlib.suppress(InvalidStateError):
        stop.set_result(None)


def _outlast(stop: Future[None], begun: list[None], ended: list[None]) -> None:
    """Wait for the end of the work, whatever signals come: one that came first may have kept it from being stopped.

    It is asked for the end, not waited for in a lock: a signal that comes while Python takes or gives back the lock
    of an event leaves it locked, and a join that one interrupts takes the thread for ended (until Python 3.13).
    Work that has not begun after a while does not begin any more: the signal came before its thread was made.
    """
    begins_by = time.monotonic() + BEGINNING
    while True:
        try:
            _complete(stop)
            while not ended and (begun or time.monotonic() < begins_by):
                time.sleep(ASKING)
        except (KeyboardInterrupt, SystemExit):
            continue
        return


@contextlib.contextmanager
def signals_raise() -> Iterator[None]:
    """Let the signals that would end the process raise SystemExit; those that the host handles or ignores stay."""
    ending = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    mine = [number for number in ending if signal.getsignal(number) is signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        mine = []
    for number in mine:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
