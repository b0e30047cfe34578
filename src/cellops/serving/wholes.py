"""A long body read, and an answer written, in one piece.

Uvicorn writes head and body apart, each with a call of the system, and looks at every header with two expressions:
together that takes longer than the model.
"""

from collections.abc import Sequence
from typing import Any

from cellops.serving.long_bodies import read_rest

WHOLE = "cellops.whole"
"""The extension of ASGI by which an application asks for these."""
OK, LINE = b"HTTP/1.1 200 OK", b"\r\n"
NAMED = b": ".join
END, LAST = b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"


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

    def __call__(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write an answer of status 200; where uvicorn has to do it, False, and nothing is written.

        Parameters
        ----------
        headers
            Of the answer, with its length; none of them says what becomes of the connection.
        """
        cycle = self._cycle
        if cycle.disconnected or cycle.response_started or cycle.flow.write_paused:
            return False
        lines = [OK, *map(NAMED, cycle.default_headers), *map(NAMED, headers)]
        head = LINE.join(lines)
        if not head.count(b"\n") == head.count(b"\r") == len(lines) - 1:
            # A header that holds an end of line: uvicorn says so.
            return False
        end = END if cycle.keep_alive else LAST
        cycle.waiting_for_100_continue = False
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(b"".join((head, end, b"" if cycle.scope["method"] == "HEAD" else body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True
