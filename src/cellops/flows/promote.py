"""A version becomes the champion: the one that gates compare with and that answers."""

import shlex

from cellops.errors import RegistryError
from cellops.flows.deciding import decision, deployment_of
from cellops.flows.meant import Meant, meant, require_good
from cellops.flows.register import ensured
from cellops.records.gate import Champion
from cellops.records.promoted import Promoted
from cellops.records.registry import CHALLENGER, CHAMPION, RegisteredVersion, Stage
from cellops.settings import Settings, load
from cellops.tracking.registry import Registry

WITHOUT_TEST = "--without-test"


def promote(
    what: str = "last",
    *,
    model: str | None = None,
    without_test: bool = False,
    reason: str = "",
    settings: Settings | None = None,
) -> Promoted:
    """Give the alias `champion` to the version that a run's model is, and register it where it is not yet.

    With a package whose test deployment has passed it goes into `production`, and the champion before it back to
    `staging`; without a package only the alias changes. Doing it twice gives the same version as doing it once.

    Parameters
    ----------
    what
        `challenger`, `models:/NAME/3`, a package's folder, or a run: the start of its key, its name, its MLflow id,
        `last`, or the path of an executed notebook.
    model
        The registered model. Default: the one that has the name of the run's experiment, which gates look at.
    without_test
        Whether it goes into production although no test deployment of its package has passed; the decision says so.
    reason
        What is to be remembered with the decision.

    Raises
    ------
    NotFoundError, IntegrityError, SignatureError
        When there is no such run, version or package, or the package is not what was packaged.
    PackageError
        When the run did not finish, or has no model.
    GateError
        When the run has not passed a gate that it was held against.
    RegistryError
        When its package has not passed a test deployment, it is archived, or somebody is changing the model.
    TrackingError
        When the tracking store does not answer, or refuses it.
    """
    settings = settings or load()
    registry = Registry(settings)
    found = meant(what, model, registry, settings)
    require_good(found)
    overridden = _required(found, what, settings, without_test=without_test)
    held, version = ensured(found, registry)
    before, replaced = registry.champion(found.model), held.of(CHAMPION)
    stage = Stage.PRODUCTION if found.digest or overridden else version.stage
    now, made = version, None
    if CHAMPION not in version.aliases or version.stage is not stage or version.package != found.digest:
        made = decision(
            "promote",
            found,
            version,
            settings,
            stage=stage,
            aliases={CHAMPION: version.version, CHALLENGER: None},
            others=_moved(replaced, version),
            overridden=overridden,
            reason=reason,
        )
        now = registry.decide(held, made)
    champion = Champion(model=found.model, version=now.version, run=found.run.mlflow_run_id, metrics=found.run.metrics)
    return Promoted(run=found.run, champion=champion, before=before, version=now, decision=made, replaced=replaced)


def _required(found: Meant, what: str, settings: Settings, *, without_test: bool) -> tuple[str, ...]:
    """What is set aside of that which production needs; nothing where it is all there, or no package is concerned."""
    version, digest = found.version, found.digest
    named = shlex.quote(what) if found.package else "PACKAGE"
    if version is not None and version.stage is Stage.ARCHIVED:
        fact = f"Version {version.version} of {found.model} is archived"
        remedy = f"Register its package first: cellops register {named} --model {shlex.quote(found.model)}"
        raise RegistryError(fact, remedy=remedy, model=found.model)
    test = deployment_of(digest, version, settings) if digest else None
    if test is not None and test.passed:
        return ()
    if without_test:
        return (WITHOUT_TEST,)
    if digest is None:
        return ()
    said = "has not passed" if test else "has not had"
    fact = f"The package {digest[:16]} of {found.model} {said} a test deployment"
    remedy = f"Run: cellops package test {named}; or answer for it with {WITHOUT_TEST} --reason TEXT"
    raise RegistryError(fact, remedy=remedy, model=found.model)


def _moved(replaced: RegisteredVersion | None, version: RegisteredVersion) -> dict[str, Stage]:
    """Where the champion before goes: only one version is in production."""
    if replaced is None or replaced.version == version.version or replaced.stage is not Stage.PRODUCTION:
        return {}
    return {replaced.version: Stage.STAGING if replaced.package else Stage.DEVELOPMENT}
