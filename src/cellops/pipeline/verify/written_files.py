"""Files that a slice writes, put aside while it is executed again and put back behind it.

What stands aside stays until it has been put back, so that a killed verification loses nothing: the next one puts
back what an earlier one has left. A file that somebody else has written to meanwhile is kept beside it.
"""

import contextlib
import filecmp
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Union

import msgspec

from cellops.records.aside import LIST, Left, PutAside
from cellops.records.cell import CellRecord

ASIDE = "aside"
FOUND = "found"
"""The folder beside, for what stood in the place of a file when it was put back and was not the replay's."""
Line = Union[PutAside, Left]  # noqa: UP007 - msgspec reads it at run time


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
        Is told of each file of somebody else's, and where it is kept; and of each that could not be put back.

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
                    shutil.copy2(path, copied)
                file.write(PutAside(path=str(path), copied=copied, existed=copied is not None).to_json() + b"\n")
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        yield
    finally:
        _put_back(listed, tell)


def put_back_all(proofs: Path, tell: Callable[[str], None]) -> None:
    """Put back what killed verifications have left in the folders of their proofs."""
    for listed in proofs.glob(f"*/{ASIDE}/{LIST}"):
        _put_back(listed, tell)


def _put_back(listed: Path, tell: Callable[[str], None]) -> None:
    """Put back what a list names, and forget it; what cannot be put back is told and stays."""
    before, left = _read(listed)
    whole = True
    # What was made last is taken away first: files before the folders that hold them.
    for place in reversed(list(before.values())):
        try:
            _restore(place, left.get(place.path), listed, tell)
        except OSError as error:
            whole = False
            tell(f"{place.path} could not be put back ({error.strerror or error}); its copy is {place.copied}")
    if whole:
        shutil.rmtree(listed.parent, ignore_errors=True)
    else:
        listed.replace(listed.with_suffix(".failed"))


def _read(listed: Path) -> tuple[dict[str, PutAside], dict[str, Left]]:
    """What stood in each place first, and how the replay left it last."""
    before: dict[str, PutAside] = {}
    left: dict[str, Left] = {}
    with contextlib.suppress(OSError):
        for line in listed.read_bytes().splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                found = msgspec.json.decode(line, type=Line)
                if isinstance(found, PutAside):
                    before.setdefault(found.path, found)
                else:
                    left[found.path] = found
    return before, left


def _restore(place: PutAside, left: Left | None, listed: Path, tell: Callable[[str], None]) -> None:
    path = Path(place.path)
    if place.is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return
    if place.copied is None and path.is_dir():
        with contextlib.suppress(OSError):  # somebody has put something into it
            path.rmdir()
        return
    kept = None if place.copied is None else Path(place.copied)
    if not _is_changed(path, kept):
        return
    if path.is_file() and not _is_left(path, left):
        tell(f"{path} was put back as it was before; what stood there is kept in {_keep(path, listed)}")
    if kept is None:
        path.unlink(missing_ok=True)
    elif kept.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        shutil.copy2(kept, part)
        part.replace(path)


def _is_changed(path: Path, kept: Path | None) -> bool:
    if kept is None:
        return path.exists() or path.is_symlink()
    return not path.is_file() or not filecmp.cmp(path, kept, shallow=False)


def _is_left(path: Path, left: Left | None) -> bool:
    status = path.stat()
    return left is not None and (left.size, left.modified) == (status.st_size, status.st_mtime_ns / 1e9)


def _keep(path: Path, listed: Path) -> Path:
    """Keep what stands in a place, where no earlier one is overwritten."""
    folder = listed.parent.parent / FOUND
    folder.mkdir(exist_ok=True)
    free = next(n for n in range(1_000_000) if not (folder / f"{n}-{path.name}").exists())
    return Path(shutil.copy2(path, folder / f"{free}-{path.name}"))
