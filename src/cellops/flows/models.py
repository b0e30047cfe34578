"""What the registry holds."""

from cellops.errors import NotFoundError
from cellops.records.registry import RegisteredModel
from cellops.settings import Settings, load
from cellops.tracking.registry import Registry


def models(name: str | None = None, *, settings: Settings | None = None) -> list[RegisteredModel]:
    """The registered models with their versions, aliases, stages and decisions.

    Parameters
    ----------
    name
        The only one to be given; default all.

    Raises
    ------
    NotFoundError
        When there is none of that name.
    TrackingError
        When the tracking store does not answer.
    """
    registry = Registry(settings or load())
    if name is None:
        return registry.models()
    found = registry.model(name)
    if found is None:
        fact = f"There is no registered model {name}"
        raise NotFoundError(fact, remedy="See which there are with: cellops models")
    return [found]
