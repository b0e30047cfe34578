"""What a function or a class of the notebook keeps beside its source: defaults, what it closes over, attributes."""

from abc import ABCMeta
from types import FunctionType
from typing import Any, cast

from cellops.capture.names.types import bases_of, held_by

KEPT_BY_PYTHON = "_abc_"
"""How the names begin of what abstract classes keep for python."""


def kept_beside(value: Any) -> dict[str, Any]:
    """The objects by name; none for a class whose own class is unusual, since nobody knows what it keeps."""
    if type(value) is FunctionType:
        return _of_function(value)
    if type(value) in (type, ABCMeta):
        held = {name: kept for name, kept in held_by(value).items() if type(name) is str and not _is_pythons(name)}
        return {name: kept for name, kept in held.items() if not _describes(kept)}
    return {}


def is_by_source(value: object) -> bool:
    """Whether a value is a function or a class of the notebook, which its own cell's source tells of."""
    if issubclass(type(value), type):
        return held_by(cast(type, value)).get("__module__") == "__main__"
    return type(value) is FunctionType


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
    return (name.startswith("__") and name.endswith("__")) or name.startswith(KEPT_BY_PYTHON)


def _describes(value: object) -> bool:
    """Whether a value of a class is a function, a property or another descriptor."""
    return any("__get__" in held_by(base) for base in bases_of(type(value)))
