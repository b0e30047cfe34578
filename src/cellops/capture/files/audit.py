"""What python opens while a cell runs, as the interpreter's own audit events tell it."""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path, PosixPath, WindowsPath
from types import FrameType
from typing import Any, NamedTuple

from cellops.capture.files import globbed
from cellops.capture.files.ignored import is_ignored
from cellops.capture.files.recording import Recording

OWN = str(Path(__file__).parents[2]) + os.sep
PATH_TYPES = (PosixPath, WindowsPath)
WRITING = os.O_WRONLY | os.O_RDWR
IMPORTERS = (
    "<frozen importlib._bootstrap_external>",
    "<frozen zipimport>",
    "importlib/metadata/__init__.py",
    "linecache.py",
    "pkg_resources/__init__.py",
    "tokenize.py",
)
"""Who opens source files, or looks for them, to execute or to show them: the code of a run, not its data."""
GLOB = tuple(f"{os.sep}{name}" for name in ("glob.py", "pathlib.py", os.path.join("pathlib", "_local.py")))  # noqa: PTH118
LIST_MATCHING = frozenset({"_glob1", "glob"})
"""Functions that list one folder for a pattern, which is an argument of theirs."""
LISTING = frozenset({"os.listdir", "os.scandir"})


class _Change(NamedTuple):
    """What an event does to the places that it names."""

    places: int
    """How many it names, first of all."""
    folders: int
    """Where it begins to name open folders that they are relative to."""
    note: Callable[..., None]


CHANGES = {
    "os.rename": _Change(2, 2, Recording.move),
    "os.link": _Change(2, 2, Recording.link),
    "os.symlink": _Change(2, 2, lambda recording, _, target: target and recording.place(target)),
    "os.mkdir": _Change(1, 2, Recording.place),
    "os.remove": _Change(1, 1, Recording.remove),
    "os.rmdir": _Change(1, 1, Recording.remove),
    "shutil.rmtree": _Change(1, 1, Recording.remove),
    "os.truncate": _Change(1, 2, lambda recording, path: recording.use(path, "update")),
}
NO_FOLDER = (-1, None)
"""What stands in place of an open folder where there is none."""
HEARD = frozenset({"open", "urllib.Request", *LISTING, *CHANGES, *globbed.HEARD})


class Opens:
    """Writes down what python opens in a thread that is being recorded."""

    def __init__(self) -> None:
        self.project: Path | None = None
        """The folder whose files are data wherever it lies."""
        self.recordings: list[Recording] = []
        self._own: set[str] = set()

    def begin(self, thread: int | None) -> Recording:
        recording = Recording(thread, self._own)
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
        if caller.f_code.co_filename.endswith(IMPORTERS):
            return
        if event in CHANGES:
            self._note_change(recording, CHANGES[event], given)
            return
        if event in globbed.HEARD:
            self._note_pattern(recording, globbed.asked(event, given))
            return
        path = _place(given[0], self.project)
        if path is None:
            return
        if event in LISTING:
            recording.look(path, _pattern(caller))
        else:
            recording.use(path, _way(*given[1:]))

    def _note_pattern(self, recording: Recording, asked: tuple[str, str] | None) -> None:
        """Write down what `glob` looks for, where no event tells of it: in folders that it does not list."""
        path = None if asked is None else _place(asked[0], self.project)
        if path is None or asked is None:
            return
        if not os.path.isdir(path):  # noqa: PTH112 - a path of the user's
            recording.looked.setdefault(path, None)
        elif not globbed.lists_all(asked[1]):
            recording.match(path, asked[1])

    def _note_change(self, recording: Recording, change: _Change, given: tuple[Any, ...]) -> None:
        """Write down that something is made, moved or taken away; of `rmtree`, the folder and not each step."""
        if any(folder not in NO_FOLDER for folder in given[change.folders :]):
            recording.missed.update([hash(given)] if change.places > 1 else [])
            return
        places = [_place(path, self.project) for path in given[: change.places]]
        if any(places):
            change.note(recording, *places)


def _pattern(frame: FrameType | None) -> str | None:
    """The pattern that the names of a folder are held against which `glob` lists; None for another, and for `**`."""
    while frame is not None and frame.f_code.co_filename.endswith(GLOB):
        if frame.f_code.co_name in LIST_MATCHING:
            pattern = frame.f_locals.get("pattern")
            plain = type(pattern) is str and "/" not in pattern and "\\" not in pattern and "**" not in pattern
            return pattern if plain else None
        frame = frame.f_back
    return None


def _is_ours(frame: FrameType | None) -> bool:
    """Whether cellops does it, as behind a cell."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(OWN):
            return True
        frame = frame.f_back
    return False


def _place(given: object, project: Path | None) -> str | None:
    """The absolute path that an event names; None for an open file, and for what is no data of the user's."""
    path = os.fsdecode(given) if type(given) in {bytes, *PATH_TYPES} else "." if given is None else given  # type: ignore[arg-type]
    if type(path) is not str:
        return None
    path = os.path.normpath(path if path.startswith("/") else os.path.join(os.getcwd(), path))  # noqa: PTH109, PTH118
    return None if is_ignored(path, project) else path


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
