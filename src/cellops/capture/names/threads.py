"""Threads in which code of the notebook runs beside its cells: nobody can say when they change what."""

import sys
import threading
from collections.abc import Collection, Mapping
from types import FrameType, FunctionType, MethodType
from typing import Any

from cellops.capture.names.libraries import root
from cellops.capture.names.types import name_of

INSTALLED = ("site-packages", "dist-packages")
DEEPEST = 200
"""Frames of a thread that are looked through."""


class Threads:
    """The threads that have been started since capturing began, but for those of libraries that run their own code."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._earlier = {thread.ident for thread in threading.enumerate()}

    def are_running(self, own: Collection[int]) -> bool:
        """Whether code of the notebook may be running in one that executes no cell; `own` are those that do."""
        others = [t for t in threading.enumerate() if t.ident not in self._earlier and t.ident not in own]
        if not others:
            return False
        frames = sys._current_frames()
        return any(_is_of_notebook(thread) or self._is_inside(frames.get(thread.ident or 0)) for thread in others)

    def _is_inside(self, frame: FrameType | None) -> bool:
        for _ in range(DEEPEST):
            if frame is None:
                return False
            if frame.f_globals is self._namespace:
                return True
            frame = frame.f_back
        return True


def _is_of_notebook(thread: threading.Thread) -> bool:
    """Whether a thread, or the function that it was given, is none of a library's."""
    module = name_of(type(thread))[0]
    if root(module) != "threading":
        return not _is_library(module)
    held = object.__getattribute__(thread, "__dict__")
    target = held.get("function", held.get("_target"))
    if type(target) is MethodType:
        return not _is_library(name_of(type(target.__self__))[0])
    return target is not None and not (type(target) is FunctionType and _is_library(target.__module__))


def _is_library(module: object) -> bool:
    if type(module) is not str or module == "__main__":
        return False
    if root(module) in sys.stdlib_module_names or root(module) == "cellops":
        return True
    place = getattr(sys.modules.get(root(module)), "__file__", None)
    return type(place) is str and any(folder in place for folder in INSTALLED)
