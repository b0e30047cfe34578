"""Whose code something is: a library's, or the notebook's and its project's."""

import functools
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from cellops.capture.names.kinds import CONSTANTS
from cellops.capture.names.libraries import root
from cellops.capture.names.types import Kinds, name_of

FUNCTIONS = Kinds((BuiltinFunctionType, FunctionType, MethodType))
WRAPPERS = Kinds((classmethod, staticmethod))
STANDS_IN = "unittest.mock"
INSTALLED = ("site-packages", "dist-packages")


def is_of_library(module: object) -> bool:
    """Whether a module, by its name, is python's own, an installed one or ours."""
    if type(module) is not str or module == "__main__":
        return False
    if root(module) in sys.stdlib_module_names or root(module) == "cellops":
        return True
    place = getattr(sys.modules.get(root(module)), "__file__", None)
    return type(place) is str and any(folder in place for folder in INSTALLED)


def is_pythons_own(value: object) -> bool:
    """Whether a built-in value is one of Python's or IPython's, which no cell has put there."""
    kind = type(value)
    if issubclass(kind, type):
        return is_of_library(name_of(value)[0])  # type: ignore[arg-type]
    if kind in FUNCTIONS:
        return not runs_own_code(value)
    module = name_of(kind)[0]
    return kind in CONSTANTS or (module != "builtins" and is_of_library(module))


def is_own(value: object) -> bool:
    """Whether something is a function or a class of the notebook, is made around one, or stands in for another."""
    kind = type(value)
    if kind is property:
        return any(map(is_own, (value.fget, value.fset, value.fdel)))  # type: ignore[attr-defined]
    if kind in WRAPPERS:
        return is_own(value.__func__)  # type: ignore[attr-defined]
    if issubclass(kind, type):
        return not is_of_library(name_of(value)[0])  # type: ignore[arg-type]  # it is a class
    bound = kind is MethodType and runs_own_code(value.__func__)  # type: ignore[attr-defined]
    return bound or runs_own_code(value) or name_of(kind)[0] == STANDS_IN


def runs_own_code(function: object) -> bool:
    """Whether calling a value runs code of the notebook, or changes an object that it was taken from."""
    kind = type(function)
    if kind is functools.partial:
        given = (function.func, *function.args, *function.keywords.values())  # type: ignore[attr-defined]
        return any(map(runs_own_code, given))
    if kind is FunctionType:
        return not is_of_library(function.__module__)
    if kind is MethodType:
        return not is_of_library(name_of(type(function.__self__))[0])  # type: ignore[attr-defined]
    if kind is BuiltinFunctionType:
        held = function.__self__  # type: ignore[attr-defined]
        return held is not None and type(held) is not ModuleType and name_of(type(held))[0] == "builtins"
    return not is_of_library(name_of(kind)[0])
