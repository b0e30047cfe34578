"""The identities of many objects at once, as bytes, which are compared at the speed of memory."""

import sys
from array import array
from collections.abc import Callable
from functools import cache

from cellops.capture.names.types import identity_of

WIDTH = array("q").itemsize
MANY = 500
"""Objects from which on their addresses are copied out of the tuple that holds them, where that can be done."""
_BITS = 8 * WIDTH
_TURN = 4
"""By how many bits Python turns an address to make the hash of an object of it."""


def identities(objects: tuple[object, ...]) -> bytes:
    """Some bytes for each object, always the same ones for the same object while it lives; the objects are not held.

    To make a number of each address costs as much as the rest of a picture. CPython keeps the addresses of a tuple's
    objects behind one another: they are copied as they lie, which is tried out once before it is relied on.
    """
    if len(objects) >= MANY and (copied := _copying()) is not None:
        return copied(objects)
    return array("Q", [_address(held) for held in objects]).tobytes()


def identity(held: object) -> bytes:
    """The bytes of one object."""
    return _address(held).to_bytes(WIDTH, sys.byteorder)


def _address(held: object) -> int:
    """The address, out of the hash: to ask `id` raises an audit event."""
    turned = identity_of(held) % (1 << _BITS)
    return (turned << _TURN | turned >> _BITS - _TURN) % (1 << _BITS)


@cache
def _copying() -> Callable[[tuple[object, ...]], bytes] | None:
    """What copies the addresses, where this interpreter keeps them as expected."""
    if sys.implementation.name != "cpython":
        return None
    try:
        from ctypes import string_at
    except ImportError:  # a Python without libffi
        return None

    def copied(objects: tuple[object, ...]) -> bytes:
        return string_at(_address(objects) + tuple.__basicsize__, WIDTH * len(objects))

    tried = (None, 1, "text", tried_on := object(), tried_on, copied)
    return copied if copied(tried) == b"".join(map(identity, tried)) else None
