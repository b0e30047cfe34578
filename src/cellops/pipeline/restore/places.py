"""Where a run worked and where its data lie, seen from a restored folder."""

import os
from collections.abc import Sequence
from pathlib import Path

from cellops.records.cell import CellRecord
from cellops.records.file import FileUse
from cellops.records.recorded import RecordedRun


def working_folder(run: RecordedRun, project: Path) -> Path:
    """The folder in which the kernel of the run worked, else that of its notebook."""
    if run.closed.folder is not None:
        return project / Path(run.closed.folder).expanduser()
    return (project / (run.notebook or "notebook.ipynb")).parent


def seen_from(folder: Path, target: Path) -> str:
    """The path of the target relative to a folder."""
    try:
        return Path(os.path.relpath(target, folder.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        return target.as_posix()


def files_read(run: RecordedRun, cells: Sequence[CellRecord], project: Path) -> list[FileUse]:
    """The files that cells have read and not written themselves, their paths seen from where the run worked."""
    uses = [*run.closed.files, *(use for record in cells for use in record.files if use.mode == "read")]
    written = {use.path for record in cells for use in record.files if use.mode != "read"}
    first: dict[str, FileUse] = {}
    for use in uses:
        first.setdefault(use.path, use)
    folder = working_folder(run, project)
    return [_seen(use, folder, project) for path, use in first.items() if path not in written]


def _seen(use: FileUse, folder: Path, project: Path) -> FileUse:
    if "://" in use.path or use.path.startswith("~") or Path(use.path).is_absolute():
        return use
    return use.replace(path=seen_from(folder, project / use.path))
