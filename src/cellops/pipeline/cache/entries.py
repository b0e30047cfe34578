"""The steps that a project has kept: written once, found by key, those that were used longest ago deleted first."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from cellops.capture.blobs import Blobs, digest, write
from cellops.pipeline.cache import shared_tidying, tidying
from cellops.pipeline.cache.key import digest as key_digest
from cellops.pipeline.cache.shared import SharedSteps
from cellops.pipeline.cache.shared_folder import SharedError
from cellops.pipeline.values.secrecy import seems_secret
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
    shared
        Where other machines find the same.
    """

    def __init__(self, folder: Path, shared: SharedSteps | None = None) -> None:
        self.values = ValueStore(folder / "values")
        self.cells = Blobs(folder / "cells")
        self._folder = folder
        self._shared = shared
        self._kept = folder / "kept"
        self._last = folder / "last"

    def keep(self, entry: KeptStep) -> None:
        """File a step that was executed to its end.

        Raises
        ------
        OSError
            When the disk refuses it.
        """
        self._file(entry)
        write(entry.to_json(), self._last / _name(entry.notebook, entry.step))

    def _file(self, entry: KeptStep) -> None:
        folder = self._kept / key_digest(entry.key)
        write(entry.to_json(), folder / f"{uuid.uuid4().hex}.json")
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

    @property
    def salt(self) -> bytes:
        """What digests of secrets are made with."""
        return b"" if self._shared is None else self._shared.salt

    @property
    def store(self) -> str | None:
        """Where other machines find the same, without credentials."""
        return None if self._shared is None else self._shared.public

    def find(self, key: StepKey, problems: list[str]) -> Iterator[KeptStep]:
        """The steps that were kept under a key, here first, newest first; why others are no use goes to `problems`."""
        folder = key_digest(key)
        for path in reversed(_by_use(self._kept / folder)):
            entry = _read(path)
            if entry is not None and entry.key == key:
                with contextlib.suppress(OSError):
                    os.utime(path)
                yield entry
        if self._shared is not None:
            yield from (entry for entry in self._shared.find(folder, problems) if entry.key == key)

    def share(self, entry: KeptStep) -> str | None:
        """Put a step that was kept where other machines find it; say why that was not possible.

        One that hands on or takes what seems to be a secret is not put there: a digest of a short one tells it too.
        """
        if self._shared is None:
            return None
        try:
            secret = [" and ".join(names) for path, names in self._values(entry).items() if seems_secret(names, path)]
            if secret:
                return f"a secret seems to stand in {', '.join(secret)}; read it in the step that uses it"
            self._shared.push(entry, key_digest(entry.key), {name: path for name, _, path in self._files(entry)})
        except (SharedError, OSError) as error:
            return str(error)
        return None

    def fetch(self, entry: KeptStep) -> str | None:
        """Have the files of a step here, as used from now on; say why that is not possible."""
        if self.is_whole(entry):
            return None
        if not all(map(self.values.reads, entry.values)):
            return "what was kept of it is of another version"
        if self._shared is None:
            return "what was kept of it was deleted"
        try:
            for name, content, path in self._files(entry):
                self._shared.pull(name, content, path)
            self._file(entry)
        except (SharedError, OSError) as error:
            return str(error)
        return None if self.is_whole(entry) else "what was kept of it is not whole"

    def _files(self, entry: KeptStep) -> list[tuple[str, str, Path]]:
        """The files that belong to an entry: the name of each, the digest of its content, and where it stands here."""
        cells = self.cells.path(entry.cells, ".json")
        values = [(one.digest, self.values.path(one)) for one in entry.values]
        return [(path.relative_to(self._folder).as_posix(), of, path) for of, path in [(entry.cells, cells), *values]]

    def _values(self, entry: KeptStep) -> dict[Path, tuple[str, ...]]:
        """The files of the values that a step takes and hands on, with their names."""
        taken = {path: (name,) for name, of in entry.key.inputs.items() if of for path in self.values.files(of)}
        return taken | {self.values.path(one): one.names for one in entry.values}

    def last(self, notebook: str, step: str) -> KeptStep | None:
        """What a step of a notebook was when it was executed last."""
        return _read(self._last / _name(notebook, step))

    def is_whole(self, entry: KeptStep) -> bool:
        """Whether the files of a step are there; they count as used now, so that they stay while it is executed."""
        with tidying.changing(self._folder):
            if not (self.cells.path(entry.cells, ".json").is_file() and all(map(self.values.has, entry.values))):
                return False
            for _, _, path in self._files(entry):
                os.utime(path)
        return True

    def in_use(self) -> AbstractContextManager[None]:
        """Let nobody delete what is kept or used from now on, until the end or the death of this process."""
        return tidying.in_use(self._folder)

    def bound(self, limit: int) -> int:
        """Delete what was used longest ago, beyond a number of bytes; give the bytes that this freed."""
        return tidying.tidy(self._folder, limit)

    def bound_shared(self, *, limit: int | None, before: float | None) -> int:
        """Delete what other machines find and is oldest, beyond some bytes or from before a time; give the bytes freed.

        Raises
        ------
        SharedError
            When the store does not answer.
        """
        if self._shared is None:
            return 0
        return shared_tidying.tidy(
            self._shared, lambda entry: [name for name, _, _ in self._files(entry)], limit=limit, before=before
        )


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
