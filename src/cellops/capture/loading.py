"""The cell in the middle of which capturing begins: `%load_ext cellops`, and whatever stands beside it."""

import re
import sys
from types import FrameType
from typing import Any, NamedTuple

ONLY_SETS_UP = re.compile(r"\s*(?:#.*|%(?:load_ext|reload_ext|unload_ext|autoreload|matplotlib)\b.*)?")
"""Lines that bind no name and that every session of a notebook begins with."""


class Executing(NamedTuple):
    """A cell that is being executed."""

    info: Any
    """What IPython gives to `pre_run_cell`."""
    line: int
    """The line of its code that has been reached, from 1."""


def executing() -> list[Executing]:
    """The cells that this thread executes, the outermost first, without those that IPython tells nobody of."""
    found: list[Executing] = []
    inner: FrameType | None = None
    line = 0
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.endswith("interactiveshell.py"):
            if frame.f_code.co_name == "run_code" and inner is not None:
                line = inner.f_lineno
            elif frame.f_code.co_name == "run_cell_async":
                found.insert(0, Executing(frame.f_locals["info"], line))
        inner, frame = frame, frame.f_back
    return [cell for cell in found if not cell.info.silent]


def only_sets_up(source: str) -> bool:
    """Whether a cell holds nothing but lines such as `%load_ext cellops`."""
    return all(ONLY_SETS_UP.fullmatch(line) for line in source.splitlines())
