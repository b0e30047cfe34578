"""The short way from uvicorn's parser to an application: for requests that are simple, and come whole.

All others go on by ASGI, as uvicorn has it, and so does one whose body is not there soon.
"""

import asyncio
from collections.abc import Sized
from typing import Any

from cellops.serving.direct import Direct, Taker
from cellops.serving.heads import Head, KnownHead

SOON = 0.005
"""Seconds in which a body mostly comes that was sent just behind its head."""


class Shortcut(asyncio.Protocol):
    """Stands before uvicorn's protocol for httptools, of which it uses the attributes named here."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    cycle: Any
    pipeline: Sized = ()
    flow: Any
    app: Any
    parser: Any
    url: bytes
    headers: Any
    expect_100_continue: bool

    _taker: Taker | None = None
    """The application, if it takes requests so and this is the parser that it takes."""
    _direct: Direct | None = None
    """The request that comes, if it can be answered without ASGI."""
    _more: asyncio.TimerHandle | None = None
    """Until when the rest of its body is waited for."""
    _known: KnownHead | None = None
    """The head of the last one that was."""
    _is_between = True
    """Whether the next byte that comes begins a request."""

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

    def _is_known(self, data: bytes) -> bool:
        """Answer a request with the head of the one before it; False where it is no such, and nothing is done."""
        known, taker = self._known, self._taker
        if known is None or taker is None or not self._is_between or not self._may_begin():
            return False
        body = known.body(data)
        if body is None or not taker.takes(known.head.path, len(body)):
            return False
        self.cycle = Direct(self, known.head)
        self.cycle.begin(taker, body)
        return True

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
