"""What verbs that may use a cluster have in common."""

import json

from cellops.errors import UsageError
from cellops.settings import LOCAL, Settings

HEEDED_BY_KERNELS = ("capture", "summary", "patch_limit")
"""Settings by which kernels record; all others are heeded here."""


def of_workers(settings: Settings) -> dict[str, str]:
    """Variables by which kernels of other machines record what those of this one would; it is carried from here.

    Where the store is the project's own they name none: workers put that of a task's own folder there.
    """
    own = {f"CELLOPS_{name.upper()}": json.dumps(getattr(settings, name)) for name in HEEDED_BY_KERNELS}
    own["CELLOPS_EXPERIMENT"] = settings.experiment
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
