"""Connections under guard: how many there are, what may wait in them, and how long clients may send and read.

Uvicorn's parsers wait for ever for the rest of a head, and one of them takes a head of any size and any number of
requests at once; nor does uvicorn end a connection whose answers nobody reads.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from cellops.serving.limits import MOST_HEAD_BYTES
from cellops.serving.shortcut import Shortcut
from cellops.serving.wholes import WHOLE, Whole

MOST_CONNECTIONS = 1000
"""More would use up the files that a process may have open, and the logs need some."""
MOST_PIPELINED = 16
"""Requests that may wait in a connection for the answer to one before them."""
CLOSING = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
BUSY = b"503 Service Unavailable"
TOO_LARGE = b"431 Request Header Fields Too Large"


def guarded(seconds: float) -> type[asyncio.Protocol]:
    """Uvicorn's protocol, for connections whose heads come within some seconds."""
    return type("GuardedProtocol", (Guard, AutoHTTPProtocol), {"patience": seconds})


class Guard(Shortcut):
    """Stands before uvicorn's protocol, of which it uses the attributes named here."""

    patience: float
    connections: set[Any]
    server_state: Any
    timeout_keep_alive: float
    timeout_keep_alive_handler: Callable[[], None]

    _rest: asyncio.TimerHandle | None = None
    _rests_since = 0.0
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # So that `pause_writing` tells of any answer that is not read; at 0, transports of TLS pause for nothing.
        self.transport.set_write_buffer_limits(high=1, low=0)
        if hasattr(self, "parser"):
            from cellops.serving.upgrades import PlainParser

            self.parser = PlainParser(self)
            self._taker = self.app if hasattr(self.app, "take") else None
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(BUSY)
        else:
            self._set_deadline()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if hasattr(self, "parser"):
            cycle.scope["extensions"] = {WHOLE: Whole(cycle)}
        super()._start_asgi_task(cycle, app)  # type: ignore[misc]

    def on_response_complete(self) -> None:
        """Let the connection rest; uvicorn sets a clock after each answer, and here one does for all rests."""
        if self.pipeline or self.transport.is_closing() or not hasattr(self, "parser"):
            super().on_response_complete()  # type: ignore[misc]
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._rests_since = self.loop.time()
        if self._rest is None:
            self._rest = self.loop.call_later(self.timeout_keep_alive, self._look_at_rest)

    def _look_at_rest(self) -> None:
        self._rest = None
        if self._deadline is not None or (self.cycle is not None and not self.cycle.response_complete):
            return
        left = self._rests_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._rest = self.loop.call_later(left, self._look_at_rest)
        else:
            self.timeout_keep_alive_handler()

    def data_received(self, data: bytes) -> None:
        if self._known is not None and self._is_known(data):
            self._has_come()
            return
        was_between = self._is_between
        super().data_received(data)
        if len(self.pipeline) > MOST_PIPELINED:
            # Without a word, which would be taken for the answer to the first of them.
            self.transport.abort()
        elif self._direct is not None:
            self._go_on(data if was_between else b"")
            self._has_come()
        elif self.cycle is not None and not self.cycle.response_complete:
            self._has_come()
        else:
            self._wait_for_head(len(data))

    def _has_come(self) -> None:
        """A request has begun: it is no more waited for."""
        if self._deadline is not None:
            self._drop_deadline()
        self._head_bytes = 0

    def _wait_for_head(self, size: int) -> None:
        """Some bytes of a head have come, or of a body that was answered before it had come."""
        if self._deadline is None:
            self._set_deadline()
        if self.cycle is None or not self.cycle.more_body:
            self._head_bytes += size
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._drop_deadline()
        self._drop_unread()
        self._drop_direct()
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._drop_unread()
        super().resume_writing()

    def _watch(self, size: int) -> None:
        self._unread = self.loop.call_later(self.patience, self._end_unless_read, size)

    def _end_unless_read(self, before: int) -> None:
        """A slow reader is waited for, one that does not read is not."""
        size = self.transport.get_write_buffer_size()
        if size < before:
            self._watch(size)
        else:
            self.transport.abort()

    def _drop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.patience, self.transport.close)

    def _drop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(CLOSING % status)
            self.transport.close()
