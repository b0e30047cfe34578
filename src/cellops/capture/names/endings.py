"""Whether giving up an object may do anything, by its exact type: none of its code runs."""

import contextlib
from io import BufferedRandom, BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from typing import Any

from cellops.capture.names.kinds import PLAIN_FUNCTION, Description, Kind
from cellops.capture.names.types import Kinds, name_of

BUFFERED = Kinds((BufferedRandom, BufferedReader, BufferedWriter))
MAPPED = ("numpy", "memmap")


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
