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

    def target() -> None:
        try:
            work(stop, events.put)
            outcome.set_result(None)
        except BaseException as error:  # noqa: BLE001 — it is raised in the caller's thread
            outcome.set_exception(error)
        finally:
            events.put(None)

    thread = threading.Thread(target=target, name="cellops-execute", daemon=True)
    with signals_raise():
        thread.start()
        try:
            ends = None if limit is None else time.monotonic() + limit
            while (event := _next(events, ends)) is not None:
                on_event(event)
        except BaseException:
            with contextlib.suppress(InvalidStateError):
                stop.set_result(None)
            try:
                on_stop()
            finally:
                _outlast(thread)
            raise
    outcome.result()


def _next(events: SimpleQueue[Event | None], ends: float | None) -> Event | None:
    """The next event, in time."""
    try:
        return events.get(timeout=None if ends is None else max(0.0, ends - time.monotonic()))
    except Empty:
        raise OverTimeError from None


def _outlast(thread: threading.Thread) -> None:
    while thread.is_alive():
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            thread.join()


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
