"""A store that cannot be used is one clear line, which holds no credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cellops import settings
from cellops.errors import RefusedError, TrackingError
from cellops.records.run import RunOpened
from cellops.tracking.store import Store
from support.server import free_port

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"postgresql://user:{SECRET}@127.0.0.1:9/db", "needs a driver that is not installed"),
        (f"http://user:{SECRET}@[bad", "is no address"),
        (f"http://user:{SECRET}@127.0.0.1:port", "is no address"),
        (f"http://user:{SECRET}@127.0.0.1:{{port}}", "did not answer"),
        (f"http://127.0.0.1:{{port}}/x?token={SECRET}", "did not answer"),
        ("sqlite:////proc/nowhere/mlflow.db", "did not answer"),
        ("nosuch://place", "did not answer"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], address: str, said: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address.format(port=free_port()))
    with pytest.raises(TrackingError, match=said) as caught:
        Store(settings.load()).runs(1)
    assert len(caught.value.text().splitlines()) == 1
    assert "cellops sync" in caught.value.remedy
    shown = capfd.readouterr()
    assert SECRET not in caught.value.text() + shown.out + shown.err
    assert "Traceback" not in shown.err


@contextmanager
def answering(status: HTTPStatus) -> Iterator[str]:
    """A web server that is no MLflow, or one behind a door: it has one answer for everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (HTTPStatus.UNAUTHORIZED, "did not let us in", "MLFLOW_TRACKING_USERNAME"),
        (HTTPStatus.FORBIDDEN, "did not let us in", "MLFLOW_TRACKING_USERNAME"),
        (HTTPStatus.NOT_FOUND, "did not answer", "MLFLOW_TRACKING_URI"),
        (HTTPStatus.BAD_REQUEST, "did not answer", "MLFLOW_TRACKING_URI"),
    ],
)
def test_a_server_that_does_not_let_us_in_or_is_another_refuses_no_record(
    project: Path, monkeypatch: pytest.MonkeyPatch, status: HTTPStatus, said: str, remedy: str
) -> None:
    with answering(status) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        with pytest.raises(TrackingError, match=said) as caught:
            Store(settings.load()).open_run(RunOpened(run="a" * 32, session="s", name="r", started=1.0, order=1))
    assert not isinstance(caught.value, RefusedError)
    assert remedy in caught.value.remedy


def test_a_refused_connection_is_said_in_two_words(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(TrackingError, match=r"http://127\.0\.0\.1:\d+ did not answer: connection refused\.") as caught:
        Store(settings.load()).ask()
    assert "HTTPConnectionPool" not in str(caught.value)
