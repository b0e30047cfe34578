"""`cellops serve` in the environment of a test deployment: from its start to its end by SIGTERM."""

import contextlib
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cellops.capture.environment.processes import Log, started, surroundings
from cellops.errors import DeploymentError
from cellops.packaging.deployment.wire import Wire
from cellops.records.deployment import DeploymentStep

STARTING = 180
"""Seconds until it must be ready: in a new environment the first start compiles every library."""
STOPPING = 45
"""Seconds until it must have ended: it lets requests under way finish within 30."""
READY = "Serving "
SIGNS = 10
"""Seconds within which it must begin a request, or cease to listen."""
PAUSE = 0.005
IN_PROGRESS = re.compile(r"^cellops_requests_in_progress\{[^}]*\} (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """A server that is ready."""

    process: "subprocess.Popen[str]"
    log: Log
    host: str
    port: int
    token: str

    def wire(self) -> Wire:
        """A connection to it that is kept."""
        return Wire(self.host, self.port, self.token)

    def failure(self, step: DeploymentStep, fact: str, remedy: str) -> DeploymentError:
        """The error of a step, with what the server has said last."""
        return DeploymentError(fact, remedy=remedy, step=step, log=self.log.end())


@contextlib.contextmanager
def serving(
    python: Path, package: Path, *, project: Path, folder: Path, settings: Mapping[str, str]
) -> Iterator[Server]:
    """Start the server on a free port, and give it when it has proven its parity rows.

    Parameters
    ----------
    python
        The Python of the environment.
    project
        Where it is started, so that the project's settings hold.
    folder
        Where it keeps its own files and its log of predictions.
    settings
        Variables of cellops that hold beside those of the environment.

    Raises
    ------
    DeploymentError
        When it ends, or is not ready in time.
    """
    token = secrets.token_urlsafe(24)
    own = {"CELLOPS_SERVER_TOKEN": token, "CELLOPS_FOLDER": str(folder), "PYTHONUNBUFFERED": "1", **settings}
    # Isolated: neither variables of Python nor the current folder say what is imported.
    command = [str(python), "-I", "-m", "cellops", "serve", str(package), "--port", "0", "--log", str(folder / "log")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with started(command, cwd=project, env=surroundings(own), **pipes) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        log = Log(process.stdout)
        ready = log.wait_for(READY, STARTING)
        if ready is None:
            raise _not_ready(process, log)
        host, port = _address(ready)
        yield Server(process, log, host, port, token)


def stop(server: Server, path: str, body: bytes) -> None:
    """Send SIGTERM while a request is under way, and see that this is answered and the process ends well.

    Raises
    ------
    DeploymentError
        When the request is lost, or the process does not end, or with another code than 0.
    """
    remedy = "Orchestrators stop servers so: see the server's log"
    with server.wire() as under_way, server.wire() as other:
        under_way.begin(path, body)
        if not _until(lambda: _begun(other) > 1):
            raise server.failure(DeploymentStep.STOP, "The server does not begin a request that comes slowly", remedy)
        server.process.send_signal(signal.SIGTERM)
        if not _until(lambda: not _listens(server)):
            raise server.failure(DeploymentStep.STOP, "The server still listens after SIGTERM", remedy)
        try:
            status = under_way.finish(body)
        except OSError as error:
            fact = f"The request under way is lost when the server is stopped: {type(error).__name__} {error}"
            raise server.failure(DeploymentStep.STOP, fact, remedy) from error
    if status != Wire.OK:
        fact = f"The request under way is answered with {status} when the server is stopped"
        raise server.failure(DeploymentStep.STOP, fact, remedy)
    try:
        code = server.process.wait(STOPPING)
    except subprocess.TimeoutExpired as error:
        fact = f"The server has not ended {STOPPING} s after SIGTERM"
        raise server.failure(DeploymentStep.STOP, fact, remedy) from error
    if code:
        raise server.failure(DeploymentStep.STOP, f"The server ends with exit code {code} after SIGTERM", remedy)


def _begun(wire: Wire) -> int:
    found = IN_PROGRESS.search(wire.get("/metrics"))
    return int(found[1]) if found else 0


def _until(is_so: Callable[[], bool]) -> bool:
    ends = time.monotonic() + SIGNS
    while not is_so():
        if time.monotonic() > ends:
            return False
        time.sleep(PAUSE)
    return True


def _listens(server: Server) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((server.host, server.port)) == 0


def _address(ready: str) -> tuple[str, int]:
    host, _, port = ready.partition(" on http://")[2].split()[0].rpartition(":")
    return host, int(port)


def _not_ready(process: "subprocess.Popen[str]", log: Log) -> DeploymentError:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
    code, last = process.poll(), log.end()
    said = f": {last[-1]}" if last else ""
    fact = f"The server ends with exit code {code}{said}" if code is not None else f"It is not ready in {STARTING} s"
    remedy = "See what its environment lacks, or what the package needs of the server's settings"
    return DeploymentError(fact, remedy=remedy, step=DeploymentStep.START, log=last)
