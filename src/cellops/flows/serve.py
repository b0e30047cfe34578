"""Packages behind the bundled server."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from cellops.flows.garbage import left_alone
from cellops.records.base import Record
from cellops.records.finding import Finding
from cellops.settings import Settings, load, prepare


class Serving(Record, frozen=True, kw_only=True):
    """A server that is ready."""

    names: tuple[str, ...]
    """Of the models."""
    url: str
    token: str
    token_is_new: bool
    """Whether the token was made for this start, so that the person has to be told it."""
    log: str
    """Folder of the prediction log; with several models, of their folders."""


class Served(Record, frozen=True, kw_only=True):
    """What a server has done from its start to its end."""

    requests: int
    """Questions that were answered."""
    rows: int
    labels: int
    findings: tuple[Finding, ...]
    """What the logs have lost, and what of them is damaged."""


def _silent(_serving: Serving) -> None:
    pass


def serve(
    package: Path | str,
    *more: Path | str,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    log: Path | None = None,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
    on_ready: Callable[[Serving], None] = _silent,
    settings: Settings | None = None,
) -> Served:
    """Serve packages over HTTP until the process is told to stop.

    Parameters
    ----------
    package, more
        The folders of packages, or their archives. Each is a model of its manifest's name; those of one name are
        versions of it, of which the last answers whoever names no version. Who names no model either, as MLflow's
        clients do, is answered by the first.
    host, port
        Where to listen; port 0 takes a free one. Anything but loopback needs a token that was chosen.
    token
        What clients must send. Default: the setting `server_token`, else a new one.
    log
        Folder of the prediction log; default is `.cellops/log/NAME`. With several packages each logs to FOLDER/NAME.
    tls_certificate, tls_key
        PEM files: the certificate with those of its issuers, and its private key where that is another file. Without
        them the server speaks plain HTTP.
    on_ready
        Called once, when the parity rows have been replayed and requests are answered.

    Raises
    ------
    NotFoundError, SignatureError, IntegrityError, TrustError
        As loading the package does.
    PackageError
        When the model does not answer the parity rows as it did in training.
    UsageError
        When the address cannot be listened on, or is open to others and no token was chosen; or when the certificate
        cannot be used.
    """
    settings = settings or load()
    with ExitStack() as starting:
        starting.enter_context(left_alone(keep=True))
        from cellops.flows.opening import load_package
        from cellops.serving.server import Place, Started
        from cellops.serving.server import serve as run_server
        from cellops.serving.tls import certificate
        from cellops.serving.tokens import read_tokens

        place = Place(host, port, certificate(tls_certificate, tls_key))
        chosen = token or settings.server_token or None
        used = chosen or secrets.token_urlsafe(24)

        def log_folder(name: str) -> Path:
            if log is not None:
                return log / name if more else log
            return prepare(settings.folder) / "log" / name

        def ready(started: Started) -> None:
            starting.close()
            names = tuple(started.models.defaults)
            folder = log_folder(names[0])
            on_ready(
                Serving(
                    names=names,
                    url=started.url,
                    token=used,
                    token_is_new=chosen is None,
                    log=str(folder.parent if more else folder),
                )
            )

        done = run_server(
            [Path(each) for each in (package, *more)],
            load=partial(load_package, settings=settings),
            place=place,
            token=used,
            token_was_chosen=chosen is not None or bool(read_tokens(settings.tokens)),
            log_folder=log_folder,
            settings=settings,
            on_ready=ready,
        )
    return Served(requests=done.requests, rows=done.rows, labels=done.labels, findings=done.findings)
