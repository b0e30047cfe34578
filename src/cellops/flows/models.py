"""What the registry holds."""

from cellops.errors import NotFoundError
from cellops.records.registry import RegisteredModel
from cellops.settings import LOCAL_STORE, Settings, load, local_store
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
    settings = settings or load()
    registry = None if _is_not_made(settings) else Registry(settings)
    if name is None:
        return registry.models() if registry else []
    found = registry.model(name) if registry else None
    if found is None:
        fact = f"There is no registered model {name}"
        raise NotFoundError(fact, remedy="See which there are with: cellops models")
    return [found]


def _is_not_made(settings: Settings) -> bool:
    """Whether the store is the project's own and not there yet: who only looks makes none."""
    return settings.tracking_uri == local_store(settings.folder) and not (settings.folder / LOCAL_STORE).exists()
