"""A real Jupyter server with our extension, on a project that holds one run."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

TOKEN = "a-token-of-this-test"


@dataclass
class Server:
    url: str
    root: Path
    log: Path

    def get(self, path: str, *, token: str = TOKEN, **query: object) -> tuple[int, dict]:
        """The status and the JSON of an answer."""
        request = Request(f"{self.url}/{path}?{urlencode(query)}", headers={"Authorization": f"token {token}"})
        try:
            with urlopen(request, timeout=120) as response:
                return response.status, json.load(response)
        except HTTPError as error:
            body = error.read()
            return error.code, json.loads(body) if error.code != HTTPStatus.FORBIDDEN else {}


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("jupyter-server")
    root = home / "project"
    (root / ".cellops").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "MLFLOW", "CELLOPS"))}
    folders = {name: str(home / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyter_server",
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={root}",
            f"--IdentityProvider.token={TOKEN}",
            "--ServerApp.jpserver_extensions={'cellops.labserver': True, 'doors': True}",
        ],
        env={**kept, **folders, "PYTHONPATH": str(Path(__file__).parent)},
        stdout=(home / "log").open("w"),
        stderr=subprocess.STDOUT,
    )
    running = Server(f"http://127.0.0.1:{port}", root, home / "log")
    try:
        wait_until_up(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(30)


def wait_until_up(server, process):
    """Until the server answers, or has ended; at most three minutes, as it imports much on a busy machine."""
    for _ in range(900):
        try:
            return urlopen(f"{server.url}/api", timeout=10).close()
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
                break
    pytest.fail(f"The Jupyter server does not answer:\n{server.log.read_text()}")
