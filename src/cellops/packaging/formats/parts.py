"""Every object inside a loaded model, however it is nested."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

PLAIN = (str, int, float, bytes, type(None))


def parts(model: object) -> list[object]:
    """The model and all that it is made of, each object once."""
    waiting, found, seen = [model], [], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, PLAIN) or id(part) in seen:
            continue
        seen.add(id(part))
        found.append(part)
        waiting += _inside(part)
    return found


def own(part: object) -> dict[str, Any]:
    """The attributes that an object holds itself; those of its class are code."""
    return vars(part) if hasattr(part, "__dict__") and not isinstance(part, type) else {}


def replaces_code(part: object) -> bool:
    """Whether an object holds something in the place of a method of its class."""
    bases = [vars(base) for base in type(part).__mro__]
    return any(
        name in base and not (isinstance(value, PLAIN) and isinstance(base[name], PLAIN))
        for name, value in own(part).items()
        for base in bases
    )


def _inside(part: object) -> Iterator[Any]:
    yield from own(part).values()
    if isinstance(part, dict):
        yield from part
        yield from part.values()
    elif isinstance(part, list | tuple | set | frozenset):
        yield from part
    elif isinstance(part, np.ndarray) and part.dtype == object:
        yield from np.asarray(part).ravel()  # what a mask hides is still there
    elif isinstance(part, functools.partial):
        yield from (part.func, part.args, part.keywords)
    elif getattr(part, "__self__", None) is not None:  # a bound method
        yield part.__self__  # type: ignore[attr-defined]
