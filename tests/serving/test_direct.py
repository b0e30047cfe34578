"""Requests that are answered without ASGI: as those that are not, whatever comes before, behind or in place of them."""

import asyncio
import gc
import re
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from cellops.packaging.load import LoadedPackage, load_package
from cellops.packaging.predictor import Predictions
from cellops.serving.app import App
from cellops.serving.auth import Access
from cellops.serving.guard import guarded
from cellops.serving.heads import Head, KnownHead
from cellops.serving.limits import Limits
from cellops.serving.oidc import UnknownKeyError
from cellops.serving.server import build_app
from cellops.serving.shortcut import SOON
from cellops.serving.tokens import TokenScope, add_token
from support.served import TOKEN

PATH = b"/v1/models/flights:predict"
BODY = b'{"instances": [["UA", "EWR", 1400, 5, 20.1]]}'
BEARER = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
JSON = b"Content-Type: application/json\r\n"
LIMITS = Limits(max_bytes=100_000, max_rows=100, seconds=60.0)
CHANGING = re.compile(rb"[0-9a-f]{32}|date: [^\r]*")
WAIT = 60


class Watched:
    """An application of which it is known which requests came by ASGI."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.by_asgi: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.by_asgi.append(scope["path"])
        await self.app(scope, receive, send)


class Slow:
    """A model that begins and goes on when a test lets it."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def predict(self, columns: Any) -> Predictions:
        self.begun.set()
        assert self.go_on.wait(WAIT)
        rows = len(next(iter(columns.values())))
        return Predictions(np.zeros(rows, dtype=np.int64), np.tile([0.5, 0.5], (rows, 1)))


class Served:
    """An application behind a socket, in this event loop."""

    def __init__(self, app: App) -> None:
        self.app = Watched(app)
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"today")]

    async def __aenter__(self) -> "Served":
        config = uvicorn.Config(self.app, http=guarded(60.0), lifespan="off", log_config=None, proxy_headers=False)
        config.load()
        made: Any = config.http_protocol_class
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: made(config=config, server_state=self.state, app_state={}), "127.0.0.1", 0
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self._server.sockets[0].getsockname())

    async def said(self, *parts: bytes, pause: float = 0.0) -> bytes:
        """All that comes on a connection of its own, which the last part must end."""
        reader, writer = await self.connect()
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        said = await asyncio.wait_for(reader.read(), WAIT)
        writer.close()
        return said


def post(*headers: bytes, body: bytes = BODY, path: bytes = PATH, version: bytes = b"1.1") -> bytes:
    head = b"POST " + path + b" HTTP/" + version + b"\r\nHost: x\r\n" + JSON + b"".join(headers)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


GOOD = post(BEARER)
LAST = post(BEARER, b"Connection: close\r\n")


@pytest.fixture(scope="module")
def package(flights: Path) -> LoadedPackage:
    return load_package(flights)


@pytest.fixture(scope="module")
def app(package: LoadedPackage) -> Iterator[App]:
    made = build_app(package, LIMITS, TOKEN, None)
    yield made
    made.close()


@pytest.fixture
def slow(request: pytest.FixtureRequest, package: LoadedPackage) -> Iterator[tuple[App, Slow]]:
    """It waits for as many seconds as a test says."""
    model = Slow()
    limits = replace(LIMITS, seconds=getattr(request, "param", LIMITS.seconds))
    made = build_app(replace(package, predictor=model), limits, TOKEN, None)
    yield made, model
    model.go_on.set()
    made.close()


def run(app: App, work: Callable[[Served], Coroutine[Any, Any, Any]]) -> Any:
    async def do() -> Any:
        async with Served(app) as served:
            return await asyncio.wait_for(work(served), WAIT)

    return asyncio.run(do())


def alike(answer: bytes) -> bytes:
    """An answer without what is another each time, and without what is said of the connection."""
    return CHANGING.sub(b"", answer.replace(b"connection: close\r\n", b""))


def statuses(answers: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1.1 (\d+)", answers)


def test_both_ways_give_the_same_answer(app: App) -> None:
    async def ask(served: Served) -> list[bytes]:
        answers = await served.said(GOOD + LAST)
        direct, by_asgi = answers.split(b"HTTP/1.1 ")[1:]
        assert served.app.by_asgi == [PATH.decode()]
        return [alike(direct), alike(by_asgi)]

    direct, by_asgi = run(app, ask)
    assert direct == by_asgi
    assert direct.startswith(b"200 OK")


@pytest.mark.parametrize(
    ("request_", "ways"),
    [
        (GOOD, 0),
        (post(BEARER, b"X-Request-Id: mine\r\n"), 0),
        (post(BEARER, body=b"[]"), 0),
        (post(), 0),
        (post(BEARER, path=PATH + b"?x=1"), 1),
        (post(BEARER, path=b"/nowhere"), 1),
        (post(BEARER, b"Expect: 100-continue\r\n"), 1),
        (post(BEARER, body=b" " * 40_000 + BODY), 1),
        (b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 1),
        (GOOD.replace(b"POST", b"GET"), 1),
        (
            GOOD.replace(b"Content-Length: 45", b"Transfer-Encoding: chunked").replace(
                BODY, b"2d\r\n%b\r\n0\r\n\r\n" % BODY
            ),
            1,
        ),
    ],
)
def test_only_what_is_simple_goes_the_short_way(app: App, request_: bytes, ways: int) -> None:
    async def ask(served: Served) -> int:
        answers = await served.said(request_ + b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert len(statuses(answers.replace(b"HTTP/1.1 100 Continue", b""))) == 2
        return len(served.app.by_asgi) - 1

    assert run(app, ask) == ways


def test_requests_in_one_piece_are_answered_in_their_order(app: App) -> None:
    async def ask(served: Served) -> bytes:
        several = [post(BEARER, b"X-Request-Id: n%d\r\n" % n) for n in range(8)]
        return await served.said(b"".join(several) + post(BEARER, b"X-Request-Id: n8\r\nConnection: close\r\n"))

    answers = run(app, ask)
    assert statuses(answers) == [b"200"] * 9
    assert re.findall(rb"x-request-id: (\w+)", answers) == [b"n%d" % n for n in range(9)]


@pytest.mark.parametrize("cut", [1, 30, len(GOOD) - len(BODY), len(GOOD) - 1])
@pytest.mark.parametrize("pause", [0.0, 4 * SOON])
def test_a_request_in_two_pieces_is_answered_whenever_the_second_comes(app: App, cut: int, pause: float) -> None:
    async def ask(served: Served) -> bytes:
        reader, writer = await served.connect()
        for _ in range(2):
            for part in (GOOD[:cut], GOOD[cut:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            said = await reader.readuntil(b"}")
        writer.close()
        return said

    assert statuses(run(app, ask)) == [b"200"]


def test_a_refusal_that_ends_the_connection_lets_nothing_behind_it_in(app: App) -> None:
    twice = post(BEARER, b"X-Event-Time: 2013-01-01\r\nX-Event-Time: 2013-01-02\r\n")

    async def ask(served: Served) -> bytes:
        said = await served.said(twice + GOOD)
        assert served.app.by_asgi == []
        return said

    answers = run(app, ask)
    assert statuses(answers) == [b"400"]
    assert answers.count(b"connection: close") == 1


def test_a_client_that_leaves_takes_nobody_along(slow: tuple[App, Slow]) -> None:
    app, model = slow

    async def ask(served: Served) -> bytes:
        _, gone = await served.connect()
        gone.write(GOOD)
        await asyncio.to_thread(model.begun.wait, WAIT)
        gone.close()
        await gone.wait_closed()
        reader, writer = await served.connect()
        writer.write(GOOD)
        model.go_on.set()
        said = await reader.readuntil(b"}")
        writer.close()
        while served.state.tasks:
            await asyncio.sleep(0)
        return said

    assert statuses(run(app, ask)) == [b"200"]
    assert app.table.metrics.in_progress() == 0
    assert app._waiting == 0


async def answered(served: Served) -> bytes:
    """What is said to one request."""
    reader, writer = await served.connect()
    writer.write(GOOD)
    said = await reader.readuntil(b"}")
    writer.close()
    return said


@pytest.mark.parametrize("slow", [0.1], indirect=True)
def test_what_is_not_there_in_time_is_504(slow: tuple[App, Slow]) -> None:
    app, _ = slow

    assert statuses(run(app, answered)) == [b"504"]
    assert app.table.metrics.in_progress() == 0


def test_a_server_that_ends_waits_for_a_request_and_closes_its_connection(slow: tuple[App, Slow]) -> None:
    app, model = slow

    async def ask(served: Served) -> bytes:
        reader, writer = await served.connect()
        writer.write(GOOD)
        await asyncio.to_thread(model.begun.wait, WAIT)
        (protocol,) = served.state.connections
        protocol.shutdown()
        assert len(served.state.tasks) == 1
        model.go_on.set()
        said = await reader.read()
        writer.close()
        assert not served.state.tasks
        return said

    answer = run(app, ask)
    assert statuses(answer) == [b"200"]
    assert b"connection: close" in answer


def test_a_server_that_waits_no_longer_says_so(slow: tuple[App, Slow]) -> None:
    app, model = slow

    async def ask(served: Served) -> bytes:
        reader, writer = await served.connect()
        writer.write(GOOD)
        await asyncio.to_thread(model.begun.wait, WAIT)
        for task in tuple(served.state.tasks):
            task.cancel(msg="as uvicorn does")
        said = await reader.readuntil(b"}")
        writer.close()
        return said

    assert statuses(run(app, ask)) == [b"504"]


def test_a_token_whose_key_must_be_learned_first_is_waited_for(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    known = []

    class Learning:
        def client(self, _header: object, _scope: object) -> str:
            if not known:
                raise UnknownKeyError("x", remedy="y")
            return "somebody"

        async def learn(self) -> bool:
            await asyncio.sleep(0)
            known.append(True)
            return True

    monkeypatch.setattr(app, "_access", Learning())

    assert statuses(run(app, answered)) == [b"200"]


def test_requests_leave_nothing_for_the_collector(slow: tuple[App, Slow]) -> None:
    app, model = slow
    model.go_on.set()

    async def ask(served: Served) -> int:
        reader, writer = await served.connect()

        async def turn() -> None:
            writer.write(GOOD)
            await reader.readuntil(b"}")

        for _ in range(3):
            await turn()
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                await turn()
            return gc.collect()
        finally:
            gc.enable()
            writer.close()

    assert run(app, ask) < 50


LINES = st.sampled_from(
    [
        b"Host: x\r\n",
        JSON,
        BEARER,
        b"Content-Length: 45\r\n",
        b"content-length: 45\r\n",
        b"X: Content-Length: 45\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"X-Request-Id: a\r\n",
        b"\r\n",
        b" folded\r\n",
        b"Content-Length:\r\n",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_request_is_answered_on_a_connection_that_was_used_as_on_a_new_one(app: App, data: st.DataObject) -> None:
    lines = GOOD[: -len(BODY)].split(b"\r\n")
    kept = [line + b"\r\n" for line in lines[1:-2]]
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.integers(0, len(kept)))
        kept[place : place + data.draw(st.integers(0, 1))] = [data.draw(LINES)]
    digits = data.draw(
        st.sampled_from([b"%d" % len(BODY), b"0%d" % len(BODY), b"45", b"+45", b"45 ", b"0x2d", b"4_5", b""])
    )
    head = b"".join(kept).replace(b"Content-Length: %d\r\n" % len(BODY), b"Content-Length: " + digits + b"\r\n")
    end = data.draw(st.sampled_from([b"", b"\r\n", GOOD, b"x"]))
    second = lines[0] + b"\r\n" + head + b"\r\n" + BODY + end

    async def ask(served: Served) -> tuple[bytes, bytes]:
        fresh = await served.said(second + LAST)
        reader, writer = await served.connect()
        writer.write(GOOD)
        await reader.readuntil(b"}")
        writer.write(second + LAST)
        used = await asyncio.wait_for(reader.read(), WAIT)
        writer.close()
        return alike(fresh), alike(used)

    fresh, used = run(app, ask)
    assert fresh == used


def test_a_head_is_known_again_with_another_length_and_with_nothing_else_changed() -> None:
    head = Head("POST", PATH.decode(), [])
    known = KnownHead.of(head, GOOD, len(BODY))
    assert known is not None
    assert known.body(GOOD) == BODY
    assert known.body(post(BEARER, body=b"{}")) == b"{}"
    assert known.body(GOOD + b"\r\n") is None
    assert known.body(GOOD[:-1]) is None
    assert known.body(post(BEARER.replace(b"a", b"b"))) is None
    assert known.body(post(BEARER, body=b"x" * 10_000_000)[:200]) is None
    for size in (b"+2", b" 2", b"2 ", b"0x2", b"2_", b"", b"-2", b"\xb2"):
        assert known.body(post(BEARER, body=b"{}").replace(b"Length: 2", b"Length: " + size)) is None
    assert KnownHead.of(head, GOOD + b"\r\n", len(BODY)) is None
    assert KnownHead.of(head, post(b"Content-Length: 45\r\n"), len(BODY)) is None
    assert KnownHead.of(head, GOOD.replace(b"Content-Length: 4", b"Content-Length:  4"), len(BODY)) is None


def test_a_head_is_admitted_once_with_the_servers_own_token_and_each_time_with_another(
    package: LoadedPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tokens"
    theirs = b"Bearer " + add_token(file, "nightly", [TokenScope.PREDICT]).encode()
    made, asked = build_app(package, LIMITS, TOKEN, None, tokens=file), Counter[bytes | None]()
    known = Access.client

    def client(self: Access, header: bytes | None, scope: TokenScope | None) -> str:
        asked[header] += 1
        return known(self, header, scope)

    monkeypatch.setattr(Access, "client", client)

    async def work(served: Served) -> bytes:
        reader, writer = await served.connect()
        said = b""
        for header in (BEARER, b"Authorization: " + theirs + b"\r\n", b"Authorization: Bearer wrong\r\n"):
            for _ in range(3):
                writer.write(post(header))
                said += await reader.read(65536)
        writer.close()
        return said

    said = run(made, work)
    made.close()
    assert statuses(said) == [*[b"200"] * 6, *[b"403"] * 3]
    assert asked[theirs] == asked[b"Bearer wrong"] == 3
    assert asked[BEARER.removeprefix(b"Authorization: ").strip()] == 1
