"""Registered models in MLflow: their versions, aliases and stages, and the decisions that change them."""

# MLflow has no way to change several things at once, and none to change something only if nobody else has. So a
# decision is first announced as a tag of the registered model, then all is read again: of two who announce at once, at
# least one sees the other and steps back. What is granted is carried out by whoever comes next if its process ends.

import contextlib
import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import msgspec

from cellops.errors import RefusedError, RegistryError
from cellops.records.gate import Champion
from cellops.records.registry import (
    CHALLENGER,
    CHAMPION,
    Decision,
    RegisteredModel,
    RegisteredVersion,
    Stage,
    Underway,
)
from cellops.settings import Settings
from cellops.tracking.client import active, connect, reachable

if TYPE_CHECKING:
    from mlflow.entities import model_registry

STAGE = "cellops.stage"
PACKAGE = "cellops.package"
"""SHA-256 of the manifest of a version's package."""
ARCHIVE = "cellops.archive"
DECISION = "cellops.decision."
"""Begins the tags of a version that hold what was decided of it; none of them is written twice."""
UNDERWAY = "cellops.underway."
"""Begins the tags of a registered model that announce a decision."""
NOT_REGISTERED = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""MLflow's words for a model that is not registered or cannot be, or has no version of an alias."""
OURS = (CHAMPION, CHALLENGER)
LONGEST = 4500
"""Characters of a tag: the database of an older MLflow takes no more than 5000."""
PATIENCE = timedelta(minutes=2)
"""After which somebody on another machine, who is carrying out a decision, is thought to have been killed."""
PAGE = 100
R = TypeVar("R", Decision, Underway)


class Registry:
    """The registry of one tracking store. Every method raises `TrackingError` when the store does not answer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._client = connect(settings)

    def models(self) -> list[RegisteredModel]:
        """All registered models, by name."""
        with reachable(self.settings):
            found: list[model_registry.RegisteredModel] = []
            token: str | None = None
            while True:
                page = self._client.search_registered_models(max_results=PAGE, page_token=token)
                found += page
                token = page.token
                if not token:
                    return [self._whole(one) for one in sorted(found, key=lambda one: one.name)]

    def model(self, name: str) -> RegisteredModel | None:
        """A registered model with its versions; None where there is none of that name."""
        from mlflow.exceptions import MlflowException

        with reachable(self.settings):
            try:
                return self._whole(self._client.get_registered_model(name))
            except MlflowException as error:
                if error.error_code in NOT_REGISTERED:
                    return None
                raise

    def champion(self, name: str) -> Champion | None:
        """The version of a registered model that has the alias `champion`, with what its run measured; None without."""
        from mlflow.exceptions import MlflowException

        with reachable(self.settings):
            try:
                version = self._client.get_model_version_by_alias(name, CHAMPION)
            except MlflowException as error:
                if error.error_code in NOT_REGISTERED:
                    return None
                raise
            run = version.run_id
            metrics = self._client.get_run(run).data.metrics if run else {}
            return Champion(model=name, version=str(version.version), run=run, metrics=metrics)

    def register(self, run_id: str, uri: str, name: str) -> str:
        """The number of the version that a run's model is; what is missing is made.

        Of two versions that two people make of one model at once, the later one goes.
        """
        with reachable(self.settings):
            known = self._versions_of(run_id, uri, name)
            if known:
                return str(known[0])
            made = int(self._create(run_id, uri, name).version)
            first = self._versions_of(run_id, uri, name)[0]
            if first != made:
                self._client.delete_model_version(name, str(made))
            return str(first)

    def repair(self, name: str) -> None:
        """Carry out what a process has left in the middle when it ended, and take away what it had only announced.

        Raises
        ------
        RegistryError
            When somebody is changing the model just now.
        """
        held = self.model(name)
        for found in held.underway if held else ():
            if _may_be_alive(found):
                raise _conflict(found.decision)
            with reachable(self.settings):
                self._end(found)

    def decide(self, seen: RegisteredModel, decision: Decision) -> RegisteredVersion:
        """Carry out a decision that rests on what was seen of the model.

        Raises
        ------
        RegistryError
            When somebody else changes the model, or has changed it since it was seen. Nothing is changed then.
        """
        own = Underway(decision=_fitting(decision), machine=_machine(), process=os.getpid())
        with reachable(self.settings), self._announced(own):
            self._require_unchanged(seen, own)
            self._announce(own.replace(granted=True))
        with reachable(self.settings):
            self._carry_out(own.decision)
        now = self.model(decision.model)
        made = now.version(decision.version) if now else None
        if made is None:
            fact = f"Version {decision.version} of {decision.model} has been deleted meanwhile"
            raise RegistryError(fact, remedy="See what there is with: cellops models")
        return made

    @contextlib.contextmanager
    def _announced(self, own: Underway) -> Iterator[None]:
        """Announce a decision; it is taken back when it is not granted."""
        try:
            self._announce(own)
            yield
        except BaseException:
            with contextlib.suppress(Exception):  # what comes next takes it away
                self._forget(own.decision)
            raise

    def _announce(self, own: Underway) -> None:
        key = f"{UNDERWAY}{own.decision.id}"
        self._client.set_registered_model_tag(own.decision.model, key, own.to_json().decode())

    def _forget(self, decision: Decision) -> None:
        self._client.delete_registered_model_tag(decision.model, f"{UNDERWAY}{decision.id}")

    def _require_unchanged(self, seen: RegisteredModel, own: Underway) -> None:
        now = self._whole(self._client.get_registered_model(seen.name))
        others = [found for found in now.underway if found.decision.id != own.decision.id]
        if others:
            raise _conflict(others[0].decision)
        if _state(now) != _state(seen):
            newest = max((d for v in now.versions for d in v.decisions), key=lambda d: d.id, default=None)
            by = f": {newest.who} decided to {newest.verb} version {newest.version}" if newest else ""
            fact = f"The model {seen.name} has been changed meanwhile{by}"
            raise RegistryError(fact, remedy=f"Look again: cellops models {seen.name}", model=seen.name)

    def _end(self, found: Underway) -> None:
        """Finish what was granted; a version that has been deleted since needs nothing."""
        if not found.granted:
            self._forget(found.decision)
            return
        try:
            with reachable(self.settings):
                self._carry_out(found.decision)
        except RefusedError:
            self._forget(found.decision)

    def _carry_out(self, decision: Decision) -> None:
        """Do all that a decision says; doing it twice is as doing it once."""
        model, evidence = decision.model, decision.evidence
        for alias, version in decision.aliases.items():
            if version is None:
                self._client.delete_registered_model_alias(model, alias)
            else:
                self._client.set_registered_model_alias(model, alias, version)
        text = decision.to_json().decode()
        optional = {PACKAGE: evidence.package, ARCHIVE: evidence.archive}
        tags = {STAGE: decision.stage.value} | {key: value for key, value in optional.items() if value}
        for version, held in {
            decision.version: tags,
            **{v: {STAGE: s.value} for v, s in decision.others.items()},
        }.items():
            for key, value in (*held.items(), (f"{DECISION}{decision.id}", text)):
                self._client.set_model_version_tag(model, version, key, value)
        self._forget(decision)

    def _whole(self, found: "model_registry.RegisteredModel") -> RegisteredModel:
        aliases = {str(alias): str(version) for alias, version in found.aliases.items()}
        versions = [_version(one, aliases) for one in self._search(found.name)]
        return RegisteredModel(
            name=found.name,
            versions=tuple(sorted(versions, key=lambda one: -int(one.version))),
            aliases=aliases,
            underway=tuple(_held(found.tags, UNDERWAY, Underway)),
        )

    def _search(self, name: str) -> Iterator["model_registry.ModelVersion"]:
        quote = '"' if "'" in name else "'"
        token: str | None = None
        while True:
            query = f"name = {quote}{name}{quote}"
            page = self._client.search_model_versions(query, max_results=PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _versions_of(self, run_id: str, uri: str, name: str) -> list[int]:
        """The numbers of the versions that stand for a run's model, the lowest first."""
        known = self._client.search_model_versions(f"run_id = '{run_id}'")
        return sorted(int(version.version) for version in known if version.name == name and version.source == uri)

    def _create(self, run_id: str, uri: str, name: str) -> "model_registry.ModelVersion":
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        with active(self.settings):  # MLflow looks for the model in the store that is set for the process
            return self._client.create_model_version(name, uri, run_id=run_id, model_id=uri.rpartition("/")[2])


def _version(found: "model_registry.ModelVersion", aliases: Mapping[str, str]) -> RegisteredVersion:
    stage, number = found.tags.get(STAGE), str(found.version)
    return RegisteredVersion(
        model=found.name,
        version=number,
        stage=Stage(stage) if stage in set(Stage) else Stage.DEVELOPMENT,
        aliases=tuple(sorted(alias for alias, version in aliases.items() if version == number)),
        source=found.source,
        mlflow_run_id=found.run_id or None,
        created=(found.creation_timestamp or 0) / 1000,
        package=found.tags.get(PACKAGE),
        archive=found.tags.get(ARCHIVE),
        decisions=tuple(_held(found.tags, DECISION, Decision)),
    )


def _held(tags: Mapping[str, str], prefix: str, kind: type[R]) -> Iterator[R]:
    """The records in tags that begin so, in their order; what anybody else has written there is passed over."""
    for key in sorted(key for key in tags if key.startswith(prefix)):
        with contextlib.suppress(msgspec.DecodeError):
            yield kind.from_json(tags[key])


def _state(model: RegisteredModel) -> object:
    """What a decision rests on."""
    versions = {v.version: (v.stage, v.package, [d.id for d in v.decisions]) for v in model.versions}
    return {alias: model.aliases.get(alias) for alias in OURS}, versions


def _fitting(decision: Decision) -> Decision:
    """The decision with as many metrics as a tag can hold."""
    evidence = decision.evidence
    while len(decision.to_json()) > LONGEST and (evidence.metrics or evidence.gates):
        held = "metrics" if evidence.metrics else "gates"
        evidence = evidence.replace(**{held: dict(list(getattr(evidence, held).items())[:-1])})
        decision = decision.replace(evidence=evidence)
    return decision


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _may_be_alive(found: Underway) -> bool:
    """Whether the process that carries out a decision may still be there."""
    if found.machine == _machine() and os.name == "posix" and found.process != os.getpid():
        try:
            os.kill(found.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
    return datetime.now(UTC) - datetime.fromisoformat(found.decision.time) < PATIENCE


def _conflict(other: Decision) -> RegistryError:
    fact = f"{other.who} is about to {other.verb} version {other.version} of {other.model}, since {other.time}"
    return RegistryError(fact, remedy=f"Ask again in a minute: cellops models {other.model}", model=other.model)
