"""Threads in which code of the notebook runs beside its cells: nobody can say when they change what."""

import sys
import threading
from asyncio import BaseEventLoop
from collections.abc import Collection, Mapping
from types import FrameType
from typing import Any

from cellops.capture.names.libraries import root
from cellops.capture.names.owners import is_of_library, runs_own_code
from cellops.capture.names.tasks import runs_notebook
from cellops.capture.names.types import name_of

DEEPEST = 200
"""Frames of a thread that are looked through."""


class Threads:
    """The threads of the process, but for those of libraries that run their own code."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace

    def are_running(self, own: Collection[int]) -> bool:
        """Whether code of the notebook may be running in one that executes no cell; `own` are those that do."""
        others = [thread for thread in threading.enumerate() if thread.ident not in own]
        frames = sys._current_frames()
        frames.pop(threading.get_ident(), None)  # else this frame would hold itself, and all that those below it hold
        return any(_is_of_notebook(thread) or self._is_inside(frames.get(thread.ident or 0)) for thread in others)

    def _is_inside(self, frame: FrameType | None) -> bool:
        for _ in range(DEEPEST):
            if frame is None:
                return False
            if frame.f_globals is self._namespace:
                return True
            if frame.f_code is BaseEventLoop.run_forever.__code__ and runs_notebook(frame.f_locals["self"]):
                return True
            frame = frame.f_back
        return True


def _is_of_notebook(thread: threading.Thread) -> bool:
    """Whether a thread, or the function that it was given, is none of a library's."""
    module = name_of(type(thread))[0]
    if root(module) != "threading":
        return not is_of_library(module)
    held = object.__getattribute__(thread, "__dict__")
    target = held.get("function", held.get("_target"))
    return target is not None and runs_own_code(target)
