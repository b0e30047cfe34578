"""Packages behind the bundled server."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cellops.errors import UsageError
from cellops.flows.garbage import left_alone
from cellops.flows.rollout_plan import rollout_plan
from cellops.records.base import Record
from cellops.records.contract import Suite
from cellops.records.finding import Finding
from cellops.records.rollout import RolloutState
from cellops.settings import Settings, load, prepare, without_credentials

if TYPE_CHECKING:
    from cellops.serving.logs import LogPlace


class Serving(Record, frozen=True, kw_only=True):
    """A server that is ready."""

    names: tuple[str, ...]
    """Of the models."""
    url: str
    admin_url: str | None
    """Where administrators ask."""
    token: str
    token_is_new: bool
    """Whether the token was made for this start, so that the person has to be told it."""
    log: str
    """Where the prediction log is: its folder, or its address without credentials; with several models, of theirs."""
    log_folder: str
    """Where it is written first; the same where it has no address."""
    rollouts: tuple[RolloutState, ...] = ()
    """Under way, or over."""


class Served(Record, frozen=True, kw_only=True):
    """What a server has done from its start to its end."""

    requests: int
    """Questions that were answered."""
    rows: int
    labels: int
    findings: tuple[Finding, ...]
    """What the logs have lost, and what of them is damaged."""


class Changed(Record, frozen=True, kw_only=True):
    """What has become of a package that was to be loaded or unloaded."""

    name: str
    path: str
    before: str | None
    """The digest of what answered."""
    after: str | None
    """The digest of what answers now; None where nothing does."""
    trouble: str
    """Why the package could not be loaded; what answered still does."""


def _silent(_news: Serving | Changed) -> None:
    pass


def serve(
    package: Path | str,
    *more: Path | str,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    log: Path | str | None = None,
    log_format: str | None = None,
    models: Path | None = None,
    admin_host: str = "127.0.0.1",
    admin_port: int | None = None,
    workers: int = 1,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
    expectations: Path | None = None,
    rules: str | None = None,
    fallback: Path | str | None = None,
    review_below: float | None = None,
    challenger: Path | str | None = None,
    strategy: str | None = None,
    stages: str | None = None,
    share: float | None = None,
    key: str | None = None,
    shadow_when: str | None = None,
    margins: Sequence[str] = (),
    on_ready: Callable[[Serving], None] = _silent,
    on_change: Callable[[Changed], None] = _silent,
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
        Folder of the prediction log, or its address as fsspec takes it: then segments are written to
        `.cellops/log/NAME` first, and uploaded as they are closed. Where there are several packages, or a folder of
        models, each model logs to `NAME` in it. Default: `NAME` below the setting `log_store`, else
        `.cellops/log/NAME`.
    log_format
        How it tells of itself on standard error: `text`, or `json` with a line for each request, too. Default: the
        setting `server_log_format`.
    models
        Folder of packages, called as their models, that administrators may load while the server runs.
    admin_host, admin_port
        Where administrators ask: models are loaded and unloaded there, and metrics read. Without a port nowhere; SIGHUP
        has all packages read again in any case. What they do is written to admin.jsonl in the folder of the logs.
    workers
        How many processes answer, each with all packages. They share the port, the folders of logs and the metrics; one
        that dies is replaced.
    tls_certificate, tls_key
        PEM files: the certificate with those of its issuers, and its private key where that is another file. Without
        them the server speaks plain HTTP.
    expectations
        File with expectations that stand in place of the packages' by the same rule on the same columns, or beside
        them.
    rules
        The operator's own function on answers, `MODULE:FUNCTION`; it takes a `Proposal` (`serving.business_rules`).
    fallback
        A package that answers rows which a model cannot: required inputs are missing, or the model fails on them.
    review_below
        Answers with less confidence are counted as `cellops_review_rows_total`: `cellops review` puts them before a
        person. Default: the setting `review_below`.
    challenger, strategy
        A package of the same model that is compared with it, and how: `canary`, `shadow`, `ab` or `blue-green`. A
        rollout of the two that has begun goes on where it stood, and one that has ended is not begun again.
    stages
        Of a canary: rising percentages, of which the last is 100.
    share
        Percent of the users that an A/B gives the challenger, or of the requests that a shadow shows it.
    key
        The input or header that says of which user a request is. Default: the header `X-User-Key`.
    shadow_when
        `idle` asks a shadow only while the server has little to do. Default: `always`.
    margins
        Rules of the rollout, each `RULE=VALUE`; they are those of `RolloutRules`.
    on_ready
        Called once, when the parity rows have been replayed and requests are answered.
    on_change
        Hears of each package that is loaded or unloaded later.

    Raises
    ------
    NotFoundError, SignatureError, IntegrityError, TrustError
        As loading the package does.
    PackageError
        When the model does not answer the parity rows as it did in training.
    UsageError
        When the address cannot be listened on, or is open to others and no token was chosen; when the certificate
        cannot be used; or when the challenger, the stages or the rules do not fit.
    """
    settings = settings or load()
    if log_format is not None:
        settings = msgspec.structs.replace(settings, server_log_format=log_format)
    if review_below is not None:
        settings = msgspec.structs.replace(settings, review_below=_share("--review-below", review_below))
    with ExitStack() as starting:
        starting.enter_context(left_alone(keep=True))
        from cellops.flows.opening import load_package
        from cellops.monitoring.log_store import is_address
        from cellops.serving.admin_log import FILE
        from cellops.serving.business_rules import read_rules
        from cellops.serving.policies import Declared
        from cellops.serving.repository import Change
        from cellops.serving.server import Kept, Place, Started
        from cellops.serving.server import serve as run_server
        from cellops.serving.tls import certificate
        from cellops.serving.tokens import read_tokens

        plan = rollout_plan(
            challenger, strategy, stages=stages, share=share, key=key, shadow_when=shadow_when, margins=margins
        )
        declared = Declared(
            rules=None if rules is None else read_rules(rules, map(Path, (package, *more))),
            fallback=None if fallback is None else load_package(Path(fallback), settings),
            answer=settings.server_fallback_answer,
            suite=None if expectations is None else _suite(expectations),
            reject=settings.server_reject,
        )
        place = Place(host, port, certificate(tls_certificate, tls_key), admin_host, admin_port, workers)
        chosen = token or settings.server_token or None
        used = chosen or secrets.token_urlsafe(24)

        several = bool(more) or models is not None
        logs = prepare(settings.folder) / "log" if log is None or is_address(log) else Path(log)

        def log_place(name: str) -> "LogPlace":
            return _log_place(log, name, settings, is_shared=several)

        def ready(started: Started) -> None:
            names = started.names
            logged = log_place(names[0])
            written = str(logged.folder.parent if several else logged.folder)
            on_ready(
                Serving(
                    names=names,
                    url=started.url,
                    admin_url=started.admin_url,
                    token=used,
                    token_is_new=chosen is None,
                    log=_shown(logged.address, is_shared=several) if logged.address else written,
                    log_folder=written,
                    rollouts=started.rollouts,
                )
            )

        def changed(change: Change) -> None:
            on_change(
                Changed(
                    name=change.name,
                    path=str(change.path),
                    before=change.before,
                    after=change.after,
                    trouble=change.trouble,
                )
            )

        done = run_server(
            [Path(each) for each in (package, *more)],
            plan=plan,
            load=partial(load_package, settings=settings),
            place=place,
            token=used,
            token_was_chosen=chosen is not None
            or settings.server_oidc_issuer is not None
            or bool(read_tokens(settings.tokens)),
            kept=Kept(log_place, logs / FILE, models),
            settings=settings,
            on_ready=ready,
            declared=declared,
            on_change=changed,
            on_loaded=starting.close,
        )
    return Served(requests=done.requests, rows=done.rows, labels=done.labels, findings=done.findings)


def _share(option: str, value: float) -> float:
    if not 0 <= value <= 1:
        fact = f"{option} is a share from 0 to 1"
        raise UsageError(fact, received=value, remedy=f"Give, for example, {option} 0.6")
    return value


def _suite(path: Path) -> Suite:
    """A suite of which nothing may be left out."""
    from cellops.flows import suites

    left_out: list[Finding] = []
    read = suites.read(path, left_out)
    if left_out:
        fact = f"{path.name}: {left_out[0].where} cannot be carried over: {left_out[0].seen}"
        raise UsageError(fact, remedy=left_out[0].remedy)
    return read


def _log_place(log: Path | str | None, name: str, settings: Settings, *, is_shared: bool) -> "LogPlace":
    """Where a model logs, in a place that was given and may be for several, or that the settings name."""
    from cellops.monitoring.log_store import is_address
    from cellops.serving.logs import LogPlace

    if log is not None and not is_address(log):
        return LogPlace(Path(log) / name if is_shared else Path(log))
    place = str(log) if log is not None else settings.log_store
    if place is not None and (is_shared or log is None):
        place = f"{place.rstrip('/')}/{name}"
    return LogPlace(prepare(settings.folder) / "log" / name, place)


def _shown(address: str, *, is_shared: bool) -> str:
    public = without_credentials(address)
    return public.rpartition("/")[0] if is_shared else public
