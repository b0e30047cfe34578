"""The server process: bind, prove parity, listen, and on a signal drain and close the logs."""

import errno
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn

from cellops.data.decoder import Decoder
from cellops.errors import UsageError
from cellops.packaging.formats import FORMATS
from cellops.packaging.load import LoadedPackage
from cellops.packaging.versions import explained
from cellops.records.finding import Finding
from cellops.serving.app import App
from cellops.serving.auth import Access, require_chosen_token
from cellops.serving.dataplane import DataPlane
from cellops.serving.feedback import Feedback
from cellops.serving.guard import guarded
from cellops.serving.limits import Limits
from cellops.serving.logs import LogPlace, Logs
from cellops.serving.metrics import Metrics
from cellops.serving.parity import replay
from cellops.serving.prediction_ids import PredictionIds
from cellops.serving.protocols import PROTOCOLS
from cellops.serving.protocols.protocol import Served
from cellops.serving.strategies.single import Single
from cellops.serving.strategies.strategy import Slot
from cellops.serving.throttle import Throttle
from cellops.serving.tls import Certificate
from cellops.settings import Settings

DRAINING = 30
"""Seconds for which requests under way may be finished after a signal to stop."""
IDLE = 75
"""Seconds for which a connection may rest. Load balancers keep theirs for a minute, and a server that closes one first
lets a request on its way fail.
"""
VERSION_LENGTH = 12
HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Work:
    """What a server has done from its start to its end."""

    requests: int
    """Questions that were answered."""
    rows: int
    labels: int
    findings: tuple[Finding, ...]
    """What the logs have lost."""


def serve(
    package: LoadedPackage,
    *,
    host: str,
    port: int,
    token: str,
    token_was_chosen: bool,
    log: LogPlace,
    settings: Settings,
    on_ready: Callable[[str], None],
    certificate: Certificate | None = None,
) -> Work:
    """Serve a package until the process is told to stop (SIGTERM or SIGINT).

    Parameters
    ----------
    package
        The package with its model.
    host, port
        Where to listen; port 0 takes a free one.
    token
        What clients must send.
    token_was_chosen
        Whether a person chose it; else the server listens on loopback only.
    log
        Where predictions and labels are logged.
    settings
        Limits and the log's rhythm.
    on_ready
        Called with the server's address once it answers.
    certificate
        What it speaks TLS with; without one it speaks plain HTTP.

    Raises
    ------
    UsageError
        When the address cannot be listened on, or is open to others and no token was chosen.
    SettingsError
        When requests cannot be counted as the settings ask.
    PackageError
        When the parity rows are answered otherwise than in training. The server never listens then.
    """
    require_chosen_token(host, chosen=token_was_chosen)
    throttle = Throttle(settings.server_rate, settings.server_rate_store) if settings.server_rate else None
    with _bound(host, port) as listener:
        _prove(package, token)
        limits = Limits(settings.server_max_bytes, settings.server_max_rows, settings.server_request_seconds)
        with closing(Logs.open(log, package.contract.schema, settings)) as logs:
            app = build_app(package, limits, token, logs, tokens=settings.tokens, throttle=throttle)
            address = listener.getsockname()
            shown = f"[{address[0]}]" if listener.family == socket.AF_INET6 else address[0]
            with _address_errors(host, port):
                # Of two servers that start together both could bind; only one can listen.
                listener.listen()
            scheme = "https" if certificate else "http"
            ready = partial(on_ready, f"{scheme}://{shown}:{address[1]}")
            _run(app, listener, limits.seconds, ready, certificate)
            app.close()
    total = app.metrics.total
    return Work(
        requests=total("cellops_request_rows_count"),
        rows=total("cellops_request_rows_sum"),
        labels=total("cellops_labels_total"),
        findings=logs.findings(),
    )


def build_app(
    package: LoadedPackage,
    limits: Limits,
    token: str,
    logs: Logs | None,
    *,
    tokens: Path | None = None,
    throttle: Throttle | None = None,
) -> App:
    """The application of one package; without logs it forgets what it answers, without a file only `token` is taken."""
    version = package.digest[:VERSION_LENGTH]
    metrics = Metrics(package.manifest.name, version)
    schema = package.contract.schema
    served = Served(
        name=package.manifest.name,
        version=version,
        platform=FORMATS[package.provenance.model_format].platform,
        decoder=Decoder(schema),
        limits=limits,
    )
    strategy, ids = Single(Slot("champion", package)), PredictionIds(served.name)
    if logs is None:
        plane, feedback = DataPlane(strategy, metrics), Feedback(schema, limits, ids, lambda _labels, _rows: True)
    else:
        plane, feedback = (
            DataPlane(strategy, metrics, logs.recorder.take, logs.recorder.admit),
            Feedback(schema, limits, ids, logs.labels.append),
        )
        metrics.watch_losses("predictions", lambda: logs.predictions.lost_rows)
        metrics.watch_losses("labels", lambda: logs.labels.lost_rows)
        metrics.watch_uploads(logs.waiting)
    access = Access(token, tokens)
    return App(
        served,
        plane,
        access=access,
        metrics=metrics,
        protocols=PROTOCOLS,
        feedback=feedback,
        ids=ids,
        throttle=throttle,
    )


def _prove(package: LoadedPackage, token: str) -> None:
    """Replay the parity rows in an application of their own: not logged, not counted, and without limits."""
    app = build_app(package, Limits(sys.maxsize, sys.maxsize), token, None)
    try:
        with explained(package.environment):
            replay(app, package.contract, f"/v2/models/{package.manifest.name}/infer", token)
    finally:
        app.close()


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at the address, which does not listen yet: clients are refused until the server can answer."""
    with _address_errors(host, port):
        # getaddrinfo keeps the lower 16 bits of a larger number, and another port would be served.
        if not 0 <= port <= HIGHEST_PORT:
            raise OSError(errno.EINVAL, f"ports go from 0 to {HIGHEST_PORT}")
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    with listener:
        yield listener


@contextmanager
def _address_errors(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fact = f"Nothing can listen on {host}, port {port}: {error.strerror or error}"
        raise UsageError(fact, remedy="Choose another port with --port, or 0 for a free one") from error


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def _run(
    app: App,
    listener: socket.socket,
    seconds: float,
    on_ready: Callable[[], None],
    certificate: Certificate | None,
) -> None:
    config = uvicorn.Config(
        app,
        http=guarded(seconds),
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        # Its warnings are of clients that send what is not HTTP, as often as these like.
        log_level="error",
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=DRAINING,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    with _stopping_quietly():
        _Server(config, on_ready).run(sockets=[listener])


@contextmanager
def _stopping_quietly() -> Iterator[None]:
    """Uvicorn raises the signal that stopped it once more, which would end the process before the logs are closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore(_number: int, _frame: object) -> None:
    pass
