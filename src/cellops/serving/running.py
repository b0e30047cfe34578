"""Uvicorn, as the server runs it: in the main thread for the public port, in one of its own for the admin port."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

import uvicorn

from cellops.serving.app import App
from cellops.serving.guard import MOST_CONNECTIONS, guarded
from cellops.serving.interpreter import answering
from cellops.serving.listening import Listener
from cellops.serving.tls import Certificate

DRAINING = 30
"""Seconds for which requests under way may be finished after a signal to stop."""
IDLE = 75
"""Seconds for which a connection may rest. Load balancers keep theirs for a minute, and a server that closes one first
lets a request on its way fail.
"""


@dataclass(frozen=True)
class Hooks:
    """Who hears of what happens to a server; all are called in the thread of its event loop."""

    ready: Callable[[], None]
    """It answers."""
    stopping: Callable[[], None]
    """It was told to stop, and answers what has come."""
    hung_up: Callable[[], None]
    """SIGHUP has come."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, hooks: Hooks) -> None:
        super().__init__(config)
        self._hooks = hooks
        self._in_terminal = in_terminal()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._hear_hanging_up()
            self._hooks.ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._hooks.stopping()
        super().handle_exit(sig, frame)

    def _hear_hanging_up(self) -> None:
        """By the event loop: what a signal interrupts may hold a lock that loading needs."""
        if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hung_up)

    def _hung_up(self) -> None:
        if self._in_terminal and not in_terminal():
            # The terminal was closed. A server that went on would be one that nobody sees.
            self.handle_exit(signal.SIGHUP, None)
        else:
            self._hooks.hung_up()


def run(app: App, listener: Listener, seconds: float, certificate: Certificate | None, hooks: Hooks) -> None:
    """Answer until the process is told to stop, and all that had come by then is answered.

    Parameters
    ----------
    seconds
        Within which the head of a request must come.
    certificate
        What to speak TLS with.
    """
    with _stopping_quietly(), answering():
        _Server(_config(app, seconds, certificate), hooks).run(sockets=[listener.socket])


@contextmanager
def beside(app: App, listener: Listener, seconds: float, certificate: Certificate | None) -> Iterator[None]:
    """Answer in another thread meanwhile; parameters are those of `run`."""
    begun = threading.Event()
    server = _Server(_config(app, seconds, certificate), Hooks(begun.set, _nothing, _nothing))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener.socket]}, name="cellops-admin")
    thread.start()
    try:
        begun.wait(DRAINING)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _config(app: App, seconds: float, certificate: Certificate | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=guarded(seconds),
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        # Whoever sends from this machine could say to be anyone: in the admin log, and to what counts requests.
        proxy_headers=False,
        # Its warnings are of clients that send what is not HTTP, as often as these like.
        log_level="error",
        # Its messages go the way of all others.
        log_config=None,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=DRAINING,
    )
    config.load()
    # Uvicorn's own counts no handshakes.
    config.ssl = certificate.context(MOST_CONNECTIONS) if certificate else None
    return config


@contextmanager
def _stopping_quietly() -> Iterator[None]:
    """Uvicorn raises the signal that stopped it once more, which would end the process before the logs are closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_terminal() -> bool:
    """Whether somebody sees what this process says."""
    with suppress(OSError, ValueError, AttributeError):
        return os.isatty(sys.stdin.fileno())
    return False


def _ignore(_number: int, _frame: object) -> None:
    pass


def _nothing() -> None:
    pass
