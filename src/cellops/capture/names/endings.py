"""Whether giving up an object may do anything, by its exact type: none of its code runs."""

import contextlib
import gc
from collections.abc import Iterator
from io import BufferedRandom, BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from types import ModuleType
from typing import Any

from cellops.capture.names.kinds import PLAIN_FUNCTION, Description, Kind
from cellops.capture.names.types import Kinds, identity_of, name_of

BUFFERED = Kinds((BufferedRandom, BufferedReader, BufferedWriter))
MAPPED = ("numpy", "memmap")
MOST_HELD = 200
"""Objects that are looked through for a circle."""


def may_act_at_its_end(value: object, known: Description) -> bool:
    """Whether something may happen when nothing refers to an object any more, by it or by what it holds.

    A file that is not closed is written to its end; a class is given up much later, if at all.
    """
    if known.kind not in (Kind.BOX, Kind.ACTIVE):
        return name_of(type(value)) == MAPPED
    return known.origin != PLAIN_FUNCTION and not issubclass(type(value), type) and not _is_closed(value)


def _is_closed(value: Any) -> bool:
    """Whether a file of python's own is closed; one around an object of another type is not asked."""
    with contextlib.suppress(ValueError):  # it has been detached
        if type(value) is TextIOWrapper:
            value = value.buffer
        if type(value) in BUFFERED:
            value = value.raw
        return type(value) is FileIO and value.closed
    return False


def may_linger(value: object) -> bool:
    """Whether an object may live on when nothing refers to it: it, or what it holds, is held by itself.

    Where it holds very much, nobody looks through all of that.
    """
    path, done = {identity_of(value): None}, set[int]()
    waiting = [_held_by(value)]
    while waiting:
        held = next(waiting[-1], path)
        place = identity_of(held)
        if held is path:
            waiting.pop()
            done.add(path.popitem()[0])
        elif place in path or len(path) + len(done) > MOST_HELD:
            return True
        elif place not in done:
            path[place] = None
            waiting.append(_held_by(held))
    return False


def _held_by(value: object) -> Iterator[object]:
    """What an object refers to, but for modules, classes and the names of a module: these live on anyway."""
    for held in gc.get_referents(value):
        kind = type(held)
        lasting = issubclass(kind, (type, ModuleType)) or (kind is dict and "__builtins__" in held)
        if gc.is_tracked(held) and not lasting:
            yield held
