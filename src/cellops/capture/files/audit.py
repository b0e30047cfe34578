"""What python opens while a cell runs, as the interpreter's own audit events tell it."""

import contextlib
import functools
import os
import sys
import sysconfig
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

MOST_FILES = 500
"""Files of one cell that are listed; the others are counted."""
WRITING = os.O_WRONLY | os.O_RDWR
IMPORTERS = ("<frozen importlib._bootstrap_external>", "<frozen zipimport>", "linecache.py", "tokenize.py")
"""Who opens source files to execute or to show them: the code of a run, not its data."""
OF_THE_SYSTEM = ("/dev", "/etc", "/proc", "/sys", "/usr")
OF_TOOLS = (
    ".cache/matplotlib",
    ".cache/fontconfig",
    ".config/matplotlib",
    ".ipython",
    ".jupyter",
    ".local/share/jupyter",
)


@dataclass(eq=False)
class Recording:
    """What one thread opens."""

    thread: int
    opened: dict[str, str] = field(default_factory=dict)
    """Absolute paths with the way they were opened: `read`, `write` or `update`."""
    addresses: dict[str, None] = field(default_factory=dict)
    missed: set[int] = field(default_factory=set)
    """Hashes of the paths beyond the most that are listed."""


class Opens:
    """Writes down what python opens in a thread that is being recorded."""

    def __init__(self) -> None:
        self.recordings: list[Recording] = []

    def begin(self, thread: int) -> Recording:
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
        recording = next((one for one in reversed(self.recordings) if one.thread == thread), None)
        if recording is None:
            return
        if event == "urllib.Request":
            recording.addresses.update({given[0]: None} if type(given[0]) is str else {})
            return
        path, mode, flags = given
        if type(path) is bytes:
            path = os.fsdecode(path)
        if type(path) is not str or caller.f_code.co_filename.endswith(IMPORTERS):
            return
        path = os.path.normpath(path if path.startswith("/") else os.path.join(os.getcwd(), path))  # noqa: PTH109, PTH118
        if not path.startswith(ignored()):
            _add(recording, path, _way(mode, flags))


def _add(recording: Recording, path: str, way: str) -> None:
    known = recording.opened.get(path)
    if known is None and len(recording.opened) >= MOST_FILES:
        recording.missed.add(hash(path))
        return
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
        if recordings and (event == "open" or event == "urllib.Request"):  # noqa: PLR1714 - quicker than a set
            with contextlib.suppress(Exception):  # the user's own call must go on
                found.note(event, given, sys._getframe(1))

    sys.addaudithook(hook)
    return found


@functools.cache
def ignored() -> tuple[str, ...]:
    """How the paths of files begin that are no data of the user's: the system's, python's and its tools'."""
    paths = sysconfig.get_paths()
    python = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    tools = [str(Path.home() / folder) for folder in OF_TOOLS]
    folders = {name for folder in (*python, *tools) for name in (folder, os.path.realpath(folder))}
    return tuple(folder + os.sep for folder in sorted(folders.union(OF_THE_SYSTEM)))
