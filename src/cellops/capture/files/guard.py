"""Copies of files made before code that is executed again touches them, as python's own audit events announce it.

Forked processes inherit the guard, and other processes of Python get one of their own by `site/sitecustomize.py`.
"""

import contextlib
import errno
import os
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from cellops.capture.files.compiled_writers import hear_writers
from cellops.capture.files.copies import copy_aside
from cellops.capture.files.databases import of_database
from cellops.capture.files.doings import EVENTS as DOINGS
from cellops.capture.files.doings import doing
from cellops.capture.files.ignored import is_ignored
from cellops.capture.lease import share
from cellops.records.aside import ALIVE, LIST, Left, PutAside
from cellops.records.base import Record
from cellops.records.guarding import Guarding, Heard
from cellops.records.recorded import Restoring

SITE = Path(__file__).parent / "site"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NO_FOLDER = -1
"""What an audit event says of a path that is not relative to an open folder."""


class Guard:
    """Copies what is about to be written, replaced or deleted, once each; and says how it was left.

    What cannot be copied is not touched: the error is raised where the code asked for it. So it is where a program
    would be started or something be sent that nobody has allowed. What other programs write, and libraries
    without python, is not heard but for `compiled_writers`.
    """

    def __init__(self, guarding: Guarding) -> None:
        self._guarding = guarding
        self._aside = Path(guarding.aside)
        self._project = os.path.realpath(guarding.project) + os.sep
        self._temporary = os.path.realpath(tempfile.gettempdir()) + os.sep
        self._free = tuple(os.path.realpath(folder) + os.sep for folder in (guarding.aside, guarding.own))
        self._touched: dict[str, None] = {}
        self._heard: dict[Heard, None] = {}
        self._listed: dict[str, None] = {}
        self._read = 0
        self._busy = threading.local()

    def start(self) -> None:
        """Hear of everything until the process ends, of which the lease says how long it lives."""
        share(self._aside / ALIVE)
        sys.dont_write_bytecode = True  # what is imported would count as written, and the user's processes write it too
        others = os.environ.get("PYTHONPATH")
        if others is None or str(SITE) not in others.split(os.pathsep):
            os.environ["PYTHONPATH"] = os.pathsep.join([str(SITE), *filter(None, [others])])
        sys.addaudithook(self._hear)
        hear_writers(self._writing)

    def tell(self) -> None:
        """Write down how the files stand that were touched, behind a cell."""
        with self._working():
            for path in self._all_touched():
                with contextlib.suppress(OSError):
                    status = os.lstat(path)
                    self._write(Left(path=path, size=status.st_size, modified=status.st_mtime_ns / 1e9))

    def _all_touched(self) -> list[str]:
        """What this process and those that it started have put aside so far."""
        with contextlib.suppress(OSError), (self._aside / LIST).open("rb") as file:
            file.seek(self._read)
            for line in file:
                self._read += len(line)
                with contextlib.suppress(msgspec.DecodeError):
                    place = PutAside.from_json(line)
                    self._listed.update({} if place.is_folder else {place.path: None})
        return list(self._listed)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if getattr(self._busy, "now", False):
            return
        touch = EVENTS.get(event)
        if touch is not None:
            with self._working():
                for path in touch(given):
                    self._keep(path, followed=event in FOLLOWING)
        elif event in DOINGS and (heard := self._found(event, given)) is not None:
            self._answer(heard)

    def _found(self, event: str, given: tuple[Any, ...]) -> Heard | None:
        with self._working():
            return doing(event, given)

    def _answer(self, heard: Heard) -> None:
        """Write down what was heard, once each, and refuse it unless it is allowed.

        Raises
        ------
        PermissionError
            Where the code asked for it.
        """
        refused = heard.refused and not self._guarding.commands_allowed
        told = heard.replace(refused=refused)
        if told not in self._heard:
            self._heard[told] = None
            with self._working(), Path(self._guarding.heard).open("ab") as file:
                file.write(told.to_json() + b"\n")
        if refused:
            fact = f"{heard.name} would be {heard.doing} again. Allow it with --commands, where it does no harm"
            raise PermissionError(errno.EPERM, fact)

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        self._busy.now = True
        try:
            yield
        finally:
            self._busy.now = False

    @contextlib.contextmanager
    def _writing(self, texts: Iterable[str]) -> Iterator[None]:
        """Keep what a library is about to write to, folders with all that they hold, and note what is new in them."""
        places = [os.path.realpath(Path(text).expanduser()) for text in texts]
        with self._working():
            held = {path for place in places for path in _below(place)}
            for path in (*held, *places):
                self._keep(path, followed=True)
        try:
            yield
        finally:
            with self._working():
                for path in (path for place in places for path in _below(place) if path not in held):
                    if self._is_guarded(path):
                        self._write(PutAside(path=path))

    def _keep(self, given: object, *, followed: bool) -> None:
        """Keep what stands in a place, or where it leads to when it is a link that the code would follow."""
        text = os.fsdecode(given) if isinstance(given, str | bytes | os.PathLike) else None
        if text is None:
            return
        folder, name = os.path.split(text.rstrip(os.sep))
        path = os.path.realpath(text) if followed else os.path.join(os.path.realpath(folder or os.getcwd()), name)  # noqa: PTH109, PTH118
        if path in self._touched or not self._is_guarded(path):
            return
        link = os.readlink(path) if os.path.islink(path) else None  # noqa: PTH114, PTH115
        if link is None and os.path.isdir(path):  # noqa: PTH112
            self._keep_folder(path, is_whole=not followed)
            return
        copied = None
        if link is None and os.path.isfile(path):  # noqa: PTH113
            number = f"{os.getpid()}-{threading.get_ident()}-{len(self._touched)}"
            copied = str(self._aside / f"{number}-{Path(path).name}")
            copy_aside(path, copied)
        self._write(PutAside(path=path, copied=copied, link=link, existed=os.path.lexists(path)))
        self._touched[path] = None

    def _keep_folder(self, path: str, *, is_whole: bool) -> None:
        """Keep a folder with its mode, and what it holds where that is about to go as well."""
        for name in os.listdir(path) if is_whole else ():  # noqa: PTH208
            self._keep(os.path.join(path, name), followed=False)  # noqa: PTH118
        mode = stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116
        self._write(PutAside(path=path, is_folder=True, existed=True, mode=mode))

    def _is_guarded(self, path: str) -> bool:
        if path.startswith(self._free) or is_ignored(path, self._project.rstrip(os.sep)):
            return False
        return path.startswith(self._project) or not path.startswith(self._temporary)

    def _write(self, line: Record) -> None:
        with (self._aside / LIST).open("ab") as file:
            file.write(line.to_json() + b"\n")


def guard_child() -> None:
    """Guard a process that code starts while it is executed again, as its kernel is guarded."""
    path = os.environ.get("CELLOPS_RESTORING")
    guarding = Restoring.from_file(Path(path)).guarding if path and Path(path).is_file() else None
    if guarding is not None and Path(guarding.aside).is_dir():
        Guard(guarding).start()


def _below(folder: str) -> Iterator[str]:
    """All that a folder holds, folders before what they hold."""
    for top, folders, names in os.walk(folder):
        yield from (os.path.join(top, name) for name in (*folders, *names))  # noqa: PTH118


def _of_open(given: tuple[Any, ...]) -> tuple[object, ...]:
    path, mode, flags = given
    written = bool(set("wax+") & set(mode)) if isinstance(mode, str) else bool(flags & WRITING)
    return (path,) if written and not isinstance(path, int) else ()


def _first(given: tuple[Any, ...]) -> tuple[object, ...]:
    return given[:1] if given[-1] == NO_FOLDER or len(given) == 1 or not isinstance(given[-1], int) else ()


def _pair(given: tuple[Any, ...]) -> tuple[object, ...]:
    return given[:2] if all(place == NO_FOLDER for place in given[2:] if isinstance(place, int)) else ()


def _of_rename(given: tuple[Any, ...]) -> tuple[object, ...]:
    """Both places, and what will stand in the second one when a folder goes there."""
    pair = _pair(given)
    old, new = (os.fsdecode(place) for place in given[:2])
    if not pair or not os.path.isdir(old) or os.path.islink(old):  # noqa: PTH112, PTH114
        return pair
    inside = (
        os.path.join(new, os.path.relpath(os.path.join(top, name), old))  # noqa: PTH118
        for top, folders, names in os.walk(old)
        for name in (*folders, *names)
    )
    return *pair, *inside


EVENTS: dict[str, Callable[[tuple[Any, ...]], tuple[object, ...]]] = {
    "open": _of_open,
    "os.remove": _first,
    "os.rename": _of_rename,
    "os.link": _pair,
    "os.symlink": lambda given: given[1:2] if given[-1] == NO_FOLDER else (),
    "os.truncate": lambda given: given[:1],
    "os.chmod": _first,
    "os.chown": _first,
    "os.utime": _first,
    "os.mkdir": lambda given: given[:1],
    "os.rmdir": _first,
    "shutil.rmtree": lambda given: given[:1],
    "sqlite3.connect": of_database,
}
"""What of an event's arguments is about to be changed."""
FOLLOWING = frozenset({"open", "os.link", "os.truncate", "os.chmod", "os.chown", "os.utime", "sqlite3.connect"})
"""Events that speak of what a symbolic link leads to; the others speak of the link."""
