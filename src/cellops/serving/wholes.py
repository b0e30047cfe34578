"""A long body read, and an answer written, in one piece.

Uvicorn writes head and body apart, each with a call of the system, and looks at every header with two expressions:
together that takes longer than the model.
"""

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from itertools import chain
from typing import Any

from cellops.serving.long_bodies import read_rest

WHOLE = "cellops.whole"
"""The extension of ASGI by which an application asks for these."""
OK, LINE = 200, b"\r\n"
NAMED = b": ".join
END, LAST = b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"
CLOSE = (b"connection", b"close")


class Whole:
    """Reads the body of one request, and writes its answer.

    Parameters
    ----------
    cycle
        What uvicorn's httptools protocol keeps of the request, of which this uses and sets what `send` does.
    """

    __slots__ = ("_cycle",)

    def __init__(self, cycle: Any) -> None:
        self._cycle = cycle

    async def body(self, begun: bytes, size: int, ahead: int) -> memoryview | None:
        """The whole of a long body, of which the first piece has come; see `long_bodies`."""
        return await read_rest(self._cycle, begun, size, ahead)

    def __call__(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write an answer; where uvicorn has to do it, False, and nothing is written.

        Parameters
        ----------
        headers
            Of the answer, with its length; one may say that the connection is closed.
        """
        cycle = self._cycle
        if cycle.disconnected or cycle.response_started or cycle.flow.write_paused:
            return False
        keeps = cycle.keep_alive and (status == OK or CLOSE not in headers)
        head = head_of(status, cycle.default_headers, headers, keeps=keeps)
        if head is None:
            return False
        cycle.waiting_for_100_continue = False
        cycle.response_started = cycle.response_complete = True
        cycle.keep_alive = keeps
        cycle.transport.write(head if cycle.scope["method"] == "HEAD" else head + body)
        cycle.message_event.set()
        if not keeps:
            cycle.transport.close()
        cycle.on_response()
        return True


def head_of(
    status: int, first: Sequence[tuple[bytes, bytes]], headers: Sequence[tuple[bytes, bytes]], *, keeps: bool
) -> bytes | None:
    """The head of an answer; None where a header holds an end of line.

    Parameters
    ----------
    first, headers
        Names and values; what they say of the connection is left out.
    keeps
        Whether the connection is kept.
    """
    if status != OK:
        headers = [header for header in headers if header != CLOSE]
    pairs = [*first, *headers]
    # One character is found many times as fast as all of its kind are counted.
    said = b"".join(chain.from_iterable(pairs))
    if said.find(b"\n") >= 0 or said.find(b"\r") >= 0:
        return None
    return b"".join((_line(status), LINE.join(map(NAMED, pairs)), END if keeps else LAST))


@cache
def _line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
