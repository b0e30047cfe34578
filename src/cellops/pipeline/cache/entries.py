"""The steps that a project has kept: written once, found by key, those that were used longest ago deleted first."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from cellops.capture.blobs import Blobs, digest, write
from cellops.pipeline.cache import tidying
from cellops.pipeline.cache.key import digest as key_digest
from cellops.pipeline.values.store import ValueStore
from cellops.records.cached import KeptStep, StepKey

MOST_OF_A_KEY = 8
"""Entries of one key: they differ in the files and modules that the step found."""


class Cache:
    """The folder of steps of a project.

    Parameters
    ----------
    folder
        Where everything lies: `kept` has the entries by key, `last` the newest of each step, `cells` executed cells,
        and `values` what steps hand on. It is readable by its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self.values = ValueStore(folder / "values")
        self.cells = Blobs(folder / "cells")
        self._folder = folder
        self._kept = folder / "kept"
        self._last = folder / "last"

    def keep(self, entry: KeptStep) -> None:
        """File a step that was executed to its end.

        Raises
        ------
        OSError
            When the disk refuses it.
        """
        folder = self._kept / key_digest(entry.key)
        write(entry.to_json(), folder / f"{uuid.uuid4().hex}.json")
        write(entry.to_json(), self._last / _name(entry.notebook, entry.step))
        for path in _by_use(folder)[:-MOST_OF_A_KEY]:
            path.unlink(missing_ok=True)

    def begin(self, notebook: str, execution: str) -> str | None:
        """Note that a notebook is executed; give the identifier of the execution before it.

        Raises
        ------
        OSError
            When the disk refuses it.
        """
        before = self.last_execution(notebook)
        write(execution.encode(), self._last / f"{_file_name(notebook)}.execution")
        return before

    def last_execution(self, notebook: str) -> str | None:
        """The identifier of the execution of a notebook that was begun last."""
        path = self._last / f"{_file_name(notebook)}.execution"
        return path.read_text(encoding="ascii") if path.is_file() else None

    def renew(self, entry: KeptStep, notebook: str, execution: str) -> None:
        """Note that an execution has used a step, so that it can be resumed with it."""
        used = entry.replace(notebook=notebook, execution=execution)
        write(used.to_json(), self._last / _name(notebook, entry.step))

    def find(self, key: StepKey) -> Iterator[KeptStep]:
        """The steps that were kept under a key and whose values and cells are still there, newest first."""
        for path in reversed(_by_use(self._kept / key_digest(key))):
            entry = _read(path)
            if entry is not None and entry.key == key and self.is_whole(entry):
                with contextlib.suppress(OSError):
                    os.utime(path)
                yield entry

    def last(self, notebook: str, step: str) -> KeptStep | None:
        """What a step of a notebook was when it was executed last."""
        return _read(self._last / _name(notebook, step))

    def is_whole(self, entry: KeptStep) -> bool:
        """Whether the files of a step are there; they count as used now, so that they stay while it is executed."""
        cells = self.cells.path(entry.cells, ".json")
        with tidying.changing(self._folder):
            if not (cells.is_file() and all(map(self.values.has, entry.values))):
                return False
            for path in (cells, *map(self.values.path, entry.values)):
                os.utime(path)
        return True

    def in_use(self) -> AbstractContextManager[None]:
        """Let nobody delete what is kept or used from now on, until the end or the death of this process."""
        return tidying.in_use(self._folder)

    def bound(self, limit: int) -> int:
        """Delete what was used longest ago, beyond a number of bytes; give the bytes that this freed."""
        return tidying.tidy(self._folder, limit)


def _read(path: Path) -> KeptStep | None:
    """An entry; none where it is gone, damaged or of another version."""
    try:
        return KeptStep.from_file(path)
    except (OSError, msgspec.DecodeError):
        return None


def _by_use(folder: Path) -> list[Path]:
    """The entries of a key, the one that was used longest ago first."""
    found = []
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def _name(notebook: str, step: str) -> str:
    return f"{_file_name(notebook)}-{step}.json"


def _file_name(notebook: str) -> str:
    return digest(notebook.encode(errors="surrogatepass"))[:16]
