"""The server process: bind, prove parity, listen, and on a signal drain and close the logs."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cellops.capture.temporary import temporary_folder
from cellops.errors import CellopsError, UsageError
from cellops.packaging.load import LoadedPackage
from cellops.packaging.versions import explained
from cellops.records.finding import Finding
from cellops.records.rollout import RolloutState
from cellops.serving.actions import Action, Actions, Person
from cellops.serving.admin import AdminTable
from cellops.serving.admin_log import AdminLog
from cellops.serving.app import App
from cellops.serving.auth import Access, require_chosen_token
from cellops.serving.crew import Crew, bury
from cellops.serving.errors import sentence
from cellops.serving.exchange import Exchange, settle, total
from cellops.serving.limits import AdminLimits, Limits
from cellops.serving.listening import Listener
from cellops.serving.logs import LogPlace, Logs
from cellops.serving.metrics import Metrics
from cellops.serving.model import Model
from cellops.serving.model_folder import ModelFolder
from cellops.serving.models import Models
from cellops.serving.oidc import Oidc
from cellops.serving.oidc_keys import OidcKeys
from cellops.serving.operated import bare
from cellops.serving.parity import replay
from cellops.serving.policies import NOTHING, Declared
from cellops.serving.repository import Change, Reach, Repository, Source
from cellops.serving.request_log import RequestLog, in_json, messages_in_json
from cellops.serving.rollout.plan import Plan
from cellops.serving.running import Hooks, beside, run
from cellops.serving.strangers import Strangers
from cellops.serving.throttle import Throttle
from cellops.serving.tls import Certificate
from cellops.serving.workers import Group
from cellops.settings import LONGEST_WAIT, Settings

HANGUP = Person("SIGHUP", "")
"""Who acts where nobody is known: whoever may send signals to the process."""
logger = logging.getLogger(__name__)


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
    admin_host: str = "127.0.0.1"
    admin_port: int | None = None
    """Where administrators ask; without a port nowhere."""
    workers: int = 1
    """How many processes answer."""


@dataclass(frozen=True)
class Kept:
    """Where a server keeps and finds things."""

    log_place: Callable[[str], LogPlace]
    """Where predictions and labels of a model are logged, by its name."""
    admin_log: Path
    """The file in which actions of administrators are written down."""
    models: Path | None = None
    """A folder of packages that administrators may load."""


@dataclass(frozen=True)
class Started:
    """A server that answers."""

    url: str
    admin_url: str | None
    names: tuple[str, ...]
    """The models that it has."""
    rollouts: tuple[RolloutState, ...] = ()
    """Under way, or over."""


def serve(
    packages: Sequence[Path],
    *,
    plan: Plan | None = None,
    load: Callable[[Path], LoadedPackage],
    place: Place,
    token: str,
    token_was_chosen: bool,
    kept: Kept,
    settings: Settings,
    on_ready: Callable[[Started], None],
    on_change: Callable[[Change], None],
    declared: Declared = NOTHING,
    on_loaded: Callable[[], None] = lambda: None,
) -> Work:
    """Serve packages until the process is told to stop (SIGTERM or SIGINT); SIGHUP has them all read again.

    Parameters
    ----------
    packages
        Where they lie; several of one name are versions of a model, of which the last is the default.
    plan
        A rollout that is to begin, unless it has begun before.
    load
        Opens a package with its model.
    place
        Where to listen, and with how many processes; port 0 takes a free one.
    token
        What clients must send.
    token_was_chosen
        Whether a person chose it; else the server listens on loopback only.
    kept
        Where it keeps and finds things.
    settings
        Limits and the log's rhythm.
    on_ready
        Called once the server answers.
    declared
        What the operator wants done with rows that cannot simply be answered.
    on_change
        Hears of each package that is loaded or unloaded later, in the process that does it.
    on_loaded
        Called in each process that serves, when its packages are loaded.

    Raises
    ------
    UsageError
        When the address cannot be listened on, or is open to others and no token was chosen; or when something is asked
        for that several processes cannot do.
    SettingsError
        When requests cannot be counted as the settings ask.
    PackageError
        When parity rows are answered otherwise than in training. The server never listens then.
    CellopsError
        As `load` does.
    """
    for host in (place.host, place.admin_host):
        require_chosen_token(host, token, chosen=token_was_chosen)
    if place.workers > 1:
        _require_shareable(settings)
    folder = ModelFolder(kept.models) if kept.models else None
    if folder is not None:
        if place.admin_port is None:
            fact = "There is a folder of models, and no port on which they could be loaded"
            raise UsageError(fact, remedy="Give --admin-port, too")
        folder.check()
    prove = partial(_prove, token=token)
    source = Source(load, prove, kept.log_place, folder, declared)
    one = _Server(packages, plan, source, place, token, kept, settings, on_change, on_loaded)
    with ExitStack() as stack:
        ports = Ports(
            stack.enter_context(Listener(place.host, place.port, "--port")),
            None
            if place.admin_port is None
            else stack.enter_context(Listener(place.admin_host, place.admin_port, "--admin-port")),
        )
        if place.workers == 1:
            return one.run(ports, on_ready)
        return _with_workers(one, ports, on_ready)


@dataclass(frozen=True)
class Ports:
    """The addresses of a server, which all its workers share."""

    public: Listener
    admin: Listener | None


def _with_workers(one: "_Server", ports: Ports, on_ready: Callable[[Started], None]) -> Work:
    """The same server in several processes, which share the sockets, what they count and the orders they get."""
    with temporary_folder() as shared:

        def work(worker: str, ready: Callable[[object], None]) -> Work:
            # Some of the time of an order is left for the answer that says which worker has not done it.
            crew = Crew(shared, worker, 0.9 * one.settings.server_admin_seconds)
            return one.run(ports, ready, Exchange(shared, worker), crew)

        def died(worker: str) -> None:
            settle(shared, worker)
            bury(shared, worker)

        with nullcontext() if one.settings.server_log_format == "text" else messages_in_json():
            done = Group(one.place.workers, work, died).run(on_ready)
        return _work(partial(total, shared), tuple(dict.fromkeys(found for each in done for found in each.findings)))


def _work(counted: Callable[[str], int], findings: tuple[Finding, ...]) -> Work:
    return Work(
        requests=counted("cellops_request_rows_count"),
        rows=counted("cellops_request_rows_sum"),
        labels=counted("cellops_labels_total"),
        findings=findings,
    )


def _require_shareable(settings: Settings) -> None:
    """Refuse what one process would do without the knowledge of the others."""
    if settings.server_rate and not settings.server_rate_store:
        fact = "Each of several processes would count the requests of a client by itself"
        raise UsageError(fact, remedy="Set CELLOPS_SERVER_RATE_STORE to a Redis, or leave out --workers")


@dataclass(frozen=True)
class _Server:
    """What is served how, for each process that does it."""

    packages: Sequence[Path]
    plan: Plan | None
    source: Source
    place: Place
    token: str
    kept: Kept
    settings: Settings
    on_change: Callable[[Change], None]
    on_loaded: Callable[[], None]

    def run(
        self,
        ports: Ports,
        on_ready: Callable[[Started], None],
        exchange: Exchange | None = None,
        crew: Crew | None = None,
    ) -> Work:
        """Serve in this process until a signal."""
        place, settings = self.place, self.settings
        throttle = Throttle(settings.server_rate, settings.server_rate_store) if settings.server_rate else None
        limits = Limits(
            settings.server_max_bytes,
            settings.server_max_rows,
            settings.server_request_seconds,
            wait_seconds=settings.server_wait_seconds,
            explained_rows=settings.server_explain_rows,
            explain_evaluations=settings.server_explain_evaluations,
            explain_seconds=settings.server_explain_seconds,
        )
        repository = Repository(self.source, limits, settings, exchange)
        access = Access(self.token, settings.tokens, _oidc(settings))
        tls = place.certificate is not None
        declared = self.source.declared
        if declared.fallback is not None:
            self.source.prove(declared.fallback)
        with ExitStack() as stack:
            requests = stack.enter_context(_telling(settings))
            stack.enter_context(closing(repository))
            if exchange is not None:
                stack.enter_context(exchange.written(repository.metrics.registry.collect))
            models = self._start(repository, crew)
            app = App(
                models,
                access=access,
                limits=limits,
                throttle=throttle,
                requests=requests,
                strangers=_strangers(settings, place.workers),
            )
            self.on_loaded()
            stack.enter_context(closing(app))
            actions = Actions(repository, AdminLog(self.kept.admin_log), self.on_change, crew)
            patient = AdminLimits(
                limits.max_bytes, limits.max_rows, settings.server_admin_seconds, reading_seconds=limits.seconds
            )
            # Each port counts by itself, in the thread of its own event loop.
            admin = App(
                AdminTable(actions),
                access=access,
                limits=patient,
                requests=requests,
                strangers=_strangers(settings, place.workers),
            )
            stack.enter_context(closing(admin))
            ports.public.listen()
            if ports.admin is not None:
                ports.admin.listen()
                stack.enter_context(beside(admin, ports.admin, limits.seconds, place.certificate))
            names = tuple(repository.models.defaults)
            admin_url = ports.admin.url(tls=tls) if ports.admin else None
            started = Started(ports.public.url(tls=tls), admin_url, names, repository.rollouts.states)
            hooks = Hooks(
                ready=partial(_ready, app, repository, partial(on_ready, started)),
                stopping=partial(_drain, app, admin, crew=crew),
                hung_up=partial(_reload, app, actions),
            )
            stack.enter_context(repository.rollouts.watched(repository.versions))
            if crew is not None:
                stack.enter_context(crew.followed(repository.follow, repository.packages))
            run(app, ports.public, limits.seconds, place.certificate, hooks)
        return _work(repository.metrics.total, repository.findings)

    def _start(self, repository: Repository, crew: Crew | None) -> Models:
        """With the packages of the command line, or those that the other workers serve by now."""
        wanted = None if crew is None else crew.wanted()
        if wanted is None:
            return repository.start(self.packages, self.plan)
        at_work = [Path(each.path) for each in wanted if each.digest is not None]
        # The rollout that was planned has begun by now, and stands on the disk.
        return repository.start(at_work, None, [each for each in wanted if each.digest is None])


def _ready(app: App, repository: Repository, on_ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def soon(act: Callable[[], None]) -> None:
        try:
            loop.call_soon_threadsafe(act)
        except RuntimeError:
            # The loop has ended, and with it all requests.
            act()

    repository.attach(Reach(partial(setattr, app, "table"), soon))
    on_ready()


def _drain(*apps: App, crew: Crew | None) -> None:
    for app in apps:
        app.draining = True
    if crew is not None:
        crew.leave()


def _reload(app: App, actions: Actions) -> None:
    """In a thread of its own, since models may take long to load."""

    def act() -> None:
        try:
            actions.act(Action.RELOAD, HANGUP)
        except CellopsError as error:
            logger.error("%s", sentence(error))  # noqa: TRY400 - whoever runs the server needs no traceback

    if not app.draining:
        threading.Thread(target=act, name="cellops-reload").start()


def build_app(
    package: LoadedPackage,
    limits: Limits,
    token: str,
    logs: Logs | None,
    *,
    tokens: Path | None = None,
    throttle: Throttle | None = None,
    declared: Declared = NOTHING,
) -> App:
    """The application of one package; without logs it forgets what it answers, without a file only `token` is taken."""
    metrics = Metrics()
    models = Models([Model(package, limits, metrics, logs, declared=declared)], metrics)
    return App(models, access=Access(token, tokens), limits=limits, throttle=throttle)


def _prove(package: LoadedPackage, token: str) -> None:
    """Replay the parity rows in an application of their own: not logged, not counted, and without limits."""
    app = build_app(bare(package), Limits(sys.maxsize, sys.maxsize, LONGEST_WAIT), token, None)
    try:
        with explained(package.environment):
            replay(app, package.contract, f"/v2/models/{package.manifest.name}/infer", token)
    finally:
        app.close()


def _strangers(settings: Settings, workers: int) -> Strangers | None:
    """Without a store that they share each worker lets its part of the wrong tokens come."""
    most, store = settings.server_wrong_tokens, settings.server_rate_store
    return Strangers(most if store else max(1, most // workers), store) if most else None


def _oidc(settings: Settings) -> Oidc | None:
    if settings.server_oidc_issuer is None:
        return None
    issuer, place = settings.server_oidc_issuer, settings.server_oidc_keys
    # A relative path is the project's, as those of other settings.
    local = place is not None and "://" not in place
    keys = OidcKeys(issuer, str(settings.project / place) if local and place else place)
    named = {"claim": settings.server_oidc_claim, "prefix": settings.server_oidc_prefix}
    return Oidc(keys, issuer, settings.server_oidc_audience, **named)


@contextmanager
def _telling(settings: Settings) -> Iterator[RequestLog | None]:
    """How the server tells of itself meanwhile; in text it tells nothing of single requests."""
    if settings.server_log_format == "text":
        yield None
        return
    with in_json(settings.server_log_share) as requests:
        yield requests
