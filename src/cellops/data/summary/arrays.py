"""Arrays of a summary as few bytes: ascending keys as steps, numbers of few digits as whole ones."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers

DECIMALS = range(7)
"""Digits behind the point up to which numbers are written as whole ones."""
POWERS = range(-1, DECIMALS.stop)
EXACT = 2**53
WIDTHS = (np.int8, np.int16, np.int32, np.int64)
LONGEST = 1 << 24
"""Entries of an array; no summary has as many."""


class Packed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An array of one dimension."""

    kind: str
    """`u`: bytes as they are; `i`: steps between whole numbers; `f`: floats of which some may be NaN."""
    length: int
    data: bytes
    width: int = 1
    """Bytes of a step."""
    decimals: int = -1
    """By which power of ten the numbers are smaller than what is written; -1 for floats as they are."""
    present: bytes = b""
    """A bit for each float: whether it is there; empty where all are."""


def pack(array: NDArray[Any]) -> Packed:
    """Write down an array of bytes, of whole numbers, or of floats; shape (length,).

    Examples
    --------
    >>> unpack(pack(np.array([19.99, np.nan, 20.5])))
    array([19.99,   nan, 20.5 ])
    """
    if array.dtype == np.uint8:
        return Packed("u", len(array), array.tobytes())
    if array.dtype == np.int64:
        width, data = _steps(array)
        return Packed("i", len(array), data, width)
    there = ~np.isnan(array)
    present = b"" if there.all() else np.packbits(there).tobytes()
    known = array[there]
    decimals = next((places for places in DECIMALS if _is_whole(known, places)), -1)
    if decimals < 0:
        return Packed("f", len(array), _planes(known), 8, decimals, present)
    width, data = _steps(np.rint(known * 10**decimals).astype(np.int64))
    return Packed("f", len(array), data, width, decimals, present)


def unpack(packed: Packed) -> NDArray[Any]:
    """The array again.

    Raises
    ------
    ValueError
        When the bytes are not those of an array.
    """
    bits = (packed.length + 7) // 8
    if not 0 <= packed.length <= LONGEST or len(packed.present) not in (0, bits) or packed.decimals not in POWERS:
        fact = "the length of an array is out of range, or its digits are"
        raise ValueError(fact)
    if packed.kind == "u":
        found: NDArray[Any] = np.frombuffer(packed.data, np.uint8)
    elif packed.kind == "i":
        found = _summed(packed)
    else:
        found = _floats(packed)
    if len(found) != packed.length:
        fact = "an array is shorter than it says"
        raise ValueError(fact)
    return found


def _is_whole(known: Numbers, places: int) -> bool:
    with np.errstate(over="ignore"):
        scaled = np.rint(known * 10**places)
    return bool((np.abs(scaled) < EXACT).all() and (scaled / 10**places == known).all())


def _steps(whole: NDArray[np.int64]) -> tuple[int, bytes]:
    """Steps from 0, in as many bytes as the largest takes; a step that no int64 holds wraps around, and back again."""
    steps = np.diff(whole, prepend=np.int64(0))
    width = next(kind for kind in WIDTHS if len(steps) == 0 or bool((steps == steps.astype(kind)).all()))
    return np.dtype(width).itemsize, steps.astype(width).tobytes()


def _summed(packed: Packed) -> NDArray[np.int64]:
    steps = np.frombuffer(packed.data, np.dtype(f"i{packed.width}")).astype(np.int64)
    return np.cumsum(steps, dtype=np.int64)


def _floats(packed: Packed) -> Numbers:
    if packed.decimals < 0:
        known = np.frombuffer(packed.data, np.uint8).reshape(8, -1).T.copy().view("<f8").ravel()
    else:
        known = _summed(packed) / 10**packed.decimals
    if not packed.present:
        return known
    there = np.unpackbits(np.frombuffer(packed.present, np.uint8), count=packed.length).astype(bool)
    whole = np.full(packed.length, np.nan)
    whole[there] = known
    return whole


def _planes(known: Numbers) -> bytes:
    """First bytes, second bytes and so on, as those of neighbours are alike."""
    return known.astype("<f8").view(np.uint8).reshape(-1, 8).T.tobytes()
