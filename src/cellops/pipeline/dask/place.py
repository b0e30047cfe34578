"""The folder in which workers and this machine hand files to each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellops.errors import UsageError
from cellops.settings import without_credentials

HANDED = "handed"
"""The folder of this project for what is handed over."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True)
class Place:
    """A folder that this machine and all workers reach."""

    address: str
    """As fsspec takes it."""
    own: Path | None = None
    """The folder itself, where it is one of this project, which only its owner reads."""

    @property
    def public(self) -> str:
        return without_credentials(self.address)


def place_of(target: Any, store: str | None, folder: Path) -> Place:
    """The folder to hand over in: one of this project where the scheduler is on this machine and none was given.

    Parameters
    ----------
    target
        As `connected` takes it.
    store
        Address of a folder.
    folder
        Of cellops' own files in this project.

    Raises
    ------
    UsageError
        When none was given, and workers may be elsewhere.
    """
    if store is not None:
        return Place(store)
    address = target if isinstance(target, str) else getattr(target, "scheduler_address", "")
    if not address:
        address = getattr(getattr(target, "scheduler", None), "address", "")
    if is_here(str(address)):
        own = folder.resolve() / HANDED
        # fsspec takes a path as it stands: what `as_uri` quotes would be another one.
        return Place(f"file://{own.as_posix()}", own)
    fact = "Workers of Dask hand over what they have done in a folder that they and this machine reach; none is named"
    raise UsageError(fact, remedy="Give one: --store s3://bucket/folder, or set CELLOPS_STEP_STORE")


def is_here(address: str) -> bool:
    """Whether a scheduler is one of this machine."""
    return address.startswith("inproc://") or address.rpartition("://")[2].rpartition(":")[0] in LOOPBACK
