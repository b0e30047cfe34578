"""The content of a Python object as bytes, for types that are known to the letter: no other object's code is called."""

import datetime as dt
import decimal
import fractions
import pathlib
import uuid
from typing import Any

DEEPEST = 50
MOST_NESTED = 2_000_000
"""Objects that the cells of a column lead to, each counted as often as it is led to: about a second's work."""
CONTAINERS = frozenset({list, tuple, set, frozenset, dict})
LONG_DOUBLE, PADDED = 10, 16
"""Of a long double's sixteen bytes on x86, those that hold its value."""
EXTENDED = 63
"""Bits of its fraction."""
SHOWN_BY_REPR = frozenset(
    {
        type(None),
        bool,
        float,
        complex,
        range,
        dt.date,
        dt.timedelta,
        dt.timezone,
        decimal.Decimal,
        fractions.Fraction,
        uuid.UUID,
        pathlib.PurePosixPath,
        pathlib.PureWindowsPath,
        pathlib.PosixPath,
        pathlib.WindowsPath,
        type(NotImplemented),
        type(Ellipsis),
    }
)
TIME_ZONES = {"datetime", "zoneinfo", "pytz", "dateutil"}


class UnhashableError(TypeError):
    """A value has no content that can be read without calling into code of its own."""


def token(value: Any, depth: int = 0) -> bytes:
    """A value's type and content.

    Raises
    ------
    UnhashableError
        When the type is not a known one, or the value contains itself.
    """
    kind = type(value)
    if depth > DEEPEST:
        fact = f"a {kind.__name__} is nested more than {DEEPEST} deep, or contains itself"
        raise UnhashableError(fact)
    if kind is str:
        return f"str:{value}".encode("utf-8", "surrogatepass")
    if kind is int:
        return f"int:{value:x}".encode()
    if kind is bytes:
        return b"bytes:" + value  # type: ignore[no-any-return]
    if kind in SHOWN_BY_REPR:
        return f"{kind.__name__}:{value!r}".encode()
    if kind in CONTAINERS:
        return _container(value, depth + 1)
    return _moment(value) or _of_a_library(value, depth + 1)


def check_nesting(values: list[Any]) -> None:
    """Refuse values that lead to too many others, before any is read: a list can hold another one many times.

    Raises
    ------
    UnhashableError
        When they do.
    """
    left, count = [(values, 0)], 0
    while left:
        found, depth = left.pop()
        held = [item for item in found if type(item) in CONTAINERS] if depth <= DEEPEST else []
        count += sum(map(len, held))
        if count > MOST_NESTED:
            fact = f"its containers lead to more than {MOST_NESTED:,} objects: keep one value in a cell"
            raise UnhashableError(fact)
        left += [(_all_in(item), depth + 1) for item in held]


def _all_in(container: Any) -> list[Any]:
    return [*container, *container.values()] if type(container) is dict else list(container)


def is_extended(dtype: Any) -> bool:
    """Whether numbers of a dtype are long doubles as x86 has them, with bytes that hold nothing."""
    if dtype.char not in "gG":
        return False
    import numpy as np

    return bool(np.finfo(dtype).nmant == EXTENDED)


def join(parts: list[bytes]) -> bytes:
    """Parts as one, so that no two lists of parts give the same."""
    return b"".join(b"%d:%b" % (len(part), part) for part in parts)


def check_zone(zone: Any) -> None:
    """Refuse a time zone of a class that nobody knows: its name would be its own code's answer."""
    if zone is not None and type(zone).__module__.partition(".")[0] not in TIME_ZONES:
        raise _unknown(zone)


def _container(value: Any, depth: int) -> bytes:
    if type(value) is dict:
        parts = [token(part, depth) for pair in value.items() for part in pair]
    else:
        parts = [token(part, depth) for part in value]
    if type(value) in {set, frozenset}:
        parts.sort()
    return type(value).__name__.encode() + b"[" + join(parts) + b"]"


def _moment(value: Any) -> bytes | None:
    if type(value) not in {dt.datetime, dt.time}:
        return None
    check_zone(value.tzinfo)
    return f"{type(value).__name__}:{value.isoformat()}:{value.fold}:{value.tzinfo}".encode()


def _of_a_library(value: Any, depth: int) -> bytes:
    kind = type(value)
    library, name = kind.__module__.partition(".")[0], kind.__name__
    if library == "pandas":
        return _of_pandas(value, name, depth)
    if library == "numpy":
        return _of_numpy(value, name)
    raise _unknown(value)


def _of_pandas(value: Any, name: str, depth: int) -> bytes:
    match name:
        case "NaTType" | "NAType":
            return name.encode()
        case "Timestamp":
            check_zone(value.tzinfo)
            return f"{name}:{value.isoformat()}:{value.unit}:{value.tzinfo}".encode()
        case "Timedelta":
            return f"{name}:{value.isoformat()}:{value.unit}".encode()
        case "Period":
            return f"{name}:{value.ordinal}:{value.freqstr}".encode()
        case "Interval":
            return join([token(part, depth) for part in (name, value.left, value.right, value.closed)])
        case _:
            raise _unknown(value)


def _of_numpy(value: Any, name: str) -> bytes:
    """A scalar or an array; those of other types hold python objects, or pointers."""
    dtype = getattr(value, "dtype", None)
    if dtype is None or dtype.kind not in "biufcmMSU":
        raise _unknown(value)
    content = value.tobytes()
    if is_extended(dtype):
        content = b"".join(content[start : start + LONG_DOUBLE] for start in range(0, len(content), PADDED))
    return join([name.encode(), dtype.str.encode(), repr(value.shape).encode(), content])


def _unknown(value: object) -> UnhashableError:
    fact = f"values of {type(value).__module__}.{type(value).__qualname__} have no content that can be read safely"
    return UnhashableError(fact)
