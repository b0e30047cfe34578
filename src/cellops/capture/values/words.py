"""A value in a few words: without secrets, and without running code of its own."""

import re
from typing import Any

from cellops.capture.content.fingerprint import is_table_of_a_library
from cellops.capture.content.tokens import UnhashableError, check_zone
from cellops.capture.names.kinds import Kind, describe
from cellops.capture.redaction import redact, without_known
from cellops.capture.secrets import REDACTED, Secret

LONGEST = 80
"""Characters that a value is shown in."""
SMALL = 6
"""Items of an array that are shown."""
READ_OF_A_TEXT = 4_000
"""Characters in which secrets are looked for, so that none is cut before it is known as one."""
NAMES_OF_A_TEXT = 400
"""And those in which they are looked for by the names that stand beside them, which takes longer."""
LARGEST_INTEGER = 256
"""Bits of an integer that is written out: of a longer one that takes time, or is refused."""
SIZED = frozenset({list, tuple, dict, set, frozenset, bytes, bytearray})
PLAIN = frozenset({float, bool, complex, type(None)})


def show(value: Any) -> str:
    """A value in at most `LONGEST` characters."""
    kind = type(value)
    if kind in PLAIN:
        return repr(value)
    if kind is int:
        return repr(value) if value.bit_length() <= LARGEST_INTEGER else _long(value)
    if kind in SIZED:
        return f"{kind.__name__} of {len(value):,}"
    if kind in {str, Secret}:
        return _text(value) if kind is str else REDACTED
    if is_table_of_a_library(value):
        return _table(value)[:LONGEST]
    return _constant(value) if describe(value).kind is Kind.CONSTANT else redact(kind.__name__)[:LONGEST]


def number_of(value: Any) -> float | None:
    """A number as a float; None for everything else, and for a number beyond the floats."""
    kind = type(value)
    if kind in {int, float} or (kind.__module__ == "numpy" and hasattr(value, "dtype") and value.dtype.kind in "iuf"):
        try:
            return None if getattr(value, "ndim", 0) else float(value)
        except OverflowError:
            return None
    return None


def _long(value: int) -> str:
    return f"int of {value.bit_length():,} bits"


def _text(value: str) -> str:
    text = redact(without_known(value[:READ_OF_A_TEXT])[:NAMES_OF_A_TEXT])
    return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def _constant(value: Any) -> str:
    """A constant of a library; by its kind alone where it leads to an object whose code nobody knows."""
    kind = type(value)
    if kind is re.Pattern:
        return f"re.compile({show(value.pattern)})"[:LONGEST]
    if kind.__module__ == "numpy" and kind.__name__ == "str_":
        return _text(str(value[:READ_OF_A_TEXT]))
    if kind is slice or (kind.__module__ == "numpy" and kind.__name__ == "void"):
        return kind.__name__
    if kind.__module__ == "fractions" and max(value.numerator, value.denominator).bit_length() > LARGEST_INTEGER:
        return kind.__name__
    try:
        check_zone(getattr(value, "tzinfo", None))
    except UnhashableError:
        return kind.__name__
    return redact(repr(value)[:READ_OF_A_TEXT])[:LONGEST]


def _table(value: Any) -> str:
    kind, shape = type(value).__name__, getattr(value, "shape", None)
    if kind == "ndarray" and value.dtype.kind in "biuf" and value.size <= SMALL and value.ndim == 1:
        return f"array {value.tolist()}"
    if shape is None:
        return f"{kind} of {len(value):,} rows"
    return f"{kind} of {' x '.join(f'{length:,}' for length in shape) or '1'}"
