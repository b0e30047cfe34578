"""Where a cell looked without reading: folders that it listed, and places of which it asked what is there.

Python tells of folders that it lists and of files that it opens, there or not. Of `exists` and its sisters it tells
nothing: they are found where the cell's own source asks. What code of other languages lists is not seen.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.files.audit import Recording
from cellops.capture.files.ignored import is_ignored
from cellops.capture.files.names import MOST_KEPT, OF_TOOLS, Names
from cellops.capture.files.paths import Namespace, asked_paths
from cellops.capture.files.pointers import shown
from cellops.capture.redaction import redact
from cellops.records.file import Found, Look


def looks(recording: Recording, asked: list[str], project: Path, started: float) -> Iterator[Look]:
    """Where a cell looked; temporary files of others than the project come and go.

    Parameters
    ----------
    asked
        Paths of which its source asks whether anything is there.
    started
        When the cell began: what is younger may be its own.
    """
    temporary = tempfile.gettempdir()
    passing = tuple(f"{folder}{os.sep}" for folder in (temporary, os.path.realpath(temporary)))
    left = MOST_KEPT
    for path, names in _found(recording, asked, started).items():
        if f"{path}{os.sep}".startswith(passing) and not f"{path}{os.sep}".startswith(f"{project}{os.sep}"):
            continue
        where = shown(Path(path), project)
        if not OF_TOOLS.isdisjoint(where.split("/")):
            continue
        place = redact(where)
        if not isinstance(names, Names):
            yield Look(path=place, found=Found.SOMETHING if names else Found.NOTHING)
            continue
        kept = None if names.names is None or len(names.names) > left else tuple(map(redact, names.names))
        left -= 0 if kept is None else len(kept)
        yield Look(path=place, found=Found.FOLDER, digest=names.digest, names=kept)


def asked_by(flow: Dataflow, namespace: Namespace, project: Path) -> list[str]:
    """The absolute paths of which a cell's own source asks whether anything is there."""
    paths = [os.path.normpath(os.path.join(os.getcwd(), path)) for path in asked_paths(flow, namespace)]  # noqa: PTH109, PTH118
    return [path for path in paths if not is_ignored(path, project)]


def _found(recording: Recording, asked: list[str], started: float) -> dict[str, Names | bool | None]:
    """What was in each place: names, something, or nothing; where modules are looked for, nothing is no news."""
    of_modules = {os.path.abspath(folder) for folder in sys.path if type(folder) is str}  # noqa: PTH100
    found: dict[str, Names | bool | None] = {
        path: names for path, names in recording.looked.items() if names is not None or path not in of_modules
    }
    for path in asked:
        try:
            changed = os.stat(path).st_ctime  # noqa: PTH116 - the text may be no path
        except (OSError, ValueError):
            changed = None
        if changed is None or path in recording.made:
            found.setdefault(path, None)
        elif changed < started:
            found.setdefault(path, True)
    return found
