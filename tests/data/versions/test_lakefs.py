"""Objects of lakeFS are read by its own client, from a server that answers with the client's data types."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from cellops.capture.files.pointers import pointer_of
from cellops.data.versions.lakefs import ENDPOINT, KEY, SECRET, lakefs_object
from cellops.errors import DataError, UsageError

lakefs_sdk = pytest.importorskip("lakefs_sdk")
COMMIT = "a" * 64
CONTENT = b"id,amount\n1,0.5\n"


class Answers(BaseHTTPRequestHandler):
    """A server with the repository `flights`, its branch `main`, and one object of one commit."""

    def do_GET(self) -> None:
        root = "/api/v1/repositories/flights"
        if self.path == f"{root}/branches/main":
            self._send(200, lakefs_sdk.Ref(id="main", commit_id=COMMIT).to_json().encode(), "application/json")
        elif unquote(self.path).startswith(f"{root}/refs/{COMMIT}/objects?path=2013/jan.csv"):
            assert self.headers["Authorization"].startswith("Basic ")
            self._send(200, CONTENT, "application/octet-stream")
        else:
            self._send(404, lakefs_sdk.Error(message="not found").to_json().encode(), "application/json")

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{served.server_port}")
        monkeypatch.setenv(KEY, "AKIAEXAMPLE")
        monkeypatch.setenv(SECRET, "no secret")
        yield
        served.shutdown()
        thread.join()


@pytest.mark.usefixtures("server")
def test_an_object_is_had_as_it_was_at_a_commit(tmp_path: Path) -> None:
    pointer = pointer_of(f"lakefs://flights/{COMMIT}/2013/jan.csv")
    assert pointer.version == lakefs_sdk.Ref(id="x", commit_id=COMMIT).commit_id
    copy = lakefs_object(pointer.target, pointer.version or "", tmp_path)
    assert (copy.name, copy.read_bytes()) == ("jan.csv", CONTENT)


@pytest.mark.usefixtures("server")
def test_a_branch_names_no_version_and_what_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="branch main") as caught:
        lakefs_object("lakefs://flights/2013/jan.csv", "main", tmp_path)
    assert COMMIT[:12] in caught.value.remedy
    with pytest.raises(DataError, match=r"2013/feb\.csv of flights"):
        lakefs_object("lakefs://flights/2013/feb.csv", COMMIT, tmp_path)


def test_a_server_has_to_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    with pytest.raises(UsageError, match=ENDPOINT):
        lakefs_object("lakefs://flights/2013/jan.csv", COMMIT, tmp_path)
