"""What stood aside while a slice was executed again, put back as the same files: whoever has one open, or another name
for it, goes on with it.

A file that somebody else has written to meanwhile is kept beside it. What stands aside stays until it has been put
back, so that a killed verification loses nothing.
"""

import contextlib
import filecmp
import math
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Union

import msgspec

from cellops.capture.files.copies import SAME
from cellops.pipeline.verify.holders import holders
from cellops.records.aside import Left, PutAside

FOUND = "found"
"""The folder beside, for what stood in the place of a file when it was put back and was not the replay's."""
BEFORE = ".before-verification"
"""How the name of a copy ends that stands beside a file which somebody has written to since."""
Line = Union[PutAside, Left]  # noqa: UP007 - msgspec reads it at run time


def put_back(listed: Path, tell: Callable[[str], None], alive: float = math.inf) -> list[str]:
    """Put back what a list names, and forget it; what cannot be put back is told and stays.

    Parameters
    ----------
    alive
        When the code that has touched the files may have lived last, in seconds since the epoch: what somebody else
        has written later stays in its place, and what stood there before is laid beside it. What was written earlier
        is taken for the code's, and kept in the folder `found` of the proof without a word.

    Returns
    -------
    The paths of which something else was there.
    """
    before, left = _read(listed)
    held = holders() if before else {}
    whole = True
    changed = []
    # What was made last is taken away first: files before the folders that hold them.
    for place in reversed(list(before.values())):
        try:
            is_other = _is_other(place)
            is_theirs = is_other and _is_somebody_elses(place, left.get(place.path))
            if is_theirs and _is_younger(place, alive):
                tell(_lay_beside(place))
                continue
            changed += [place.path] if is_other else []
            kept = _keep(Path(place.path), listed) if is_theirs else None
            if kept is not None and alive == math.inf:
                tell(f"{place.path} was put back as it was before; what stood there is kept in {kept}")
            if _restore(place) and place.path in held:
                tell(f"{place.path} was {_open_in(held[place.path])}; what was read there meanwhile was the replay's")
        except OSError as error:
            whole = False
            was = f"it was a link to {place.link}" if place.copied is None else f"its copy is {place.copied}"
            tell(f"{place.path} could not be put back ({error.strerror or error}); {was}")
    if whole:
        shutil.rmtree(listed.parent, ignore_errors=True)
    else:
        listed.replace(listed.with_suffix(".failed"))
    return changed[::-1]


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


def _restore(place: PutAside) -> bool:
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
    if place.is_folder or (place.existed and place.copied is None and place.link is None):
        return False
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


def _is_somebody_elses(place: PutAside, left: Left | None) -> bool:
    """Whether there is a file that is not known to be as the replay has left it behind a cell."""
    path = Path(place.path)
    if not (path.is_file() or path.is_symlink()):
        return False
    status = path.lstat()
    return left is None or (left.size, left.modified) != (status.st_size, status.st_mtime_ns / 1e9)


def _is_younger(place: PutAside, alive: float) -> bool:
    """Whether a file was written, moved there or given other times later; nobody can set this time itself."""
    return Path(place.path).lstat().st_ctime > alive


def _lay_beside(place: PutAside) -> str:
    """Leave what somebody has written since the replay; what was there before is laid beside it, as is told."""
    path = Path(place.path)
    since = f"{path} has been written to since and stays as it is"
    if place.link is not None:
        return f"{since}; before, it was a link to {place.link}"
    if place.copied is None:
        return f"{since}; before, nothing was there"
    names = (f"{path.name}{BEFORE}{number or ''}" for number in range(1_000_000))
    beside = next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
    shutil.copy2(place.copied, beside)
    return f"{since}; what stood there before is {beside.name} beside it"


def _keep(path: Path, listed: Path) -> Path:
    """Keep what stands in a place, where no earlier one is overwritten."""
    folder = listed.parent.parent / FOUND
    folder.mkdir(exist_ok=True)
    free = next(n for n in range(1_000_000) if not os.path.lexists(folder / f"{n}-{path.name}"))
    return Path(shutil.copy2(path, folder / f"{free}-{path.name}", follow_symlinks=False))
