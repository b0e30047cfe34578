"""Files that a slice writes, put aside while it is executed again and put back behind it.

What stands aside stays until it has been put back, so that a killed verification loses nothing: the next one puts
back what an earlier one has left.
"""

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from cellops.records.base import Record
from cellops.records.cell import CellRecord

LIST = "put-back.json"
LARGEST = 2 * 2**30
"""Bytes that are put aside in all."""


class PutAside(Record, frozen=True, kw_only=True):
    """The files that stood before, each with the copy of it; None for one that was not there."""

    copies: dict[str, str | None] = {}  # noqa: RUF012 - msgspec copies mutable defaults


def written_by(cells: Iterable[CellRecord], project: Path) -> list[Path]:
    """The files that cells wrote, as their records name them."""
    uses = (use for record in cells for use in record.files if use.mode != "read" and "://" not in use.path)
    return list(dict.fromkeys(project / Path(use.path).expanduser() for use in uses))


@contextlib.contextmanager
def put_aside(paths: Iterable[Path], folder: Path) -> Iterator[None]:
    """Keep copies of files in a folder while they may be written to, and put them back.

    Raises
    ------
    OSError
        When they cannot be copied; nothing has been changed then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copies: dict[str, str | None] = {}
    for number, path in enumerate(paths):
        copies[str(path)] = None
        if path.is_file():
            copy = folder / f"{number}-{path.name}"
            shutil.copy2(path, copy)
            copies[str(path)] = str(copy)
    listed = folder / LIST
    listed.write_bytes(PutAside(copies=copies).to_json())
    try:
        yield
    finally:
        put_back(listed)


def put_back(listed: Path) -> None:
    """Put back what a list names, and forget it."""
    try:
        held = PutAside.from_file(listed)
    except (OSError, msgspec.DecodeError):
        return
    for name, copy in held.copies.items():
        path = Path(name)
        if copy is None:
            path.unlink(missing_ok=True)
        elif Path(copy).is_file():
            part = path.with_name(f".{path.name}.part")
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(copy, part)
            part.replace(path)
    shutil.rmtree(listed.parent, ignore_errors=True)


def put_back_all(folder: Path) -> None:
    """Put back what killed verifications have left below a folder."""
    for listed in folder.glob(f"*/aside/{LIST}"):
        put_back(listed)
