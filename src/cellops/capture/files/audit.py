"""What python opens while a cell runs, as the interpreter's own audit events tell it."""

import contextlib
import functools
import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from cellops.capture.files.ignored import is_ignored
from cellops.capture.files.names import Names, names_in

OWN = str(Path(__file__).parents[2]) + os.sep
MOST_FILES = 500
"""Files of one cell that are listed; the others are counted."""
WRITING = os.O_WRONLY | os.O_RDWR
IMPORTERS = (
    "<frozen importlib._bootstrap_external>",
    "<frozen zipimport>",
    "importlib/metadata/__init__.py",
    "linecache.py",
    "pkg_resources/__init__.py",
    "pkgutil.py",
    "tokenize.py",
)
"""Who opens source files, or looks for them, to execute or to show them: the code of a run, not its data."""
LISTING = frozenset({"os.listdir", "os.scandir"})
HEARD = frozenset({"open", "urllib.Request", *LISTING})


@dataclass(eq=False)
class Recording:
    """What one thread opens."""

    thread: int | None
    """None for all that have no recording of their own."""
    opened: dict[str, str] = field(default_factory=dict)
    """Absolute paths with the way they were opened: `read`, `write` or `update`."""
    addresses: dict[str, None] = field(default_factory=dict)
    looked: dict[str, Names | None] = field(default_factory=dict)
    """Absolute paths of folders with the names in them when they were listed first; None where nothing was there, as
    in the places of files that were to be read."""
    made: set[str] = field(default_factory=set)
    """Absolute paths of files that were not there when they were opened first, to be written."""
    missed: set[int] = field(default_factory=set)
    """Hashes of the paths beyond the most that are listed."""
    looking: set[int] = field(default_factory=set)
    """Threads in which what is heard now is ours."""


class Opens:
    """Writes down what python opens in a thread that is being recorded."""

    def __init__(self) -> None:
        self.project: Path | None = None
        """The folder whose files are data wherever it lies."""
        self.recordings: list[Recording] = []

    def begin(self, thread: int | None) -> Recording:
        recording = Recording(thread)
        self.recordings.append(recording)
        return recording

    def end(self, recording: Recording) -> None:
        """Write down no more; a recorder of a cell that was lost ends with it."""
        if recording in self.recordings:
            self.recordings.remove(recording)

    def note(self, event: str, given: tuple[Any, ...], caller: FrameType) -> None:
        """Write down one event."""
        thread = threading.get_ident()
        recording = next((one for one in reversed(self.recordings) if one.thread in {thread, None}), None)
        if recording is None or thread in recording.looking or (recording.thread is None and _is_ours(caller)):
            return
        if event == "urllib.Request":
            recording.addresses.update({given[0]: None} if type(given[0]) is str else {})
            return
        path = _place(given[0], self.project)
        if path is None or caller.f_code.co_filename.endswith(IMPORTERS):
            return
        if event in LISTING:
            _look(recording, path)
        else:
            _add(recording, path, _way(*given[1:]))


def _is_ours(frame: FrameType | None) -> bool:
    """Whether cellops does it, as behind a cell."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(OWN):
            return True
        frame = frame.f_back
    return False


def _place(given: object, project: Path | None) -> str | None:
    """The absolute path that an event names; None for an open file, and for what is no data of the user's."""
    path = os.fsdecode(given) if type(given) is bytes else "." if given is None else given
    if type(path) is not str:
        return None
    path = os.path.normpath(path if path.startswith("/") else os.path.join(os.getcwd(), path))  # noqa: PTH109, PTH118
    return None if is_ignored(path, project) else path


def _look(recording: Recording, path: str) -> None:
    """Write down the names that are in a folder as it is listed."""
    if path in recording.looked:
        return
    if len(recording.looked) >= MOST_FILES:
        recording.missed.add(hash(path))
        return
    thread = threading.get_ident()
    recording.looking.add(thread)
    try:
        recording.looked[path] = names_in(path)
    finally:
        recording.looking.discard(thread)


def _add(recording: Recording, path: str, way: str) -> None:
    known = recording.opened.get(path)
    if known is None and len(recording.opened) >= MOST_FILES:
        recording.missed.add(hash(path))
        return
    if known is None and not os.path.lexists(path):
        if way == "read":
            recording.looked.setdefault(path, None)
        else:
            recording.made.add(path)
    recording.opened[path] = way if known in {None, way} else "update"


def _way(mode: object, flags: int) -> str:
    if type(mode) is str:
        return "update" if "+" in mode else "write" if set("wax") & set(mode) else "read"
    return "read" if not flags & WRITING else "update" if flags & os.O_RDWR else "write"


@functools.cache
def opens() -> Opens:
    """The one recorder of this process: an audit hook stays until the process ends.

    Python calls the hook for every `id()` too: a closure over a list is the quickest there is.
    """
    found = Opens()
    recordings = found.recordings

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if recordings and event in HEARD:
            with contextlib.suppress(Exception):  # the user's own call must go on
                found.note(event, given, sys._getframe(1))

    sys.addaudithook(hook)
    return found
