"""Files that a slice writes, put aside while it is executed again and put back behind it (`putting_back`)."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cellops.capture.files.copies import copy_aside
from cellops.pipeline.verify.putting_back import put_back
from cellops.records.aside import LIST, PutAside
from cellops.records.cell import CellRecord


def written_by(cells: Iterable[CellRecord], project: Path) -> list[Path]:
    """The files that cells wrote, as their records name them."""
    uses = (use for record in cells for use in record.files if use.mode != "read" and "://" not in use.path)
    return list(dict.fromkeys(project / Path(use.path).expanduser() for use in uses))


@contextlib.contextmanager
def put_aside(paths: Iterable[Path], folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Keep copies of files in a folder while they may be written to, and put them back.

    The kernel copies to the same folder what else it is about to touch (`capture.files.guard`).

    Parameters
    ----------
    folder
        A new folder, which is gone afterwards.
    tell
        Is told of each file of somebody else's, and where it is kept; of each that could not be put back; and of
        each that somebody had open.

    Raises
    ------
    OSError
        When they cannot be copied; nothing has been changed then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / LIST
    try:
        with listed.open("ab") as file:
            for number, path in enumerate(dict.fromkeys(Path(os.path.realpath(path)) for path in paths)):
                copied = None
                if path.is_file():
                    copied = str(folder / f"{number}-{path.name}")
                    copy_aside(path, copied)
                file.write(PutAside(path=str(path), copied=copied, existed=os.path.lexists(path)).to_json() + b"\n")
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        yield
    finally:
        put_back(listed, tell)
