"""The data of a run, read again as it was when the run used it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cellops.capture.files.pinning import identify, pin
from cellops.capture.files.pointers import delta_entry, is_address
from cellops.errors import DataError, InputError, NotFoundError
from cellops.flows.recorded import recorded
from cellops.records.file import FileUse, Pointer
from cellops.records.recorded import RecordedRun
from cellops.records.run import RunClosed
from cellops.settings import Settings, load

READERS = {
    ".csv": "read_csv",
    ".parquet": "read_parquet",
    ".feather": "read_feather",
    ".json": "read_json",
    ".xlsx": "read_excel",
}
SHOWN_DIGEST = 24


@dataclass(frozen=True)
class Dataset:
    """Data of a run as it was."""

    name: str
    """As the run recorded it."""
    kind: str
    """`file`, `dvc`, `delta` or `lakefs`: from where it came."""
    version: str | None
    """The version there; of a file its digest."""
    path: Path
    """Where it stands now: the file itself, or a copy; of a Delta table its folder."""
    verified: bool
    """Whether its content was compared with what the run recorded."""

    def table(self) -> Any:
        """The data as a DataFrame of pandas, read with its library's defaults.

        Raises
        ------
        InputError
            When it is of a kind that is not read so: then read `path`.
        """
        if self.kind == "delta":
            from cellops.data.versions.delta import delta_table

            return delta_table(self.path, self.version or "0").to_pandas()
        import pandas as pd

        reader = READERS.get(self.path.suffix.lower())
        if reader is None:
            fact = f"{self.name} is not read by itself"
            remedy = f"Read it from its path; by themselves are read {', '.join(READERS)}"
            raise InputError(fact, received=self.path.suffix, remedy=remedy)
        return getattr(pd, reader)(self.path)


def dataset(run: str, name: str, *, settings: Settings | None = None) -> Dataset:
    """Find the data that a run has read, as it was then, wherever a version of it is kept.

    A Delta table is read at the version that the run used. A file is taken where it stands if it still has its recorded
    content, and else from DVC, where that tracked it. What cannot be had as it was is an error, never something else.

    Parameters
    ----------
    run
        The start of a run's key, its name, its MLflow id, or `last`.
    name
        A path as the run recorded it, the end of one, or the name of a table that was read from one.

    Returns
    -------
    Dataset
        With `path` and `table()`.

    Raises
    ------
    NotFoundError
        When there is no such run, or it has read no such data.
    DataError
        When it is gone, or is there with other content, and no version of it was kept.
    RecordError
        When the run has not ended, or its record is not whole.
    UsageError
        When the package that reads its versions is not installed.
    """
    settings = settings or load()
    with TemporaryDirectory(prefix="cellops-") as folder:
        held = recorded(run, settings, lambda: Path(folder)).run
    use = _use(held, name)
    pointers = {pointer.kind: pointer for pointer in use.pointers}
    path = settings.project / Path(use.path).expanduser()
    if is_address(use.path):
        return _remote(use, pointers)
    if "delta" in pointers and not path.is_file():
        return _delta(use, path, pointers["delta"])
    if _is_as_it_was(path, use):
        return Dataset(use.path, "file", use.digest, path, verified=use.digest is not None)
    if pointers.get("dvc") is not None and pointers["dvc"].version is not None:
        return _of_dvc(use, path, pointers["dvc"], settings)
    raise _lost(use, path)


def _use(held: RecordedRun, name: str) -> FileUse:
    """The newest use of the data that is named."""
    closed: RunClosed = held.closed
    read = [use for use in closed.files if use.mode != "write"]
    tables = {table.name: table.pointer for table in closed.data if table.pointer is not None}
    wanted = tables.get(name, name)
    found = [use for use in read if use.path == wanted] or [use for use in read if use.path.endswith(f"/{wanted}")]
    paths = dict.fromkeys(use.path for use in found)
    if len(paths) == 1:
        return found[-1]
    where = f"the run {held.name} ({held.run[:8]})"
    known = ", ".join(dict.fromkeys([*tables, *(use.path for use in read)])) or "none"
    fact = (
        f"{name} is {len(paths)} files that {where} has read" if paths else f"No data called {name} is known of {where}"
    )
    raise NotFoundError(fact, remedy=f"Name one of: {known}")


def _is_as_it_was(path: Path, use: FileUse) -> bool:
    """Whether a file has its recorded content; where none was recorded, its size and the time of its writing."""
    seen = identify(path)
    if seen is None:
        return False
    if use.digest is None:
        return seen.modified / 1e9 == use.modified and use.size in {seen.size, None}
    return pin(path, seen).digest == use.digest


def _delta(use: FileUse, path: Path, pointer: Pointer) -> Dataset:
    from cellops.data.versions.delta import delta_table

    version = pointer.version or "0"
    entry = delta_entry(path, version)
    if pointer.digest is not None and entry is not None and entry != pointer.digest:
        fact = f"Version {version} of the Delta table {use.path} is not the one that the run has read"
        remedy = "The table was made anew at this path: restore the old one from a backup"
        raise DataError(fact, received=entry, remedy=remedy, path=use.path)
    delta_table(path, version)
    return Dataset(use.path, "delta", version, path, verified=pointer.digest is not None and entry == pointer.digest)


def _of_dvc(use: FileUse, path: Path, pointer: Pointer, settings: Settings) -> Dataset:
    from cellops.data.versions.dvc import dvc_file

    folder = Path(tempfile.mkdtemp(prefix="cellops-dataset-"))
    tracked = path
    if (pointer.version or "").endswith(".dir"):
        tracked = settings.project / Path(pointer.target).with_suffix("")
    copy = dvc_file(path, tracked, pointer.version or "", folder)
    if use.digest is not None and not _is_as_it_was(copy, use):
        fact = f"What DVC has kept of {use.path} as {pointer.version} is not what the run has read"
        raise DataError(fact, remedy="Check the cache: dvc status --cloud; then restore it", path=use.path)
    return Dataset(use.path, "dvc", pointer.version, copy, verified=use.digest is not None)


def _remote(use: FileUse, pointers: dict[str, Pointer]) -> Dataset:
    if "lakefs" not in pointers:
        fact = f"{use.path} is remote, and nothing was kept of its content"
        raise DataError(fact, remedy="Fetch it yourself, or read from a system that keeps versions", path=use.path)
    from cellops.data.versions.lakefs import lakefs_object

    pointer = pointers["lakefs"]
    copy = lakefs_object(pointer.target, pointer.version or "", Path(tempfile.mkdtemp(prefix="cellops-dataset-")))
    return Dataset(use.path, "lakefs", pointer.version, copy, verified=False)


def _lost(use: FileUse, path: Path) -> DataError:
    remedy = "Put it back as it was; to keep versions of data, track it with DVC or keep it in a Delta table"
    if not path.exists():
        return DataError(f"{use.path}, which the run has read, is gone", remedy=remedy, path=use.path)
    fact = f"{use.path} has changed since the run has read it"
    return DataError(fact, received=f"recorded {(use.digest or '')[:SHOWN_DIGEST]}", remedy=remedy, path=use.path)
