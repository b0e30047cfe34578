"""Sockets by hand: clients that are slow, large or ambiguous, with either of uvicorn's parsers."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops.serving.limits import MOST_HEAD_BYTES
from support.served import TOKEN, Running, running

WAIT = 60
PATH = "/v1/models/flights:predict"
BODY = b'{"instances": [["UA", "EWR", 1400, 5, 20.1]]}'
BEARER = f"Authorization: Bearer {TOKEN}\r\n".encode()
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module", params=["httptools", "h11"])
def server(
    request: pytest.FixtureRequest, flights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "h11":
            (folder / "httptools.py").write_text("raise ImportError")
            patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        with running(flights, folder, server_request_seconds="0.5") as started:
            yield started


def connected(server: Running) -> socket.socket:
    return socket.create_connection((server.client.base_url.host, server.client.base_url.port), timeout=WAIT)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def said(server: Running, *parts: bytes) -> bytes:
    with connected(server) as connection:
        for part in parts:
            connection.sendall(part)
        return rest(connection)


def post(*headers: bytes, path: str = PATH) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode() + BEARER + JSON + b"".join(headers) + b"\r\n"


@pytest.mark.parametrize("begun", [b"", b"GET /ping HT", b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_never_ends_is_not_waited_for(server: Running, begun: bytes) -> None:
    assert said(server, begun) == b""


def test_neither_is_that_of_a_second_request(server: Running) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /ping HT")
        assert rest(connection) == b""


def test_a_body_that_never_ends_is_408(server: Running) -> None:
    answer = said(server, post(b"Content-Length: 100\r\n"), BODY)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in answer
    assert b"CELLOPS_SERVER_REQUEST_SECONDS" in answer


def test_a_body_that_is_sent_after_its_answer_is_not_waited_for(server: Running) -> None:
    refused = post(b"Content-Length: 100\r\n").replace(b"Bearer", b"Basic")
    with connected(server) as connection:
        connection.sendall(refused)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401")
        connection.sendall(b"{")
        rest(connection)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 200_000,
        b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 66_000 + b"\r\n\r\n",
        b"GET /ping?" + b"x" * 66_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"X-Many: x\r\n" * 200 + b"\r\n",
    ],
    ids=["endless", "one header", "query", "many headers"],
)
def test_a_head_that_is_too_large_is_refused(server: Running, head: bytes) -> None:
    answer = said(server, head)
    # A connection that is closed with unread bytes may lose its answer.
    assert answer[9:12] in (b"431", b"400", b"")
    assert server.client.get("/ping").status_code == 200


def test_a_head_is_refused_with_a_word_at_the_first_byte_too_many(server: Running) -> None:
    begun = b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Large: "
    # No byte is left unread, so the answer cannot be lost. Uvicorn's h11 has the same limit, and says 400.
    answer = said(server, begun + b"x" * (MOST_HEAD_BYTES + 1 - len(begun)))
    assert answer[9:12] in (b"431", b"400")
    assert b"connection: close" in answer.lower()


SMUGGLED = b"POST /feedback HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"],
        [b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n"],
        [b"Content-Length: 0\r\n", b"Content-Length: 5\r\n"],
        [b"Content-Length: 0, 5\r\n"],
        [b"Content-Length: +5\r\n"],
        [b"Content-Length: -1\r\n"],
        [b"Content-Length: 0x5\r\n"],
        [b"Transfer-Encoding : chunked\r\n"],
        [b"Transfer-Encoding: xchunked\r\n"],
        [b"Transfer-Encoding: chunked, identity\r\n"],
        [b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n"],
        [b"Content-Length: 0\r\n", b"Authorization: Bearer other\r\n"],
        [b"Content-Length: 0\r\n", b"Content-Type: text/csv\r\n"],
    ],
    ids=lambda headers: b" ".join(headers).decode().replace("\r\n", ";"),
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(server: Running, headers: list[bytes]) -> None:
    answer = said(server, post(*headers) + b"0\r\n\r\n" + SMUGGLED)
    assert answer[9:12] in (b"400", b"501")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/models/../flights:predict",
        b"/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd:predict",
        b"//etc/passwd",
        b"/v2/models/flights/versions/../infer",
        b"/%00",
        b"/%ff%fe",
        b"/v1/models/flights:predict/..",
        b"*",
        b"http://elsewhere/v1/models/other:predict",
    ],
)
def test_a_path_leads_to_nothing_but_the_model(server: Running, target: bytes) -> None:
    head = b"POST " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n"
    answer = said(server, head + BEARER + b"\r\n")
    assert answer[9:12] in (b"400", b"404")
    assert b"Traceback" not in answer


def test_requests_that_pile_up_in_a_connection_end_it(server: Running) -> None:
    with connected(server) as connection:
        try:
            connection.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 2_000)
            connection.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        except ConnectionError:
            return
        # h11 keeps what it has not read as bytes, and answers one after the other.
        assert rest(connection).count(b"HTTP/1.1 404") in (0, 1, 2_001)


def test_a_few_of_them_are_answered_in_order(server: Running) -> None:
    first = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\nX-Request-Id: n%d\r\n\r\n" % (n, n) for n in range(8))
    answers = said(server, first + b"GET /8 HTTP/1.1\r\nHost: x\r\nX-Request-Id: n8\r\nConnection: close\r\n\r\n")
    assert re.findall(rb"x-request-id: (\w+)", answers) == [b"n%d" % n for n in range(9)]


@pytest.mark.parametrize("offer", [b"h2c", b"websocket"])
@pytest.mark.parametrize("pieces", [1, 20])
def test_the_offer_of_another_protocol_is_passed_over(server: Running, offer: bytes, pieces: int) -> None:
    offering = [b"Connection: Upgrade, HTTP2-Settings\r\n", b"Upgrade: " + offer + b"\r\n", b"HTTP2-Settings: AA\r\n"]
    inner = post(b"Content-Length: 46\r\n", b"Connection: close\r\n") + BODY
    asked = post(*offering, b"Content-Length: %d\r\n" % len(BODY)) + BODY
    wrapped = post(*offering, b"Content-Length: %d\r\n" % len(inner)) + inner
    ending = post(b"Content-Length: %d\r\n" % len(BODY), b"Connection: close\r\n") + BODY
    for request, status in ((asked, b"200"), (wrapped, b"400")):
        sent = request + ending
        size = -(-len(sent) // pieces)
        answer = said(server, *(sent[at : at + size] for at in range(0, len(sent), size)))
        assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [status, b"200"]


def test_a_tunnel_is_refused(server: Running) -> None:
    tunnel = b"CONNECT elsewhere:80 HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = said(server, tunnel + post(b"Content-Length: 0\r\n", b"Connection: close\r\n"))
    assert answer[9:12] in (b"400", b"401")


def test_answers_that_nobody_reads_are_not_kept(server: Running) -> None:
    ready = b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + BEARER + b"\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(WAIT)
        connection.connect((server.client.base_url.host, server.client.base_url.port))
        with pytest.raises(ConnectionError):
            connection.sendall(ready * 200_000)


def test_no_more_connections_are_kept_than_there_are_files_for(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path, server_request_seconds="60") as patient:
        held = [connected(patient) for _ in range(1100)]
        try:
            assert b"503" in b"".join(rest(connection) for connection in held[-50:])
        finally:
            for connection in held:
                connection.close()
        assert patient.client.post(PATH, content=BODY).status_code == 200
