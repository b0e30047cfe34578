"""A run's model becomes a version of a registered model, and its challenger."""

from cellops.errors import RegistryError
from cellops.flows.deciding import decision
from cellops.flows.meant import Meant, meant, require_good
from cellops.flows.package import model_uri
from cellops.records.registry import CHALLENGER, CHAMPION, Decided, RegisteredModel, RegisteredVersion, Stage
from cellops.settings import Settings, load
from cellops.tracking.registry import Registry


def register(
    what: str = "last", *, model: str | None = None, reason: str = "", settings: Settings | None = None
) -> Decided:
    """Make the model of a run a version of a registered model of MLflow, with the alias `challenger`.

    With a package, which is verified first, the version is in `staging` and carries the package's digest; without, it
    is in `development`. Doing it twice gives the same version as doing it once.

    Parameters
    ----------
    what
        A package's folder, or a run: the start of its key, its name, its MLflow id, `last`, or an executed notebook.
    model
        The registered model. Default: the one that has the name of the run's experiment.
    reason
        What is to be remembered with the decision.

    Raises
    ------
    NotFoundError, IntegrityError, SignatureError
        When there is no such run or package, or the package is not what was packaged.
    PackageError
        When the run did not finish, or has no model.
    GateError
        When the run has not passed a gate that it was held against.
    RegistryError
        When its version is in production with another package, or somebody is changing the model.
    TrackingError
        When the tracking store does not answer, or refuses it.
    """
    settings = settings or load()
    registry = Registry(settings)
    found = meant(what, model, registry, settings)
    require_good(found)
    held, version = ensured(found, registry)
    stage = _stage(found, version)
    is_champion = CHAMPION in version.aliases
    aliases: dict[str, str | None] = {} if is_champion else {CHALLENGER: version.version}
    is_so = version.decisions and version.stage is stage and version.package == found.digest
    if is_so and (is_champion or CHALLENGER in version.aliases):
        return Decided(version=version, decision=None)
    made = decision("register", found, version, settings, stage=stage, aliases=aliases, reason=reason)
    replaced = None if is_champion else held.of(CHALLENGER)
    now = registry.decide(held, made)
    return Decided(version=now, decision=made, replaced=replaced if replaced != version else None)


def ensured(found: Meant, registry: Registry) -> tuple[RegisteredModel, RegisteredVersion]:
    """The version that is meant with its model, made where it is not there yet."""
    if found.registered is not None and found.version is not None:
        return found.registered, found.version
    assert found.run.mlflow_run_id is not None  # noqa: S101 - else it would not be in the tracking store
    number = registry.register(found.run.mlflow_run_id, model_uri(found.run), found.model)
    held = registry.model(found.model)
    version = held.version(number) if held else None
    if held is None or version is None:
        fact = f"Version {number} of {found.model} has been deleted meanwhile"
        raise RegistryError(fact, remedy="Ask again")
    return held, version


def _stage(found: Meant, version: RegisteredVersion) -> Stage:
    """Where registering leaves a version: nowhere further back than it is, unless it comes out of the archive."""
    if version.stage is Stage.PRODUCTION and version.package != found.digest:
        fact = f"Version {version.version} of {version.model} is in production with another package"
        remedy = f"Retire it first: cellops retire models:/{version.model}/{version.version}"
        raise RegistryError(fact, remedy=remedy, model=version.model)
    if version.stage is Stage.PRODUCTION:
        return version.stage
    if version.stage is Stage.ARCHIVED and found.package is None:
        fact = f"Version {version.version} of {version.model} is archived"
        raise RegistryError(fact, remedy="Register its package: cellops register PACKAGE", model=version.model)
    return Stage.STAGING if found.digest else Stage.DEVELOPMENT
