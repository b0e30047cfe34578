"""A version goes out of traffic."""

from cellops.flows.deciding import decision
from cellops.flows.meant import meant, registered
from cellops.records.registry import CHALLENGER, CHAMPION, Decided, RegisteredModel, RegisteredVersion, Stage
from cellops.settings import Settings, load
from cellops.tracking.registry import Registry

VERB = "retire"


def retire(
    what: str = CHAMPION, *, model: str | None = None, reason: str = "", settings: Settings | None = None
) -> Decided:
    """Take the aliases `champion` and `challenger` from a version, and bring it from `production` back to `staging`.

    Until another one is promoted its model has no champion then. Doing it twice is as doing it once.

    Parameters
    ----------
    what
        `champion`, `challenger`, `models:/NAME/3`, a package's folder, or a run.
    model
        The registered model. Default: the one that has the name of the run's experiment.
    reason
        What is to be remembered with the decision.

    Raises
    ------
    NotFoundError
        When there is no such version.
    RegistryError
        When somebody is changing the model.
    TrackingError
        When the tracking store does not answer, or refuses it.
    """
    settings = settings or load()
    registry = Registry(settings)
    if what == CHAMPION and (last := _retired_last(registry.model(model or settings.experiment))) is not None:
        return Decided(version=last, decision=None)
    found = meant(what, model, registry, settings)
    held, version = registered(found)
    if version.stage is not Stage.PRODUCTION and not {CHAMPION, CHALLENGER} & {*version.aliases}:
        return Decided(version=version, decision=None)
    back = Stage.STAGING if version.package else Stage.DEVELOPMENT
    made = decision(
        VERB,
        found,
        version,
        settings,
        stage=back if version.stage is Stage.PRODUCTION else version.stage,
        aliases={CHAMPION: None, CHALLENGER: None},
        reason=reason,
    )
    return Decided(version=registry.decide(held, made), decision=made)


def _retired_last(held: RegisteredModel | None) -> RegisteredVersion | None:
    """The version that was the champion until it was retired; None where there is a champion, or never was."""
    if held is None or CHAMPION in held.aliases:
        return None
    retired = [v for v in held.versions if v.decisions and v.decisions[-1].verb == VERB]
    return max(retired, key=lambda v: v.decisions[-1].id, default=None)
