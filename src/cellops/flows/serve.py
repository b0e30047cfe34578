"""A package behind the bundled server."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.flows.garbage import left_alone
from cellops.records.base import Record
from cellops.records.finding import Finding
from cellops.settings import Settings, load, prepare, without_credentials

if TYPE_CHECKING:
    from cellops.serving.logs import LogPlace


class Serving(Record, frozen=True, kw_only=True):
    """A server that is ready."""

    name: str
    url: str
    token: str
    token_is_new: bool
    """Whether the token was made for this start, so that the person has to be told it."""
    log: str
    """Where the prediction log is: its folder, or its address without credentials."""
    log_folder: str
    """Where it is written first; the same where it has no address."""


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
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    log: Path | str | None = None,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
    on_ready: Callable[[Serving], None] = _silent,
    settings: Settings | None = None,
) -> Served:
    """Serve a package over HTTP until the process is told to stop.

    Parameters
    ----------
    package
        The folder of the package, or its archive.
    host, port
        Where to listen; port 0 takes a free one. Anything but loopback needs a token that was chosen.
    token
        What clients must send. Default: the setting `server_token`, else a new one.
    log
        Folder of the prediction log, or its address as fsspec takes it: then segments are written to
        `.cellops/log/NAME` first, and uploaded as they are closed. Default: `NAME` below the setting `log_store`, else
        `.cellops/log/NAME`.
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
        from cellops.serving.server import serve as run_server
        from cellops.serving.tls import certificate
        from cellops.serving.tokens import read_tokens

        with_tls = certificate(tls_certificate, tls_key)
        loaded = load_package(Path(package), settings)
        chosen = token or settings.server_token or None
        place = _log_place(log, loaded.manifest.name, settings)
        used = chosen or secrets.token_urlsafe(24)

        def ready(url: str) -> None:
            starting.close()
            name = loaded.manifest.name
            folder = str(place.folder)
            shown = without_credentials(place.address) if place.address else folder
            on_ready(Serving(name=name, url=url, token=used, token_is_new=chosen is None, log=shown, log_folder=folder))

        done = run_server(
            loaded,
            host=host,
            port=port,
            token=used,
            token_was_chosen=chosen is not None or bool(read_tokens(settings.tokens)),
            log=place,
            settings=settings,
            on_ready=ready,
            certificate=with_tls,
        )
    return Served(requests=done.requests, rows=done.rows, labels=done.labels, findings=done.findings)


def _log_place(log: Path | str | None, name: str, settings: Settings) -> "LogPlace":
    from cellops.monitoring.log_store import is_address
    from cellops.serving.logs import LogPlace

    if log is not None and not is_address(log):
        return LogPlace(Path(log))
    store = settings.log_store and f"{settings.log_store.rstrip('/')}/{name}"
    return LogPlace(prepare(settings.folder) / "log" / name, str(log) if log is not None else store)
