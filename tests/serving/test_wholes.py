"""Answers in one piece, and connections that rest, on a socket under guard."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from cellops.serving.guard import guarded
from cellops.serving.wholes import WHOLE

LONG = 60.0
GET = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"
Message = MutableMapping[str, Any]


async def app(scope: Message, _receive: object, send: Callable[[Message], Awaitable[None]]) -> None:
    value = b"a\r\nset-cookie: b" if scope["path"] == "/split" else scope["path"].encode()
    headers = [(b"content-length", b"2"), (b"x-path", value)]
    if not scope.pop("extensions")[WHOLE](200, headers, b"ok"):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


async def talk(*parts: bytes, rest: float = LONG) -> list[bytes]:
    """What comes after each part, and then until the server closes."""
    config = uvicorn.Config(app, http=guarded(60.0), lifespan="off", log_config=None, proxy_headers=False)
    config.timeout_keep_alive = rest  # type: ignore[assignment]
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    state.default_headers = [(b"date", b"today")]
    made = config.http_protocol_class
    assert not isinstance(made, str)
    server = await loop.create_server(lambda: made(config=config, server_state=state, app_state={}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        said = []
        try:
            for part in parts:
                writer.write(part)
                said.append(await reader.readuntil(b"ok"))
            if rest == LONG:
                writer.write_eof()
            return [*said, await reader.read()]
        finally:
            writer.close()


def test_an_answer_has_the_headers_of_both_and_its_body() -> None:
    first, second, rest = asyncio.run(talk(GET % b"/a", b"HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n" + GET % b"/c"))
    assert first == b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 2\r\nx-path: /a\r\n\r\nok"
    # HEAD has the same head, and no body.
    assert second.count(b"HTTP/1.1 200 OK") == 2
    assert second.count(b"content-length: 2") == 2
    assert second.endswith(b"x-path: /c\r\n\r\nok")
    assert rest == b""


def test_a_client_that_wants_to_close_is_told_so() -> None:
    (answer, rest) = asyncio.run(talk(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    assert b"\r\nconnection: close\r\n\r\nok" in answer
    assert rest == b""


def test_a_header_with_an_end_of_line_never_becomes_two() -> None:
    with pytest.raises(asyncio.IncompleteReadError) as told:
        asyncio.run(talk(GET % b"/split"))
    assert told.value.partial == b""


def test_a_connection_that_rests_is_closed_and_one_that_asks_is_not() -> None:
    *answers, rest = asyncio.run(talk(GET % b"/a", GET % b"/b", GET % b"/c", rest=0.2))
    assert len(answers) == 3
    assert rest == b""
