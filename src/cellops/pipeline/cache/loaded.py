"""Files that a kernel loads code from, as Python's own audit events name them: not all stay among its modules."""

import os
from importlib.util import source_from_cache
from types import FrameType
from typing import Any

from cellops.capture.environment.modules import INSTALLED

LOADERS = ("<frozen importlib._bootstrap_external>", "<frozen zipimport>", "tokenize.py")
"""Who opens files to load code from them, or data that stands beside it, and to show it."""
OPENING = "open"
IMPORTING = "import"
LINKING = "ctypes.dlopen"
HEARD = frozenset({OPENING, IMPORTING, LINKING})


def loaded(event: str, given: tuple[Any, ...], caller: FrameType) -> str | None:
    """The absolute path of the file that one of these events loads; None for another use, and what was installed.

    For what Python has compiled it is the source, where that is there. Libraries that the system finds by their names
    are not known.
    """
    path = given[1] if event == IMPORTING else given[0]
    if type(path) is not str or any(folder in path for folder in INSTALLED):
        return None
    if event == OPENING and not (caller.f_code.co_filename.endswith(LOADERS) and _is_read(given[1])):
        return None
    if event == LINKING and os.sep not in path:
        return None
    return _source(os.path.abspath(path))  # noqa: PTH100 - as the events name them, thousands


def _is_read(mode: object) -> bool:
    return type(mode) is str and "r" in mode and "+" not in mode


def _source(path: str) -> str:
    try:
        source = source_from_cache(path)
    except ValueError:
        return path
    return source if os.path.exists(source) else path  # noqa: PTH110 - as above
