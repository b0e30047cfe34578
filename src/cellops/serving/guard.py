"""Connections under guard: how many there are, what may wait in them, and how long clients may send and read.

Uvicorn's parsers wait for ever for the rest of a head, and one of them takes a head of any size and any number of
requests at once; nor does uvicorn end a connection whose answers nobody reads.
"""

import asyncio
from collections.abc import Callable, Sized
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from cellops.serving.direct import Direct, Taker
from cellops.serving.heads import Head, KnownHead
from cellops.serving.limits import MOST_HEAD_BYTES
from cellops.serving.wholes import WHOLE, Whole

MOST_CONNECTIONS = 1000
"""More would use up the files that a process may have open, and the logs need some."""
MOST_PIPELINED = 16
"""Requests that may wait in a connection for the answer to one before them."""
SOON = 0.005
"""Seconds in which a body mostly comes that was sent just behind its head."""
CLOSING = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
BUSY = b"503 Service Unavailable"
TOO_LARGE = b"431 Request Header Fields Too Large"


def guarded(seconds: float) -> type[asyncio.Protocol]:
    """Uvicorn's protocol, for connections whose heads come within some seconds."""
    return type("GuardedProtocol", (Guard, AutoHTTPProtocol), {"patience": seconds})


class Guard(asyncio.Protocol):
    """Stands before uvicorn's protocol, of which it uses the attributes named here."""

    patience: float
    loop: asyncio.AbstractEventLoop
    transport: Any
    connections: set[Any]
    cycle: Any
    pipeline: Sized = ()
    server_state: Any
    flow: Any
    app: Any
    parser: Any
    url: bytes
    headers: Any
    expect_100_continue: bool
    timeout_keep_alive: float
    timeout_keep_alive_handler: Callable[[], None]

    _rest: asyncio.TimerHandle | None = None
    _rests_since = 0.0
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _taker: Taker | None = None
    _direct: Direct | None = None
    """The request that comes, if it can be answered without ASGI."""
    _more: asyncio.TimerHandle | None = None
    """Until when the rest of its body is waited for."""
    _known: KnownHead | None = None
    """The head of the last one that was."""
    _is_between = True
    """Whether the next byte that comes begins a request."""

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

    def on_message_begin(self) -> None:
        self._is_between = False
        super().on_message_begin()  # type: ignore[misc]

    def on_headers_complete(self) -> None:
        head = self._simple_head()
        if head is None:
            super().on_headers_complete()  # type: ignore[misc]
        else:
            self.cycle = self._direct = Direct(self, head)

    def on_message_complete(self) -> None:
        self._is_between = True
        super().on_message_complete()  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        known = self._known
        if known is not None and self._is_between and self._may_begin():
            body = known.body(data)
            if body is not None and self._taker is not None and self._taker.takes(known.head.path, len(body)):
                self.cycle = Direct(self, known.head)
                self.cycle.begin(self._taker, body)
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

    def _may_begin(self) -> bool:
        """Whether a request that comes now is the next to be answered."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _simple_head(self) -> Head | None:
        """The head that was read, where nothing about it but its path, its headers and its length matters."""
        taker = self._taker
        if taker is None or self.expect_100_continue or not self._may_begin():
            return None
        parser = self.parser
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1" or not parser.should_keep_alive():
            return None
        head = Head("POST", self.url.decode("ascii", "replace"), self.headers)
        size = head.headers.get(b"content-length", b"")
        if not size.isdigit() or b"transfer-encoding" in head.headers or not taker.takes(head.path, int(size)):
            return None
        return head

    def _go_on(self, data: bytes) -> None:
        """Answer the request whose last bytes these are, or wait a moment for the rest of it.

        What has come behind it waits for its answer, as uvicorn has it.
        """
        direct = self._direct
        assert direct is not None  # noqa: S101 - asked before
        if self.transport.is_closing():
            self._drop_direct()
        elif direct.more_body:
            if self._more is None:
                self._more = self.loop.call_later(SOON, self._leave_to_uvicorn)
        else:
            self._drop_direct()
            body = bytes(direct.body)
            if self.cycle is direct and self._is_between and data:
                self._known = KnownHead.of(direct.head, data, len(body))
            direct.begin(self.app, body)

    def _leave_to_uvicorn(self) -> None:
        """Let uvicorn wait for the rest of a body."""
        direct = self._direct
        self._drop_direct()
        if direct is None or self.transport.is_closing():
            return
        self.cycle = None
        super().on_headers_complete()  # type: ignore[misc]
        self.cycle.keep_alive = self.cycle.keep_alive and direct.keep_alive
        if direct.body:
            super().on_body(bytes(direct.body))  # type: ignore[misc]

    def _drop_direct(self) -> None:
        self._direct = None
        if self._more is not None:
            self._more.cancel()
            self._more = None

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
