"""The server process: bind, prove parity, listen, and on a signal drain and close the logs."""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn

from cellops.packaging.load import LoadedPackage
from cellops.packaging.versions import explained
from cellops.records.finding import Finding
from cellops.serving.app import App
from cellops.serving.auth import Access, require_chosen_token
from cellops.serving.guard import guarded
from cellops.serving.limits import Limits
from cellops.serving.listening import address_errors, bound, url
from cellops.serving.logs import Logs
from cellops.serving.metrics import Metrics
from cellops.serving.model import Model
from cellops.serving.models import Models
from cellops.serving.parity import replay
from cellops.serving.repository import Repository, Source
from cellops.serving.throttle import Throttle
from cellops.serving.tls import Certificate
from cellops.settings import Settings

DRAINING = 30
"""Seconds for which requests under way may be finished after a signal to stop."""
IDLE = 75
"""Seconds for which a connection may rest. Load balancers keep theirs for a minute, and a server that closes one first
lets a request on its way fail.
"""


@dataclass(frozen=True)
class Work:
    """What a server has done from its start to its end."""

    requests: int
    """Questions that were answered."""
    rows: int
    labels: int
    findings: tuple[Finding, ...]
    """What the logs have lost."""


@dataclass(frozen=True)
class Place:
    """Where a server listens, and what it says who it is with."""

    host: str
    port: int
    certificate: Certificate | None = None
    """What it speaks TLS with; without one it speaks plain HTTP."""


@dataclass(frozen=True)
class Started:
    """A server that answers."""

    url: str
    models: Models


def serve(
    packages: Sequence[Path],
    *,
    load: Callable[[Path], LoadedPackage],
    place: Place,
    token: str,
    token_was_chosen: bool,
    log_folder: Callable[[str], Path],
    settings: Settings,
    on_ready: Callable[[Started], None],
) -> Work:
    """Serve packages until the process is told to stop (SIGTERM or SIGINT).

    Parameters
    ----------
    packages
        Where they lie; several of one name are versions of a model, of which the last is the default.
    load
        Opens a package with its model.
    place
        Where to listen; port 0 takes a free one.
    token
        What clients must send.
    token_was_chosen
        Whether a person chose it; else the server listens on loopback only.
    log_folder
        Where predictions and labels of a model are logged, by its name.
    settings
        Limits and the log's rhythm.
    on_ready
        Called once the server answers.

    Raises
    ------
    UsageError
        When the address cannot be listened on, or is open to others and no token was chosen.
    SettingsError
        When requests cannot be counted as the settings ask.
    PackageError
        When parity rows are answered otherwise than in training. The server never listens then.
    CellopsError
        As `load` does.
    """
    host, port = place.host, place.port
    require_chosen_token(host, chosen=token_was_chosen)
    throttle = Throttle(settings.server_rate, settings.server_rate_store) if settings.server_rate else None
    limits = Limits(
        settings.server_max_bytes,
        settings.server_max_rows,
        settings.server_request_seconds,
        explained_rows=settings.server_explain_rows,
        explain_evaluations=settings.server_explain_evaluations,
        explain_seconds=settings.server_explain_seconds,
    )
    source = Source(load, partial(_prove, token=token), log_folder)
    repository = Repository(source, limits, settings)
    with bound(host, port, "--port") as listener, closing(repository):
        models = repository.start(packages)
        app = App(models, access=Access(token, settings.tokens), limits=limits, throttle=throttle)
        with address_errors(host, port, "--port"):
            # Of two servers that start together both could bind; only one can listen.
            listener.listen()
        started = Started(url(listener, tls=place.certificate is not None), models)
        _run(app, listener, limits.seconds, partial(on_ready, started), place.certificate)
        app.close()
    total = repository.metrics.total
    return Work(
        requests=total("cellops_request_rows_count"),
        rows=total("cellops_request_rows_sum"),
        labels=total("cellops_labels_total"),
        findings=repository.findings,
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
    metrics = Metrics()
    models = Models([Model(package, limits, metrics, logs)], metrics)
    return App(models, access=Access(token, tokens), limits=limits, throttle=throttle)


def _prove(package: LoadedPackage, token: str) -> None:
    """Replay the parity rows in an application of their own: not logged, not counted, and without limits."""
    app = build_app(package, Limits(sys.maxsize, sys.maxsize), token, None)
    try:
        with explained(package.environment):
            replay(app, package.contract, f"/v2/models/{package.manifest.name}/infer", token)
    finally:
        app.close()


class _Server(uvicorn.Server):
    """Says when it answers, and to those who ask when it does not any more."""

    def __init__(self, config: uvicorn.Config, app: App, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._app.draining = True
        super().handle_exit(sig, frame)


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
        _Server(config, app, on_ready).run(sockets=[listener])


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
