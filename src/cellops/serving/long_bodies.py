"""Bodies too long to come with their head, read straight into their place.

Uvicorn has each piece of at most 256 KB parsed, copied three times and taken by the application before it lets the next
one come: of a body of 2.4 MB that takes longer than a linear model takes for its 10,000 rows.
"""

import asyncio
from contextlib import suppress
from typing import Any

import numpy as np

ALIGNED = 64
"""Bytes; numpy and onnxruntime are fastest on numbers that begin at a multiple of it."""


async def read_rest(cycle: Any, begun: bytes, size: int, ahead: int) -> memoryview | None:
    """The whole of a body, or None when the client has gone.

    Parameters
    ----------
    cycle
        What uvicorn's httptools protocol keeps of the request, whose `receive` has given the first piece.
    begun
        This piece.
    size
        Bytes of the body, as its head announces.
    ahead
        How many of them come before those that shall be aligned.
    """
    if cycle.disconnected or cycle.transport.is_closing():
        return None
    whole = _aligned(size, ahead)
    begun += cycle.body
    cycle.body = bytearray()
    whole[: len(begun)] = begun
    reading = _LongBody(cycle, whole, len(begun))
    return whole.toreadonly() if await reading.whole() else None


class _LongBody(asyncio.BufferedProtocol):
    """Stands in for the protocol of a connection until the body is whole."""

    def __init__(self, cycle: Any, whole: memoryview, place: int) -> None:
        self._cycle, self._transport = cycle, cycle.transport
        self._connection = self._transport.get_protocol()
        self._left = whole[place:]
        self._is_whole: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def whole(self) -> bool:
        """Whether all of it has come; else the client has gone."""
        self._connection.flow.resume_reading()
        self._hand_to(self)
        try:
            return await self._is_whole
        finally:
            if not self._is_whole.done() or self._is_whole.cancelled():
                # Where the next request begins is unknown to the parser.
                self._cycle.keep_alive = False
                self._hand_to(self._connection)

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._left

    def buffer_updated(self, nbytes: int) -> None:
        self._left = self._left[nbytes:]
        if self._left or self._is_whole.done():
            return
        from cellops.serving.upgrades import PlainParser

        # The one that has read the head still waits for the body.
        self._connection.parser = PlainParser(self._connection)
        self._cycle.more_body = False
        self._hand_to(self._connection)
        self._is_whole.set_result(True)

    def eof_received(self) -> None:
        self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)
        if not self._is_whole.done():
            self._is_whole.set_result(False)

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()

    def _hand_to(self, protocol: asyncio.BaseProtocol) -> None:
        """Transports look at how a protocol reads when reading begins."""
        if self._transport.is_closing():
            return
        # One that is closed meanwhile tells the protocol that it has.
        with suppress(RuntimeError):
            self._transport.pause_reading()
        self._transport.set_protocol(protocol)
        with suppress(RuntimeError):
            self._transport.resume_reading()


def _aligned(size: int, ahead: int) -> memoryview:
    """Memory of so many bytes, of which those behind `ahead` of them are aligned."""
    held = np.empty(size + ALIGNED, dtype=np.uint8)
    address: int = held.__array_interface__["data"][0]
    start = -(address + ahead) % ALIGNED
    return held.data[start : start + size]
