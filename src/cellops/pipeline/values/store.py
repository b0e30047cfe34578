"""The values of a project's steps: files that are named by the digest of their content."""

import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from cellops.capture.blobs import digest_of_file
from cellops.capture.secrets import KNOWN
from cellops.errors import StepError
from cellops.pipeline.values.formats import arrow_table, numpy_array, pandas_table, pickled, polars_table, scalar
from cellops.pipeline.values.refused import SecretInsideError, refused
from cellops.records.stored import StoredValue

FORMATS: dict[str, ModuleType] = {
    "scalar": scalar,
    "numpy": numpy_array,
    "pandas": pandas_table,
    "arrow": arrow_table,
    "polars": polars_table,
    "pickle": pickled,
}
"""By the name that records give them, in the order in which they are asked; the last takes anything."""


class ValueStore:
    """A folder of values.

    Only what this project wrote is read from it: a file is compared with its digest before it is opened by a format,
    and the digest comes from a record of the project.

    Parameters
    ----------
    folder
        Where the files lie; it is made, for its owner only, when the first value is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, values: Mapping[str, object]) -> tuple[StoredValue, ...]:
        """Write values; those that share an object that can be changed go into one file, so that they still share it.

        Parameters
        ----------
        values
            By the names that they have in the notebook.

        Returns
        -------
        tuple of StoredValue
            One a file, in the order of the first of its names.

        Raises
        ------
        StepError
            Naming all values that cannot be written: an open file or connection, a generator that is running, a full
            disk.
        """
        chosen = {name: _format_of(value) for name, value in values.items()}
        plain = {name: values[name] for name, chosen_format in chosen.items() if chosen_format != "pickle"}
        rest = {name: value for name, value in values.items() if name not in plain}
        problems: dict[tuple[str, ...], Exception] = {}
        others = {name: value for name, value in plain.items() if chosen[name] != "scalar"}
        grouped = pickled.groups(rest, others, problems)
        grouped += [[name] for name in plain if chosen[name] == "scalar"]
        order = {name: place for place, name in enumerate(values)}
        names = sorted((sorted(group, key=order.__getitem__) for group in grouped), key=lambda group: order[group[0]])
        kept = [self._keep(group, values, chosen, problems) for group in names]
        if problems:
            raise refused(problems, values) from next(iter(problems.values()))
        return tuple(one for one in kept if one is not None)

    def load(self, stored: Iterable[StoredValue], names: Iterable[str] | None = None) -> dict[str, Any]:
        """Read values.

        Parameters
        ----------
        stored
            What `keep` gave.
        names
            Those that are wanted; all by default.

        Raises
        ------
        StepError
            When a file is gone, or is not what was written; then it is deleted, so that it can be written again.
        """
        wanted = None if names is None else set(names)
        found: dict[str, Any] = {}
        for one in stored:
            if wanted is None or wanted & set(one.names):
                found |= self._load(one)
        return found if wanted is None else {name: value for name, value in found.items() if name in wanted}

    def has(self, stored: StoredValue) -> bool:
        """Whether the file of a value is there, of its size; its content is compared when it is read."""
        if not self.reads(stored):
            return False
        try:
            return self.path(stored).stat().st_size == stored.size
        except OSError:
            return False

    def reads(self, stored: StoredValue) -> bool:
        """Whether the format of a value is known; another version of cellops may have others."""
        return stored.format in FORMATS

    def path(self, stored: StoredValue) -> Path:
        return self.folder / stored.digest[:2] / f"{stored.digest}.{FORMATS[stored.format].SUFFIX}"

    def files(self, digest: str) -> list[Path]:
        """The files of a content, one a format."""
        return list((self.folder / digest[:2]).glob(f"{digest}.*"))

    def _keep(
        self,
        names: list[str],
        values: Mapping[str, object],
        chosen: Mapping[str, str],
        problems: dict[tuple[str, ...], Exception],
    ) -> StoredValue | None:
        """Write the values of one file; why that is not possible goes to `problems`."""
        alone = len(names) == 1
        kind = chosen[names[0]] if alone else "pickle"
        content: Any = values[names[0]] if alone and kind != "pickle" else {name: values[name] for name in names}
        part = self.folder / f".{uuid.uuid4().hex}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            FORMATS[kind].write(content, part)
            _check_secrets(part)
            stored = StoredValue(names=tuple(names), format=kind, digest=digest_of_file(part), size=part.stat().st_size)
            path = self.path(stored)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            part.replace(path)
        except Exception as error:  # noqa: BLE001 - user code runs here
            problems[tuple(names)] = error
            return None
        finally:
            part.unlink(missing_ok=True)
        return stored

    def _load(self, stored: StoredValue) -> Any:
        path = self.path(stored)
        try:
            digest = digest_of_file(path)
            content = FORMATS[stored.format].read(path) if digest == stored.digest else None
            os.utime(path)  # What was used last is deleted last.
        except FileNotFoundError as error:
            raise _not_loaded(stored, f"is gone: there is no {path.name}") from error
        except Exception as error:
            raise _not_loaded(stored, f"cannot be read: {type(error).__name__}: {error}") from error
        if digest != stored.digest:
            path.unlink(missing_ok=True)
            raise _not_loaded(stored, f"is not what was written: {path.name} had another content, and was deleted")
        return content if stored.format == "pickle" else {stored.names[0]: content}


def sharing_memory(values: Mapping[str, object], kept: Iterable[StoredValue] = ()) -> list[tuple[str, str]]:
    """Pairs of names whose arrays lie in the same memory and were not kept in one file, which keeps that."""
    arrays = {name: value for name, value in values.items() if numpy_array.accepts(value)}
    if len(arrays) < 2:  # noqa: PLR2004 - a pair
        return []
    import numpy as np

    pairs = [(one, other) for one in arrays for other in arrays if one < other]
    together = [set(stored.names) for stored in kept]
    pairs = [pair for pair in pairs if not any(names.issuperset(pair) for names in together)]
    return [(one, other) for one, other in pairs if np.may_share_memory(arrays[one], arrays[other])]


def _format_of(value: object) -> str:
    return next(name for name, chosen in FORMATS.items() if chosen.accepts(value))


def _check_secrets(path: Path) -> None:
    if KNOWN and KNOWN.are_in(path.read_bytes()):
        raise SecretInsideError


def _not_loaded(stored: StoredValue, problem: str) -> StepError:
    fact = f"The kept value of {' and '.join(stored.names)} {problem}"
    remedy = "Execute the notebook again: the step that gives it is executed again, as it is not there"
    return StepError(fact, remedy=remedy, names=list(stored.names))
