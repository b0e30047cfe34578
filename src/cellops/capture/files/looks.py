"""Where a cell looked without reading: folders that it listed, and places of which it asked what is there.

Python tells of folders that it lists and of files that it opens, there or not. Of `exists` and its sisters it tells
nothing: they are found where the cell's own source asks. What code of other languages lists is not seen.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.files.ignored import is_ignored
from cellops.capture.files.names import MOST_KEPT, OF_TOOLS, Names
from cellops.capture.files.paths import Namespace, asked_paths
from cellops.capture.files.pointers import shown
from cellops.capture.files.recording import Recording
from cellops.capture.redaction import redact
from cellops.records.file import Found, Look


def looks(recording: Recording, asked: Mapping[str, bool], project: Path, started: float) -> Iterator[Look]:
    """Where a cell looked; temporary folders of its own come and go.

    Parameters
    ----------
    asked
        Paths of which its source asks whether anything is there, and whether it asks how large or old that is.
    started
        When the cell began: what is younger may be its own.
    """
    temporary = tempfile.gettempdir()
    passing = tuple(f"{folder}{os.sep}" for folder in (temporary, os.path.realpath(temporary)))
    left = MOST_KEPT
    matched = ((folder, names) for (folder, _), names in list(recording.matched.items()))
    for path, names in (*_found(recording, asked, started).items(), *matched):
        is_passing = f"{path}{os.sep}".startswith(passing) and not f"{path}{os.sep}".startswith(f"{project}{os.sep}")
        if is_passing and recording.has_made(path):
            continue
        where = shown(Path(path), project)
        if not OF_TOOLS.isdisjoint(where.split("/")):
            continue
        place = redact(where)
        if not isinstance(names, Names):
            size = names if isinstance(names, str) else None
            yield Look(path=place, found=Found.SOMETHING if names else Found.NOTHING, digest=size)
            continue
        pattern = None if names.pattern is None else redact(names.pattern)
        kept = None if names.names is None or len(names.names) > left else tuple(map(redact, names.names))
        digest = names.digest if pattern == names.pattern else None
        left -= 0 if kept is None else len(kept)
        yield Look(path=place, found=Found.FOLDER, digest=digest, names=kept, pattern=pattern)


def asked_by(flow: Dataflow, namespace: Namespace, project: Path) -> dict[str, bool]:
    """The absolute paths of which a cell's own source asks whether anything is there, or how large or old it is."""
    asked = asked_paths(flow, namespace).items()
    paths = {os.path.normpath(os.path.join(os.getcwd(), path)): measured for path, measured in asked}  # noqa: PTH109, PTH118
    return {path: measured for path, measured in paths.items() if not is_ignored(path, project)}


def size_and_time(path: str) -> str:
    """How large what a path leads to is, in bytes, and when it was written to, in nanoseconds."""
    seen = os.stat(path)  # noqa: PTH116 - the text may be no path
    return f"{seen.st_size} {seen.st_mtime_ns}"


def _found(recording: Recording, asked: Mapping[str, bool], started: float) -> dict[str, Names | str | bool | None]:
    """What was in each place: names, something, its size and time where these were asked for, or nothing.

    Where modules are looked for, nothing is no news.
    """
    of_modules = {os.path.abspath(folder) for folder in sys.path if type(folder) is str}  # noqa: PTH100
    found: dict[str, Names | str | bool | None] = {
        path: names for path, names in recording.looked.items() if names is not None or path not in of_modules
    }
    for path, measured in asked.items():
        try:
            changed = os.stat(path).st_ctime  # noqa: PTH116 - the text may be no path
        except (OSError, ValueError):
            changed = None
        if changed is None or path in recording.made:
            found.setdefault(path, None)
        elif changed < started:
            found.setdefault(path, size_and_time(path) if measured else True)
    for path in recording.placed:
        if os.path.lexists(path):
            found.setdefault(path, True)
    for path, stood in recording.removed.items():
        if not stood and not os.path.lexists(path):
            found.setdefault(path, None)
    return found
