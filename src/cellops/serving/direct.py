"""A request that is answered without ASGI: it has come whole, and so does its answer.

Of uvicorn's way a request pays for a scope, an event, a task and several turns of the event loop; together they take
longer than to read it and to ask the model.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from cellops.serving.asked import Answered, Asked
from cellops.serving.heads import Head
from cellops.serving.wholes import CLOSE, OK, head_of

FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Taker(Protocol):
    """An application that answers requests so; `App` says how."""

    def takes(self, path: str, size: int) -> bool:
        """Whether it answers a request for a path, with a body of so many bytes."""

    def take(self, head: Head, content: bytes, address: str, answer: Answered) -> Asked:
        """Answer one."""

    def give_up(self, asked: Asked) -> None:
        """Answer it at once, whatever there is."""


class Direct:
    """One request, to uvicorn's protocol what a cycle of its own would be.

    Parameters
    ----------
    protocol
        Of its connection.
    head
        What has come before the body.
    """

    __slots__ = (
        *("_asked", "_protocol", "body", "disconnected", "head", "keep_alive", "more_body"),
        "response_complete",
    )

    def __init__(self, protocol: Any, head: Head) -> None:
        self._protocol = protocol
        self._asked: Asked | None = None
        self.head = head
        self.body: Any = bytearray()
        self.more_body = True
        self.keep_alive = True
        self.disconnected = self.response_complete = False

    @property
    def message_event(self) -> "Direct":
        return self

    def set(self) -> None:
        """Nothing waits for a part of it."""

    def begin(self, taker: Taker, content: bytes) -> None:
        """Have it answered."""
        protocol = self._protocol
        # Where the server ends, it is waited for as a task is.
        protocol.tasks.add(self)
        asked = taker.take(self.head, content, protocol.client[0] if protocol.client else "", self.answer)
        if not self.response_complete:
            self._asked = asked

    def cancel(self, msg: object = None) -> None:  # noqa: ARG002 - as that of a task
        """End it, since the server ends."""
        if self._asked is not None:
            self._protocol.app.give_up(self._asked)

    def answer(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Write the answer, if the client is still there."""
        protocol = self._protocol
        protocol.tasks.discard(self)
        self.response_complete, self._asked = True, None
        if self.disconnected or protocol.transport.is_closing():
            return
        keeps = self.keep_alive and not (status != OK and CLOSE in headers)
        head = head_of(status, protocol.server_state.default_headers, headers, keeps=keeps)
        if head is None:
            keeps, head, body = False, FAILED, b""
        protocol.transport.write(head + body)
        if not keeps:
            protocol.transport.close()
        protocol.on_response_complete()
