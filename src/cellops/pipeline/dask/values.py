"""Values that steps hand on, on their way between machines: files that are named by their content."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from cellops.errors import StepError
from cellops.pipeline.cache.shared_folder import SharedError, SharedFolder
from cellops.pipeline.dask.bundle import not_handed_over
from cellops.pipeline.dask.place import Place
from cellops.pipeline.values.secrecy import seems_secret
from cellops.pipeline.values.store import ValueStore
from cellops.records.stored import StoredValue


class Exchange:
    """The values of one execution, in a folder that this machine and the workers reach.

    Parameters
    ----------
    place
        That folder.
    below
        The folder in it that is deleted at the end.
    """

    def __init__(self, place: Place, below: str) -> None:
        self._place = place
        self._below = below
        self._folder = SharedFolder(place.address, place.public)

    def send(self, values: Iterable[StoredValue], store: ValueStore) -> None:
        """Put values of a store there that are not there.

        Raises
        ------
        StepError
            When one seems to hold a secret, and others may read that folder.
        ClusterError
            When it does not take them.
        """
        for value in values:
            path = store.path(value)
            if self._place.own is None and seems_secret(value.names, path):
                fact = f"A secret seems to stand in {' and '.join(value.names)}, which would go to {self._place.public}"
                raise StepError(fact, remedy="Read the secret in the step that uses it", names=list(value.names))
            try:
                self._folder.put(self._name(value, store), value.size, path)
            except SharedError as error:
                raise not_handed_over(str(error)) from error

    def bring(self, values: Iterable[StoredValue], store: ValueStore) -> None:
        """Have values in a store, each of which has the content that its digest names.

        Raises
        ------
        StepError
            When one is gone from there, or has another content; it is sent again when the step is tried again.
        """
        for value in values:
            if not store.has(value):
                try:
                    self._folder.bring(self._name(value, store), value.digest, store.path(value))
                except SharedError as error:
                    names = " and ".join(value.names)
                    fact = f"The value of {names} cannot be taken from where it was handed over: {error}"
                    remedy = "Try it again, with --resume, or with --retries"
                    raise StepError(fact, remedy=remedy, names=list(value.names)) from error

    def _name(self, value: StoredValue, store: ValueStore) -> str:
        return f"{self._below}/values/{store.path(value).relative_to(store.folder).as_posix()}"


def lend(values: Iterable[StoredValue], source: ValueStore, target: ValueStore) -> None:
    """Have values of a store in another one on the same disk too, without copying them where that can be."""
    for value in values:
        path, there = source.path(value), target.path(value)
        if not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _link(path, there)


def _link(path: Path, there: Path) -> None:
    try:
        there.hardlink_to(path)
    except FileExistsError:
        return  # another step has just done it
    except OSError:
        shutil.copyfile(path, there)
