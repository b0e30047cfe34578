"""Bodies that are read straight into their place, on a socket under guard."""

import asyncio
import ssl
import zlib
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
import uvloop
from uvicorn.server import ServerState

from cellops.serving.errors import SlowError
from cellops.serving.guard import guarded
from cellops.serving.limits import LONG, Limits
from cellops.serving.wholes import WHOLE
from serving.test_tls import written

PATIENCE = 0.3
BODY = np.random.default_rng(0).bytes(10 * LONG + 7)
Message = MutableMapping[str, Any]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


def post(body: bytes, *more: bytes) -> bytes:
    return b"".join([b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body), *more, b"\r\n"])


def told(body: bytes) -> bytes:
    return b"%d bytes, %d" % (len(body), zlib.crc32(body))


class App:
    """Tells what it was sent; `read` has each body."""

    def __init__(self) -> None:
        self.read: list[object] = []
        self.left = asyncio.Event()

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        whole = scope.pop("extensions")[WHOLE]
        headers = dict(scope["headers"])
        try:
            body = await Limits(10**8, 10, seconds=PATIENCE).read(headers, receive, whole.body)
        except SlowError:
            body = b"slow"
        self.read.append(body)
        if body is None:
            self.left.set()
            return
        answer = told(bytes(body)) if body != b"slow" else b"slow"
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]}
        )
        await send({"type": "http.response.body", "body": answer})


async def served(app: App, talk: Talk, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None) -> bytes:
    """What a client is told that talks to a server of the app."""
    config = uvicorn.Config(app, http=guarded(60.0), lifespan="off", log_config=None, proxy_headers=False)
    config.load()
    made = config.http_protocol_class
    assert not isinstance(made, str)
    loop, mine, theirs = asyncio.get_running_loop(), *(tls or (None, None))
    server = await loop.create_server(
        lambda: made(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0, ssl=mine
    )
    async with server:
        name = "localhost" if theirs else None
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=theirs, server_hostname=name)
        try:
            return await asyncio.wait_for(talk(reader, writer), 30)
        finally:
            writer.close()


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, bytes]], bytes]:
    ran: Callable[[Coroutine[Any, Any, bytes]], bytes] = request.param
    return ran


async def three(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """A long body in pieces, with a short and a long one right behind it."""
    first, second, third = BODY, b"short", BODY[1:]
    content = b"".join(post(body) + body for body in (first, second, third))
    for start in range(0, len(content), 300_001):
        writer.write(content[start : start + 300_001])
        await writer.drain()
    said = [await reader.readuntil(told(body)) for body in (first, second, third)]
    assert all(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in said)
    return b"".join(said)


def test_requests_behind_a_long_body_are_their_own(run: Callable[..., bytes]) -> None:
    async def main() -> bytes:
        app = App()
        said = await served(app, three)
        assert [bytes(body) for body in app.read] == [BODY, b"short", BODY[1:]]
        assert type(app.read[0]) is type(app.read[2]) is memoryview
        return said

    assert run(main()).count(b"HTTP/1.1") == 3


def test_it_is_so_over_tls(run: Callable[..., bytes], tmp_path: Path) -> None:
    chain, key = written(tmp_path, "server")
    mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mine.load_cert_chain(chain, key)
    tls = mine, ssl.create_default_context(cafile=chain)

    async def main() -> bytes:
        app = App()
        said = await served(app, three, tls)
        assert [type(body) for body in app.read] == [memoryview, bytes, memoryview]
        return said

    assert run(main()).count(b"HTTP/1.1") == 3


def test_numbers_behind_the_head_of_a_body_are_aligned(run: Callable[..., bytes]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(post(BODY, b"Inference-Header-Content-Length: 13\r\n") + BODY)
        return await reader.readuntil(told(BODY))

    async def main() -> bytes:
        app = App()
        said = await served(app, talk)
        (body,) = app.read
        assert isinstance(body, memoryview)
        assert body.readonly
        assert np.frombuffer(body[13:], np.uint8).ctypes.data % 64 == 0
        return said

    assert run(main())


def test_a_body_is_asked_for_where_a_client_waits_for_that(run: Callable[..., bytes]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(post(BODY, b"Expect: 100-continue\r\n"))
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(BODY)
        return asked + await reader.readuntil(told(BODY))

    assert run(served_by_new(talk)).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_a_body_without_an_announced_length_is_read_as_it_comes(run: Callable[..., bytes]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (BODY[:LONG], BODY[LONG:]):
            writer.write(b"%x\r\n" % len(part) + part + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        return await reader.readuntil(told(BODY))

    assert run(served_by_new(talk))


def test_a_client_that_stops_is_told_and_the_connection_ends(run: Callable[..., bytes]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        # What comes after an answer on such a connection could be the rest of this body.
        writer.write(post(BODY) + BODY[: 2 * LONG])
        return await reader.read()

    said = run(served_by_new(talk))
    assert said.endswith(b"slow")
    assert b"connection: close" in said


def test_a_client_that_leaves_is_not_waited_for(run: Callable[..., bytes]) -> None:
    async def main() -> bytes:
        app = App()

        async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
            writer.write(post(BODY) + BODY[: 2 * LONG])
            await writer.drain()
            writer.close()
            await app.left.wait()
            return b""

        said = await served(app, talk)
        assert app.read == [None]
        return said

    assert run(main()) == b""


async def served_by_new(talk: Talk) -> bytes:
    return await served(App(), talk)
