"""The members of modules and classes of libraries, by their full names: looked up where they stand, run by nobody."""

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from types import FunctionType, GetSetDescriptorType, ModuleType
from typing import Any

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.names.kinds import Kind, describe
from cellops.capture.names.libraries import (
    FILLED_BY_OTHERS,
    INTERPRETER_OF,
    changes_interpreter,
    gives_state,
    root,
)
from cellops.capture.names.types import bases_of, held_by

MISSING = object()
_of_module = vars(ModuleType)["__dict__"].__get__
_of_function = vars(FunctionType)["__dict__"].__get__
"""No code of a class runs that is made from that of modules."""


def member(origin: str) -> object:
    """What stands under the full name of a module, a class or a function, or of what is set on one."""
    module, names = origin, list[str]()
    while module not in sys.modules and module:
        module, _, name = module.rpartition(".")
        names.insert(0, name)
    value: object = sys.modules.get(module, MISSING)
    for name in names:
        value = _held(value, name)
    return value


def leads_to_interpreter(origin: str) -> bool:
    """Whether whoever has a module or a function may change what all cells share."""
    found = member(origin)
    if issubclass(type(found), ModuleType):
        return root(origin) in INTERPRETER_OF | FILLED_BY_OTHERS
    if found is not MISSING and not any("__call__" in held_by(base) for base in bases_of(type(found))):
        return False
    return changes_interpreter(origin) or gives_state(origin)


def is_to_come(origin: str) -> bool:
    """Whether a member is surely not there yet: its owner is, and makes none when it is asked for one."""
    known = member(origin.rpartition(".")[0])
    if known is MISSING or member(origin) is not MISSING:
        return False
    return issubclass(type(known), type) or "__getattr__" not in members_of(known)


def members_of(owner: object) -> Mapping[str, Any]:
    """What a module, a class or a function itself holds."""
    kind = type(owner)
    if issubclass(kind, type):
        return held_by(owner)  # type: ignore[arg-type]
    if issubclass(kind, ModuleType) or kind is FunctionType:
        found: Mapping[str, Any] = (_of_module if kind is not FunctionType else _of_function)(owner)
        return found
    return {}


def attributes_of(owner: object) -> Mapping[str, Any] | None:
    """What an object of an ordinary class keeps in its dictionary, or `members_of` gives; None where there is none."""
    kind = type(owner)
    if issubclass(kind, type | ModuleType | FunctionType):
        return members_of(owner)
    found = next((held_by(base)["__dict__"] for base in bases_of(kind) if "__dict__" in held_by(base)), None)
    return found.__get__(owner) if type(found) is GetSetDescriptorType else None


def _held(owner: object, name: str) -> object:
    bases = bases_of(owner) if issubclass(type(owner), type) else (owner,)  # type: ignore[arg-type]
    return next((members_of(base)[name] for base in bases if name in members_of(base)), MISSING)


def of_libraries(nodes: Collection[ast.Attribute], flow: Dataflow, namespace: Mapping[str, Any]) -> Iterator[str]:
    """The full names of libraries' members among attributes in the source of a cell, as far as it shows them."""
    brought = (alias for node in flow.tree.body if isinstance(node, ast.Import) for alias in node.names)
    modules = {alias.asname or alias.name: alias.name for alias in brought} if nodes else {}
    for node in nodes:
        root, *rest = dotted(node)
        known = describe(namespace[root]) if root in namespace else None
        origin = modules.get(root) or (known.origin if known is not None and known.kind is Kind.LIBRARY else "")
        if origin and rest:
            yield ".".join((origin, *rest))


def dotted(node: ast.expr) -> list[str]:
    """The names of which `a.b.c` is made; an empty one stands for any other expression."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=base, attr=name):
            return [*dotted(base), name]
        case _:
            return [""]
