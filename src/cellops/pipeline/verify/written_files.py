"""Files that a slice writes, put aside while it is executed again and put back behind it.

What stands aside stays until it has been put back, so that a killed verification loses nothing: the next one puts
back what an earlier one has left. A file that somebody else has written to meanwhile is kept beside it.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from cellops.records.base import Record
from cellops.records.cell import CellRecord

LIST = "put-back.json"
ASIDE = "aside"
FOUND = "found"
"""The folder beside, for what stood in the place of a file when it was put back and was not the replay's."""
Stamp = tuple[int, float]
"""Size and time of change of a file, as a record of it says."""


class PutAside(Record, frozen=True, kw_only=True):
    """The files that stood before, each with the copy of it; None for one that was not there."""

    copies: dict[str, str | None] = {}  # noqa: RUF012 - msgspec copies mutable defaults


def written_by(cells: Iterable[CellRecord], project: Path) -> list[Path]:
    """The files that cells wrote, as their records name them."""
    uses = (use for record in cells for use in record.files if use.mode != "read" and "://" not in use.path)
    return list(dict.fromkeys(project / Path(use.path).expanduser() for use in uses))


def stamps(cells: Iterable[CellRecord], project: Path) -> dict[Path, Stamp]:
    """How the last of some cells that wrote a file left it."""
    return {
        project / Path(use.path).expanduser(): (use.size, use.modified)
        for record in cells
        for use in record.files
        if use.mode != "read" and use.size is not None and use.modified is not None
    }


@contextlib.contextmanager
def put_aside(
    paths: Iterable[Path], folder: Path, left: Callable[[], Mapping[Path, Stamp]], tell: Callable[[str], None]
) -> Iterator[None]:
    """Keep copies of files in a folder while they may be written to, and put them back.

    Parameters
    ----------
    folder
        A new folder, which is gone afterwards.
    left
        Gives behind the work how it has left the files: another file in their place is somebody else's.
    tell
        Is told of each file of somebody else's, and where it is kept.

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
        _put_back(listed, left(), tell)


def put_back_all(proofs: Path, tell: Callable[[str], None]) -> None:
    """Put back what killed verifications have left in the folders of their proofs; nobody knows who wrote what then."""
    for listed in proofs.glob(f"*/{ASIDE}/{LIST}"):
        _put_back(listed, {}, tell)


def _put_back(listed: Path, left: Mapping[Path, Stamp], tell: Callable[[str], None]) -> None:
    """Put back what a list names, and forget it."""
    try:
        held = PutAside.from_file(listed)
    except (OSError, msgspec.DecodeError):
        return
    for name, copy in held.copies.items():
        path, kept = Path(name), None if copy is None else Path(copy)
        if _is_changed(path, kept):
            if path.is_file() and _stamp(path) != left.get(path):
                tell(f"{path} was put back as it was before; what stood there is kept in {_keep(path, listed)}")
            _restore(path, kept)
    shutil.rmtree(listed.parent, ignore_errors=True)


def _is_changed(path: Path, kept: Path | None) -> bool:
    if kept is None:
        return path.exists()
    return not path.is_file() or path.read_bytes() != kept.read_bytes()


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_size, status.st_mtime_ns / 1e9


def _keep(path: Path, listed: Path) -> Path:
    """Keep what stands in a place, where no earlier one is overwritten."""
    folder = listed.parent.parent / FOUND
    folder.mkdir(exist_ok=True)
    free = next(n for n in range(1_000_000) if not (folder / f"{n}-{path.name}").exists())
    return Path(shutil.copy2(path, folder / f"{free}-{path.name}"))


def _restore(path: Path, kept: Path | None) -> None:
    if kept is None:
        path.unlink(missing_ok=True)
    elif kept.is_file():
        part = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(kept, part)
        part.replace(path)
