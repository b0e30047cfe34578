"""The files of runs and of models: read where a local store keeps them, else downloaded."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.settings import Settings
from cellops.tracking.database import Database

if TYPE_CHECKING:
    from cellops.tracking.store import Store


class StoredFiles:
    """The folders of one tracking store. MLflow, whose import takes seconds, is asked only where it has to be.

    Every method raises `NotFoundError` when the files are gone and `TrackingError` when the store does not answer. Who
    gets a folder must not write to it: it can be the store's own.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database.of(settings)

    def of_run(self, run_id: str, path: str, target: Callable[[], Path]) -> Path:
        """The folder `path` among the artifacts of a run, by MLflow's id; if it must be downloaded, below `target`."""
        folder = None if self._database is None else self._database.artifacts(run_id)
        if folder is not None and (folder / path).is_dir():
            return folder / path
        return self._store.artifacts(run_id, path, target())

    def of_model(self, uri: str, target: Callable[[], Path]) -> Path:
        """The directory of a logged model; if it must be downloaded, below `target`."""
        folder = None if self._database is None else self._database.model(uri)
        if folder is not None and (folder / "MLmodel").is_file():
            return folder
        return self._store.model(uri, target())

    @cached_property
    def _store(self) -> "Store":
        from cellops.tracking.store import Store

        return Store(self._settings)
