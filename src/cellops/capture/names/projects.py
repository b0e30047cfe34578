"""What objects of a project's own modules do when nobody calls them, as their classes stand in memory."""

import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

from cellops.capture.dataflow.looking import is_special
from cellops.capture.names.libraries import root
from cellops.capture.names.owners import is_of_library
from cellops.capture.names.types import held_by, name_of
from cellops.records.effects import FunctionEffects


def effects_of(package: str) -> FunctionEffects:
    """What looking at objects of a package's classes, or giving them up, may do: their code is not read."""
    found = list(_methods(package))
    looked = any(is_special(name) or type(method) is property for name, method in found)
    return FunctionEffects(looked=looked, ends=any(name == "__del__" for name, _ in found))


def _methods(package: str) -> Iterator[tuple[str, object]]:
    """The functions and properties of a package's classes, but for those that a library has made for them."""
    modules = [module for name, module in list(sys.modules.items()) if root(name) == package]
    for module in modules:
        for value in list(vars(module).values()) if type(module) is ModuleType else ():
            if issubclass(type(value), type) and root(name_of(value)[0]) == package:
                yield from ((name, held) for name, held in held_by(value).items() if _is_own(held))


def _is_own(held: object) -> bool:
    function = held.fget if type(held) is property else held
    return type(function) is FunctionType and not is_of_library(function.__globals__.get("__name__"))
