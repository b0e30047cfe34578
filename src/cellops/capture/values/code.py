"""What a function or a class of the notebook keeps beside its source: defaults, what it closes over, attributes."""

from abc import ABCMeta
from types import FunctionType
from typing import Any, cast

from cellops.capture.names.types import bases_of, held_by

METHODS = ("__init__", "__call__", "__post_init__")
"""Methods with names of python's that a class has of its own."""
KEPT_BY_PYTHON = "_abc_"
"""How the names begin of what abstract classes keep for python."""


def kept_beside(value: Any) -> dict[str, Any]:
    """The objects by name, those of methods and of functions that it keeps among them.

    None for a class whose own class is unusual, since nobody knows what it keeps.
    """
    return _kept(value, set())


def _kept(value: Any, seen: set[int]) -> dict[str, Any]:
    if id(value) in seen:
        return {}
    seen.add(id(value))
    held: dict[str, Any] = {}
    if type(value) is FunctionType:
        held = _of_function(value)
    elif type(value) in (type, ABCMeta):
        held = _of_class(value)
    kept: dict[str, Any] = {}
    for name, found in held.items():
        if is_by_source(found):
            kept |= {f"{name}: {inner}": deeper for inner, deeper in _kept(found, seen).items()}
        else:
            kept[name] = found
    return kept


def _of_class(kind: type) -> dict[str, Any]:
    """Attributes, and methods without what makes them such; other descriptors keep nothing that is known."""
    own = {name: kept for name, kept in held_by(kind).items() if type(name) is str and not _is_pythons(name)}
    plain = {name: kept.__func__ if type(kept) in (staticmethod, classmethod) else kept for name, kept in own.items()}
    return {name: kept for name, kept in plain.items() if type(kept) is FunctionType or not _describes(kept)}


def is_by_source(value: object) -> bool:
    """Whether a value is a function or a class of the notebook, which its own cell's source tells of."""
    if issubclass(type(value), type):
        return held_by(cast(type, value)).get("__module__") == "__main__"
    return type(value) is FunctionType and value.__module__ == "__main__"


def _of_function(function: FunctionType) -> dict[str, Any]:
    kept = {f"default {place}": held for place, held in enumerate(function.__defaults__ or ())}
    kept |= {f"default {name}": held for name, held in (function.__kwdefaults__ or {}).items()}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            kept[name] = cell.cell_contents
        except ValueError:  # it has not been bound yet
            continue
    return kept


def _is_pythons(name: str) -> bool:
    own = name.startswith("__") and name.endswith("__") and name not in METHODS
    return own or name.startswith(KEPT_BY_PYTHON)


def _describes(value: object) -> bool:
    """Whether a value of a class is a function, a property or another descriptor."""
    return any("__get__" in held_by(base) for base in bases_of(type(value)))
