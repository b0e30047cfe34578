"""Files that a slice writes, put aside while it is executed again and put back behind it, as the same files: whoever
has one open, or another name for it, goes on with it.

What stands aside stays until it has been put back, so that a killed verification loses nothing: the next one puts
back what an earlier one has left. A file that somebody else has written to meanwhile is kept beside it.
"""

import contextlib
import filecmp
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Union

import msgspec

from cellops.capture.files.copies import SAME, copy_aside
from cellops.pipeline.verify.holders import holders
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
        _put_back(listed, tell)


def put_back_all(proofs: Path, tell: Callable[[str], None]) -> None:
    """Put back what killed verifications have left in the folders of their proofs."""
    for listed in proofs.glob(f"*/{ASIDE}/{LIST}"):
        _put_back(listed, tell)


def _put_back(listed: Path, tell: Callable[[str], None]) -> None:
    """Put back what a list names, and forget it; what cannot be put back is told and stays."""
    before, left = _read(listed)
    held = holders() if before else {}
    whole = True
    # What was made last is taken away first: files before the folders that hold them.
    for place in reversed(list(before.values())):
        try:
            if _restore(place, left.get(place.path), listed, tell) and place.path in held:
                tell(f"{place.path} was {_open_in(held[place.path])}; what was read there meanwhile was the replay's")
        except OSError as error:
            whole = False
            was = f"it was a link to {place.link}" if place.copied is None else f"its copy is {place.copied}"
            tell(f"{place.path} could not be put back ({error.strerror or error}); {was}")
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


def _restore(place: PutAside, left: Left | None, listed: Path, tell: Callable[[str], None]) -> bool:
    """Put back what stood in a place; whether it was a file whose content had been changed."""
    path = Path(place.path)
    if place.is_folder:
        _restore_folder(path, place.mode)
        return False
    if place.existed and place.copied is None and place.link is None:
        return False  # a folder, a device, a pipe: nothing of it was touched
    if path.is_dir() and not path.is_symlink():
        with contextlib.nullcontext() if place.existed else contextlib.suppress(OSError):
            path.rmdir()  # fails where somebody has put something into it
    if _is_other(place) and (path.is_file() or path.is_symlink()) and not _is_left(path, left):
        tell(f"{path} was put back as it was before; what stood there is kept in {_keep(path, listed)}")
    if place.link is not None:
        _restore_link(path, place.link)
    elif place.copied is not None:
        return _restore_file(path, Path(place.copied))
    elif not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
    return False


def _is_other(place: PutAside) -> bool:
    """Whether something else stands in a place than what stood there: its mode and times are not looked at."""
    path = Path(place.path)
    if place.link is not None:
        return not path.is_symlink() or str(path.readlink()) != place.link
    if place.copied is not None:
        return path.is_symlink() or not path.is_file() or not _is_equal(path, Path(place.copied))
    return os.path.lexists(path)


def _is_equal(path: Path, kept: Path) -> bool:
    filecmp.clear_cache()  # it goes by size and time
    return filecmp.cmp(path, kept, shallow=False)


def _restore_folder(path: Path, mode: int | None) -> None:
    if path.is_symlink():
        path.unlink()
    path.mkdir(parents=True, exist_ok=True)
    if mode is not None and stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)


def _restore_link(path: Path, link: str) -> None:
    if path.is_symlink() and str(path.readlink()) == link:
        return
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(link)


def _restore_file(path: Path, kept: Path) -> bool:
    """Write a copy into the file that it was made of; whether that had been changed."""
    if not kept.is_file():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    same = Path(f"{kept}{SAME}")
    if same.exists():
        same.replace(path)  # the file itself, where another one or none stands in its place
    elif path.is_symlink():
        path.unlink()
    is_changed = not path.is_file() or not _is_equal(path, kept)
    if is_changed:
        if path.exists() and not os.access(path, os.W_OK):
            path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        # It is never empty meanwhile: who has it mapped would crash.
        with kept.open("rb") as source, path.open("r+b" if path.exists() else "xb") as target:
            shutil.copyfileobj(source, target)
            target.truncate()
    with contextlib.suppress(PermissionError):  # of somebody else's file only its content can have been changed
        shutil.copystat(kept, path)
    return is_changed


def _open_in(processes: list[int]) -> str:
    names = ("this process" if number == os.getpid() else f"process {number}" for number in processes)
    return f"open in {', '.join(names)} while the cells wrote to it"


def _is_left(path: Path, left: Left | None) -> bool:
    status = path.lstat()
    return left is not None and (left.size, left.modified) == (status.st_size, status.st_mtime_ns / 1e9)


def _keep(path: Path, listed: Path) -> Path:
    """Keep what stands in a place, where no earlier one is overwritten."""
    folder = listed.parent.parent / FOUND
    folder.mkdir(exist_ok=True)
    free = next(n for n in range(1_000_000) if not os.path.lexists(folder / f"{n}-{path.name}"))
    return Path(shutil.copy2(path, folder / f"{free}-{path.name}", follow_symlinks=False))
