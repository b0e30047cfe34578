"""What code keeps beside its source: functions and classes of the notebook, methods of values, the user's modules."""

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import EnumType
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, cast

from cellops.capture.content.tokens import UnhashableError
from cellops.capture.environment.modules import file_of
from cellops.capture.names.kinds import Kind, describe
from cellops.capture.names.types import bases_of, held_by, name_of

METHODS = ("__init__", "__call__", "__post_init__")
"""Methods with names of python's that a class has of its own."""
KEPT_BY_PYTHON = ("_abc_", "_is_protocol", "_is_runtime_protocol")
"""How the names begin of what abstract classes and protocols keep for python."""
METACLASSES = ("builtins", "abc", "typing", "enum")
"""Modules whose classes of classes keep nothing elsewhere."""
KEPT_BY_ENUM = re.compile(r"_[a-z0-9]\w*_\Z")
"""Names of what `enum` keeps in a class for itself."""


def kept_beside(value: Any) -> dict[str, Any]:
    """The objects by name, those of methods and of functions that it keeps among them.

    Raises
    ------
    UnhashableError
        When it, or a class that it keeps, is made by a class of classes of which nobody knows what it keeps.
    """
    return _kept(value, set())


def named_of_modules(names: Iterable[str], source: str, namespace: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a cell may have set on modules of the user's: attributes that its source names, and that are no code.

    Parameters
    ----------
    names
        The names that the cell reads or binds.
    """
    modules = ((name, namespace.get(name)) for name in names)
    for name, module in modules:
        if type(module) is not ModuleType or file_of(module) is None:
            continue
        held = vars(module)
        for attribute in dict.fromkeys(re.findall(rf"(?<![\w.]){name}(?:\.|, *[\"'])(\w+)", source)):
            if attribute in held and describe(held[attribute]).kind is not Kind.LIBRARY:
                yield f"{name}.{attribute}", held[attribute]


def _kept(value: Any, seen: set[int]) -> dict[str, Any]:
    if id(value) in seen:
        return {}
    seen.add(id(value))
    kept: dict[str, Any] = {}
    for name, found in _held(value).items():
        if is_by_source(found):
            kept |= {f"{name}: {inner}": deeper for inner, deeper in _kept(found, seen).items()}
        else:
            kept[name] = found
    return kept


def _held(value: Any) -> dict[str, Any]:
    if type(value) is FunctionType:
        return _of_function(value)
    if type(value) is BuiltinFunctionType:
        return {"(method)": value.__name__, "(of)": value.__self__}
    return _of_enum(value) if type(value) is EnumType else _of_class(value)


def _of_class(kind: type) -> dict[str, Any]:
    """Attributes, and methods without what makes them such; other descriptors keep nothing that is known."""
    module, name = name_of(type(kind))
    if module not in METACLASSES:
        fact = f"classes that {name} makes may keep more than their source says"
        raise UnhashableError(fact)
    own = {name: kept for name, kept in held_by(kind).items() if type(name) is str and not _is_pythons(name)}
    plain = {name: kept.__func__ if type(kept) in (staticmethod, classmethod) else kept for name, kept in own.items()}
    return {name: kept for name, kept in plain.items() if type(kept) is FunctionType or not _describes(kept)}


def _of_enum(kind: type) -> dict[str, Any]:
    """What the members stand for, and what an enumeration holds as other classes do."""
    members = held_by(kind)["_member_map_"]
    others = {n: held for n, held in _of_class(kind).items() if n not in members and not KEPT_BY_ENUM.match(n)}
    return others | {name: object.__getattribute__(member, "__dict__")["_value_"] for name, member in members.items()}


def of_hidden_generator(value: object) -> str | None:
    """The full name of a function that the module `random` takes from a generator of its own.

    What that generator has drawn is a matter of the ledger, and no part of the function.
    """
    function = value.__func__ if type(value) is MethodType else value
    if type(function) not in (BuiltinFunctionType, FunctionType):
        return None
    name = function.__name__  # type: ignore[attr-defined]
    return f"random.{name}" if vars(random).get(name) == value else None


def is_by_source(value: object) -> bool:
    """Whether a value is a function or a class of the notebook, which its own cell's source tells of."""
    if issubclass(type(value), type):
        return held_by(cast(type, value)).get("__module__") == "__main__"
    return type(value) is FunctionType and value.__module__ == "__main__"


def _of_function(function: FunctionType) -> dict[str, Any]:
    kept = {f"default {place}": held for place, held in enumerate(function.__defaults__ or ())}
    kept |= {f"default {name}": held for name, held in (function.__kwdefaults__ or {}).items()}
    own = {name: held for name, held in vars(function).items() if type(name) is str and not _is_pythons(name)}
    kept |= {f"attribute {name}": held for name, held in own.items()}
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
