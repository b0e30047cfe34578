"""What code does beyond files, as python's own audit events announce it: programs that it starts, and the network."""

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from types import FrameType
from typing import Any

from cellops.capture.files.ignored import ignored
from cellops.capture.habits.commands import UNKNOWN, only_looks
from cellops.records.guarding import Doing, Heard

OWN = str(Path(__file__).parents[2]) + os.sep
THROUGH = frozenset({"asyncio", "concurrent", "multiprocessing", "os", "pty", "subprocess", "threading"})
"""Modules that start programs for whoever calls them."""
HEARING = frozenset({__name__, "cellops.capture.files.guard", "cellops.pipeline.cache.witness"})
"""Modules whose hooks ask what an event announces."""
SHELLS = re.compile(r"(?:^|/)(?:ba|da|k|z)?sh$")
SENDS = re.compile(rb"(POST|PUT|PATCH|DELETE) ")
Given = tuple[Any, ...]


def doing(event: str, given: Given) -> Heard | None:
    """What one of these events announces; None for what changes nothing, and for what is cellops' or python's own.

    It is to be refused where code of the notebook or the project starts a program, and where anybody sends data;
    libraries start programs to find out about the machine. Clients that speak HTTP on sockets of their own are heard
    to reach an address only.
    """
    return EVENTS[event](given)


def program(event: str, given: Given) -> Heard | None:
    """The program that one of the events in `PROGRAMS` announces, also one that changes nothing."""
    return _started(PROGRAMS[event](given))


def _program(command: str) -> Heard | None:
    return None if only_looks(command) else _started(command)


def _started(command: str) -> Heard | None:
    where = _starter()
    if where.startswith((OWN, "<frozen ", *_of_python())):
        return None
    return Heard(doing=Doing.STARTED, name=_first_word(command), refused=not where.startswith(ignored()))


def _of_python() -> tuple[str, ...]:
    """How paths of the standard library begin, without what is installed beside it."""
    return (os.path.dirname(os.__file__) + os.sep,)  # noqa: PTH120


def _starter() -> str:
    """The file of the code that wants a program started; empty where only a thread is left of it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if type(module) is not str or not (module in HEARING or module.partition(".")[0] in THROUGH):
            return frame.f_code.co_filename
        frame = frame.f_back
    return ""


def _first_word(command: str) -> str:
    with contextlib.suppress(ValueError):
        words = shlex.split(command)
        return words[0].rpartition("/")[2] if words else "a program"
    return "a program"


def _command(words: object) -> str:
    """The words of a program as one text; empty where they are not plain texts."""
    if type(words) in {str, bytes}:
        return os.fsdecode(words)  # type: ignore[arg-type]
    if not isinstance(words, list | tuple) or not all(isinstance(word, str | bytes | PurePath) for word in words):
        return UNKNOWN
    texts = [os.fsdecode(word) for word in words]
    if len(texts) > 2 and SHELLS.search(texts[0]) and texts[1] == "-c":  # noqa: PLR2004
        return texts[2]
    return shlex.join(texts)


def _connected(given: Given) -> Heard | None:
    """An address of the network; one of a file belongs to this machine."""
    match given[-1]:
        case (str(host), int(port), *_):
            return Heard(doing=Doing.REACHED, name=f"{host}:{port}")
        case _:
            return None


def _sent(given: Given) -> Heard | None:
    connection, data = given
    method = SENDS.match(data) if type(data) is bytes else None
    if method is None:
        return None
    host = getattr(connection, "host", None)
    return Heard(doing=Doing.SENT, name=f"{method[1].decode()} to {host}", refused=True)


PROGRAMS: dict[str, Callable[[Given], str]] = {
    "subprocess.Popen": lambda given: _command(given[1]),
    "os.system": lambda given: _command(given[0]),
    "os.exec": lambda given: _command(given[1]),
    "os.posix_spawn": lambda given: _command(given[1]),
    "os.spawn": lambda given: _command(given[2]),
    "os.startfile": lambda given: _command(given[0]),
}
"""The command that each of these events announces."""
EVENTS: dict[str, Callable[[Given], Heard | None]] = {
    **{event: lambda given, command=command: _program(command(given)) for event, command in PROGRAMS.items()},  # type: ignore[misc]
    "socket.connect": _connected,
    "http.client.send": _sent,
}
