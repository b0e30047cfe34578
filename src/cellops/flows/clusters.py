"""What verbs that may use a cluster have in common."""

from cellops.errors import UsageError
from cellops.settings import LOCAL, Settings


def of_workers(settings: Settings) -> dict[str, str]:
    """Variables by which kernels of other machines record what those of this one would; it is carried from here."""
    own = {"CELLOPS_EXPERIMENT": settings.experiment}
    return own if settings.store == LOCAL else {**own, "CELLOPS_TRACKING_URI": settings.store}


def refuse_empty(dask: object, store: str | None) -> None:
    """Refuse addresses that say nothing.

    Raises
    ------
    UsageError
        Naming the option.
    """
    if "" in (dask, store):
        fact = f"{'--dask' if dask == '' else '--store'} is empty"
        raise UsageError(fact, remedy="Give it an address, or leave it out")
