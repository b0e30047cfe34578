"""The packages of a server: loaded and proven beside those at work, then put in their place in one step."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cellops.errors import CellopsError, NotFoundError, NotReadyError, UsageError
from cellops.packaging.load import LoadedPackage
from cellops.records.finding import Finding
from cellops.records.rollout import RolloutOrder, RolloutState, RolloutView
from cellops.serving.division import Division, Traffic
from cellops.serving.errors import LoadError, RolloutError, failure, sentence
from cellops.serving.exchange import Exchange
from cellops.serving.limits import Limits
from cellops.serving.logs import LogPlace, Logs
from cellops.serving.metrics import Metrics
from cellops.serving.model import VERSION_LENGTH, Model
from cellops.serving.model_folder import ModelFolder
from cellops.serving.models import Models
from cellops.serving.placement import PlacedPackage
from cellops.serving.policies import NOTHING, Declared
from cellops.serving.rollout.ledger import Ledger
from cellops.serving.rollout.plan import Plan
from cellops.serving.rollout.rollouts import Rollouts
from cellops.serving.shadow.log import SHADOW, ShadowLog
from cellops.serving.shadow.shadow import Kind, Shadow
from cellops.settings import Settings


@dataclass(frozen=True)
class Source:
    """How packages come to work."""

    load: Callable[[Path], LoadedPackage]
    """Opens a package with its model."""
    prove: Callable[[LoadedPackage], None]
    """Replays its parity rows."""
    log_place: Callable[[str], LogPlace]
    """Where a model of some name logs."""
    folder: ModelFolder | None = None
    """Where more packages lie that may be loaded."""
    declared: Declared = NOTHING
    """What the operator wants done with rows that cannot simply be answered."""


@dataclass(frozen=True)
class Reach:
    """How changes reach those who answer."""

    swap: Callable[[Models], None]
    """Takes the models that answer from now on; called in any thread."""
    soon: Callable[[Callable[[], None]], object]
    """Calls a function in the thread in which requests begin and end."""


@dataclass(frozen=True)
class Placed:
    """A package that the server was given, and its model while that is at work."""

    path: Path
    name: str
    model: Model | None
    trouble: str = ""
    """Why it could not be loaded the last time."""


@dataclass(frozen=True)
class Change:
    """What has become of a package that was to be loaded or unloaded."""

    name: str
    path: Path
    before: str | None
    """The digest of what was at work."""
    after: str | None
    trouble: str = ""
    """Why it could not be loaded; what was at work is so still."""


class Repository:
    """Holds what a server answers with; one change at a time, and each of them whole or not at all.

    Parameters
    ----------
    source
        How packages come to work.
    limits
        How much a request may ask for.
    settings
        The logs' rhythm.
    exchange
        Through which the metrics of other workers are known.
    """

    def __init__(self, source: Source, limits: Limits, settings: Settings, exchange: Exchange | None = None) -> None:
        self.metrics = Metrics(exchange)
        self._source = source
        self._limits = limits
        self._settings = settings
        self._placed: tuple[Placed, ...] = ()
        self._changing = threading.Lock()
        self._ending = ThreadPoolExecutor(1, thread_name_prefix="cellops-ending")
        self._ended = False
        self._retiring: set[Model] = set()
        self._findings: list[Finding] = []
        self._reach: Reach | None = None
        self._models: Models | None = None
        self._traffic: dict[str, Traffic] = {}
        self.rollouts = Rollouts(lambda name: source.log_place(name).folder, limits.seconds, self._divide, self._shadow)

    def start(self, paths: Iterable[Path], plan: Plan | None = None, unloaded: Iterable[PlacedPackage] = ()) -> Models:
        """Load packages and prove each of them, before any logs; rollouts go on where they ended.

        Parameters
        ----------
        paths
            Where the packages lie.
        unloaded
            Packages that are known, and not at work.
        plan
            A rollout that is to begin, unless it has begun before.

        Raises
        ------
        CellopsError
            As loading a package does.
        PackageError
            When a model does not answer the parity rows as it did in training.
        UsageError
            When a package is given twice, a log cannot be written, or the plan does not fit.
        """
        packages = [(path, self._proven(path)) for path in paths]
        packages = [*self._promoted(packages), *packages]
        if plan is not None:
            packages = _ordered(packages, (plan.challenger, self._proven(plan.challenger)))
        for path, package in packages:
            self._placed = (*self._placed, Placed(path, package.manifest.name, self._at_work(package)))
        self._placed += tuple(Placed(Path(each.path), each.name, None) for each in unloaded)
        for name, versions in self.versions().items():
            planned = plan if plan is not None and packages[-1][1].manifest.name == name else None
            traffic = self.rollouts.of(name).open(versions, planned)
            if traffic is not None:
                self._traffic[name] = traffic
        self._models = self._table(self._placed)
        return self._models

    def versions(self) -> dict[str, tuple[Model, ...]]:
        """Every version of each model that is at work."""
        found: dict[str, tuple[Model, ...]] = {}
        for placed in self._placed:
            if placed.model is not None:
                found[placed.name] = (*found.get(placed.name, ()), placed.model)
        return found

    def attach(self, reach: Reach) -> None:
        """Let changes reach those who answer; before, there are none."""
        self._reach = reach

    @property
    def models(self) -> Models:
        """Those that answer now."""
        assert self._models is not None  # noqa: S101 - it was started
        return self._models

    def reload(self) -> tuple[Change, ...]:
        """Read all packages that are at work again; those that cannot be loaded go on as they are."""
        with self._change():
            return tuple(self._reloaded(placed) for placed in self._placed if placed.model is not None)

    def load(self, name: str) -> tuple[Change, ...]:
        """Read the packages of a model again, or for the first time; those that cannot be loaded go on as they are.

        Raises
        ------
        NotFoundError
            When neither the command line nor the folder of models has one of this name.
        """
        with self._change():
            known = [placed for placed in self._placed if placed.name == name] or [self._found(name)]
            return tuple(self._reloaded(placed) for placed in known)

    def unload(self, name: str) -> tuple[Change, ...]:
        """Let no version of a model answer any more.

        Raises
        ------
        NotFoundError
            When none is at work.
        LoadError
            When it is the only model.
        """
        with self._change():
            going = [placed for placed in self._placed if placed.name == name and placed.model is not None]
            if not going:
                fact = "There is no such model at work"
                raise NotFoundError(fact, remedy=f"Those at work are {', '.join(self.models.defaults)}")
            self._require_undivided(name)
            if list(self.models.defaults) == [name]:
                fact = f"{name} is the only model of this server"
                raise LoadError(fact, remedy="Load another before, or stop the server")
            gone = {placed.path: replace(placed, model=None) for placed in going}
            self._put(tuple(gone.get(placed.path, placed) for placed in self._placed))
            return tuple(Change(name, placed.path, _digest(placed), None) for placed in going)

    def roll(self, name: str, order: RolloutOrder, who: str) -> None:
        """Change the rollout of a model.

        Raises
        ------
        NotFoundError
            When no version of it is at work.
        RolloutError, UsageError
            When the change is not to be had.
        """
        with self.rollouts.acting():
            self.rollouts.of(name).order(order, who, self._at_work_of(name))

    def rollout(self, name: str) -> RolloutView:
        """What is known of the rollout of a model; `NotFoundError` when no version of it is at work."""
        with self.rollouts.acting():
            return self.rollouts.of(name).view(self._at_work_of(name))

    def _at_work_of(self, name: str) -> tuple[Model, ...]:
        versions = self.versions()
        if name not in versions:
            fact = "There is no such model at work"
            raise NotFoundError(fact, remedy=f"Those at work are {', '.join(versions)}")
        return versions[name]

    def packages(self) -> tuple[PlacedPackage, ...]:
        """All that were given, at work or not."""
        return tuple(
            PlacedPackage(path=str(placed.path), name=placed.name, digest=_digest(placed)) for placed in self._placed
        )

    def follow(self, packages: Sequence[PlacedPackage]) -> str:
        """Serve what another worker of this server serves, and divide the traffic as it does.

        Returns
        -------
        str
            Why, of what cannot be served so; empty where all is.

        Raises
        ------
        NotReadyError
            When this one does not answer yet, or not any more.
        """
        with self._change():
            troubles = [change.trouble for package in packages for change in self._followed(package)]
            placed = self._as_placed(packages)
            if placed != self._placed:
                self._put(placed)
        try:
            self.rollouts.follow(self.versions())
        except NotReadyError:
            raise
        except CellopsError as error:
            troubles.append(sentence(error))
        except OSError as error:
            troubles.append(f"The rollout cannot be written: {error.strerror}")
        return "; ".join(trouble.rstrip(".") for trouble in troubles if trouble)

    def _followed(self, package: PlacedPackage) -> Iterator[Change]:
        known = [placed for placed in self._placed if _place(placed) == (package.path, package.name)]
        placed = known[0] if known else Placed(Path(package.path), package.name, None)
        if package.digest is not None and package.digest != _digest(placed):
            yield self._load(placed, package.digest)

    def _as_placed(self, packages: Sequence[PlacedPackage]) -> tuple[Placed, ...]:
        """What is placed here, in the order of others and without what is not at work there."""
        places = {(package.path, package.name): place for place, package in enumerate(packages)}
        gone = {(package.path, package.name) for package in packages if package.digest is None}
        ordered = sorted(self._placed, key=lambda placed: places.get(_place(placed), len(places)))
        return tuple(replace(placed, model=None) if _place(placed) in gone else placed for placed in ordered)

    def index(self) -> list[dict[str, str]]:
        """Every version that the server knows, as the Open Inference Protocol's repository extension says it."""
        placed = self._placed
        known = [
            {
                "name": each.name,
                "version": each.model.version if each.model else "",
                "state": "READY" if each.model else "UNAVAILABLE",
                "reason": each.trouble or ("" if each.model else "unloaded"),
            }
            for each in placed
        ]
        names = self._source.folder.names() if self._source.folder else ()
        others = [name for name in names if name not in {each.name for each in placed}]
        return known + [
            {"name": name, "version": "", "state": "UNAVAILABLE", "reason": "not loaded"} for name in others
        ]

    def close(self) -> None:
        """Close all logs, when every request has been answered; closing again does nothing."""
        self.rollouts.close()
        with self._changing:
            if self._ended:
                return
            self._ended = True
            self._retiring |= {placed.model for placed in self._placed if placed.model is not None}
        for model in tuple(self._retiring):
            self._ending.submit(self._end, model)
        self._ending.shutdown()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the logs of all that have ended have lost, and what of them is damaged."""
        return tuple(dict.fromkeys(self._findings))

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._changing:
            if self._ended or self._reach is None:
                fact = f"The server is being {'stopped' if self._ended else 'started'}"
                raise NotReadyError(fact, remedy="Ask again when it answers")
            yield

    def _found(self, name: str) -> Placed:
        """A package in the folder of models."""
        path = self._source.folder.find(name) if self._source.folder else None
        if path is None:
            fact = "There is no such model to load"
            names = ", ".join(each["name"] for each in self.index())
            raise NotFoundError(fact, remedy=f"Those that can be loaded are {names}")
        return Placed(path, name, None)

    def _reloaded(self, placed: Placed) -> Change:
        try:
            self._require_undivided(placed.name)
        except RolloutError as error:
            return self._unchanged(placed, error)
        return self._load(placed)

    def _load(self, placed: Placed, digest: str | None = None) -> Change:
        """Put what lies at a package's path in the place of what is at work; where a digest is given, only that."""
        before = _digest(placed)
        try:
            package = self._renewed(placed)
            if digest not in (None, package.digest):
                fact = f"{placed.path} is not the package any more that the others have loaded"
                raise LoadError(fact, remedy=f"Load {placed.name} again")
            if package.digest != before:
                self._put_in(placed, package)
            elif placed.trouble:
                self._replace(placed, replace(placed, trouble=""))
        except CellopsError as error:
            return self._unchanged(placed, error)
        return Change(placed.name, placed.path, before, package.digest)

    def _unchanged(self, placed: Placed, error: CellopsError) -> Change:
        trouble, before = sentence(error), _digest(placed)
        if placed in self._placed:
            self._replace(placed, replace(placed, trouble=trouble))
        return Change(placed.name, placed.path, before, before, trouble)

    def _renewed(self, placed: Placed) -> LoadedPackage:
        try:
            package = self._proven(placed.path)
        except CellopsError:
            raise
        except Exception as error:
            fact = f"Loading {placed.name} failed"
            raise failure(fact, error) from error
        if package.manifest.name != placed.name:
            fact = f"The package is called {package.manifest.name}, and was to be {placed.name}"
            raise LoadError(fact, remedy="Put a package of this model there, or start the server anew with the other")
        return package

    def _divide(self, name: str, traffic: Traffic) -> None:
        """Divide the traffic of a model from now on; requests under way are answered as they began."""
        with self._change():
            self._traffic[name] = traffic
            self._put(self._placed)

    def _shadow(self, state: RolloutState, champion: Model, ledger: Ledger) -> Shadow:
        """The challenger of a state in a process of its own, with a log beside the champion's."""
        assert state.challenger is not None  # noqa: S101 - a shadow has one
        metrics = self.metrics.of(state.model, state.challenger.version)
        kind = Kind(
            load=self._source.load,
            path=Path(state.challenger.path),
            digest=state.challenger.digest,
            patience=self._limits.seconds,
            most_bytes=self._settings.server_shadow_mb * 2**20,
            off_peak=state.off_peak,
        )
        place = LogPlace(self._source.log_place(state.model).folder / SHADOW)
        return Shadow(
            kind, ledger, ShadowLog(place, champion.package.contract.schema, self._settings), metrics.count_shown
        )

    def _require_undivided(self, name: str) -> None:
        traffic = self._traffic.get(name)
        if traffic is not None and traffic.challenger is not None:
            fact = f"A rollout of {name} is under way, and its packages stay as they are"
            raise RolloutError(fact, remedy="Promote the challenger or roll it back before")

    def _promoted(self, packages: Iterable[tuple[Path, LoadedPackage]]) -> list[tuple[Path, LoadedPackage]]:
        """Packages that have taken the place of some of these."""
        digests: dict[str, list[str]] = {}
        for _, package in packages:
            digests.setdefault(package.manifest.name, []).append(package.digest)
        found = []
        for name, known in digests.items():
            champion = self.rollouts.of(name).promoted(known)
            if champion is not None:
                path = Path(champion.path)
                package = self._proven(path)
                if package.digest != champion.digest:
                    fact = f"{path} is not the package any more that was promoted as {name}"
                    raise LoadError(fact, remedy="Put it back, or take rollout.json away from the folder of its log")
                found.append((path, package))
        return found

    def _put_in(self, placed: Placed, package: LoadedPackage) -> None:
        model = self._at_work(package)
        new = Placed(placed.path, placed.name, model)
        try:
            if placed in self._placed:
                self._replace(placed, new)
            else:
                self._put((*self._placed, new))
        except BaseException:
            model.close()
            raise

    def _replace(self, old: Placed, new: Placed) -> None:
        self._put(tuple(new if placed is old else placed for placed in self._placed))

    def _put(self, placed: tuple[Placed, ...]) -> None:
        """Answer with other models from now on; those that go are closed when their last request has ended."""
        assert self._reach is not None  # noqa: S101 - before it is there, nothing is changed
        models = self._table(placed)
        gone = set(self.models.all) - set(models.all)
        self._placed, self._models = placed, models
        self._reach.swap(models)
        self._retiring |= gone
        for model in gone:
            self._reach.soon(partial(model.retire, partial(self._ending.submit, self._end, model)))

    def _proven(self, path: Path) -> LoadedPackage:
        package = self._source.load(path)
        self._source.prove(package)
        return package

    def _at_work(self, package: LoadedPackage) -> Model:
        place = self._source.log_place(package.manifest.name)
        to_review = self.metrics.to_review.labels(package.manifest.name, package.digest[:VERSION_LENGTH])
        logs = Logs.open(place, package.contract.schema, self._settings, to_review.inc)
        try:
            return Model(
                package,
                self._limits,
                self.metrics,
                logs,
                declared=self._source.declared,
                batching=self._settings.server_batching,
            )
        except BaseException:
            logs.close()
            raise

    def _table(self, placed: Iterable[Placed]) -> Models:
        at_work = [each.model for each in placed if each.model is not None]
        champions, divisions = [], []
        for name, traffic in self._traffic.items():
            known = {model.digest: model for model in at_work if model.name == name}
            champion = known.get(traffic.champion)
            challenger = known.get(traffic.challenger or "")
            if champion is not None:
                champions.append(champion)
                if challenger is not None:
                    divisions.append(Division(traffic, champion, challenger))
        return Models(at_work, self.metrics, self._settings.folder / "drift", champions, divisions)

    def _end(self, model: Model) -> None:
        """Called in one thread only, and for a model once or twice."""
        if model in self._retiring:
            self._retiring.discard(model)
            model.close()
            self._findings += model.logs.findings() if model.logs else ()


def _ordered(
    packages: Iterable[tuple[Path, LoadedPackage]], challenger: tuple[Path, LoadedPackage]
) -> list[tuple[Path, LoadedPackage]]:
    """The challenger behind the others; it is none of them, and one of them is the model that it would be."""
    name, digest = challenger[1].manifest.name, challenger[1].digest
    versions = [package for _, package in packages if package.manifest.name == name]
    others = [(path, package) for path, package in packages if package.digest != digest]
    if not versions:
        fact = f"The challenger is of the model {name}, and no package of it is served"
        served = ", ".join(package.manifest.name for _, package in packages)
        remedy = f"Name a package of {served}, or make it one: cellops package RUN -o FOLDER --name MODEL"
        raise UsageError(fact, remedy=remedy)
    if all(package.digest == digest for package in versions):
        fact = f"The challenger is the package that is served as {name} already"
        raise UsageError(fact, remedy="Name another package of the model")
    return [*others, challenger]


def _digest(placed: Placed) -> str | None:
    return placed.model.digest if placed.model else None


def _place(placed: Placed) -> tuple[str, str]:
    return str(placed.path), placed.name
