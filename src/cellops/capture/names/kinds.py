"""What can happen to a value when it is used, by its exact type: no code of the value is ever called."""

import re
from enum import IntEnum
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple

from cellops.capture.names import libraries


class Kind(IntEnum):
    """From what nothing can change to what may do anything; two kinds together are the greater one."""

    CONSTANT = 0
    """Numbers, texts, tuples of such."""
    TABLE = 1
    """Frames and arrays: an operator makes a new one."""
    DATA = 2
    """Containers of plain data."""
    ESTIMATOR = 3
    """An estimator of scikit-learn that holds nothing of the notebook, or a container of such."""
    BOX = 4
    """A container of python, whatever it holds."""
    LIBRARY = 5
    """A module, or a function or a class of one."""
    ACTIVE = 6
    """Everything else: iterators, functions and objects of the notebook, types that are not known."""


class Description(NamedTuple):
    kind: Kind
    origin: str = ""
    """The full name of a module, or of a function or a class of one."""


ACTIVE = Description(Kind.ACTIVE)
PLAIN_FUNCTION = "(function)"
"""Stands for the origin of a function of the notebook that keeps nothing between two calls."""
CONSTANTS = frozenset(
    {int, float, complex, bool, str, bytes, type(None), type(...), type(NotImplemented), range, slice}
)
CONSTANT_MODULES = ("datetime", "decimal", "fractions", "uuid", "pathlib", "re", "ipaddress", "zoneinfo")
READERS = frozenset({"ExcelFile", "ExcelWriter", "HDFStore"})
CONTAINERS = frozenset({list, dict, set, tuple, frozenset, bytearray})
NUMPY_ARRAYS = frozenset({"ndarray", "matrix", "recarray", "MaskedArray"})
TABLES = re.compile(r"^(?:pandas(?!\.io)|polars(?!\.io)|scipy\.sparse|numpy\.ma)(?:\.|$)")
FUNCTIONS = (FunctionType, BuiltinFunctionType, type)
MOST_LOOKED_AT = 1000
MOST_TYPES = 10_000
DEEPEST = 20


def describe(value: object) -> Description:
    """The kind of a value, with the full name of what a library brings."""
    kind = type(value)
    if kind in CONSTANTS:
        return Description(Kind.CONSTANT)
    if issubclass(kind, ModuleType):
        return _module(value)
    if issubclass(kind, FUNCTIONS):
        return _function(value)
    return Description(_kind(value, [MOST_LOOKED_AT]))


def _module(value: Any) -> Description:
    name = ModuleType.__getattribute__(value, "__dict__").get("__name__")
    return ACTIVE if not isinstance(name, str) or name == "__main__" else Description(Kind.LIBRARY, name)


def _function(value: Any) -> Description:
    kind = type(value)
    if kind is BuiltinFunctionType and type(value.__self__) is not ModuleType and value.__self__ is not None:
        return ACTIVE
    get = type.__getattribute__ if issubclass(kind, type) else object.__getattribute__
    try:
        module, name = get(value, "__module__"), get(value, "__qualname__")
    except AttributeError:
        return ACTIVE
    if not isinstance(module, str) or module == "__main__" or not isinstance(name, str):
        return Description(Kind.ACTIVE, PLAIN_FUNCTION) if kind is FunctionType and _keeps_nothing(value) else ACTIVE
    return Description(Kind.LIBRARY, f"{module}.{name}")


def _keeps_nothing(function: FunctionType) -> bool:
    held = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    return function.__closure__ is None and all(type(value) in CONSTANTS for value in held)


def _kind(value: object, budget: list[int], depth: int = 0) -> Kind:
    kind = type(value)
    if kind in CONSTANTS:
        return Kind.CONSTANT
    if kind in CONTAINERS:
        return _of_container(value, budget, depth + 1)
    module, name = _name_of(kind)
    if module == "numpy":
        return _of_numpy(value, name)
    if _is_constant(module):
        return Kind.CONSTANT
    if _is_table(module, name):
        return Kind.TABLE
    known = module.startswith("sklearn.") and depth <= DEEPEST and _holds_nothing_foreign(value, budget, depth + 1)
    return Kind.ESTIMATOR if known else Kind.ACTIVE


def _is_constant(module: str) -> bool:
    return module in CONSTANT_MODULES or module.startswith("pandas._libs.tslibs")


def _is_table(module: str, name: str) -> bool:
    if module == "pyarrow.lib":
        return name.endswith(("Table", "Array", "Batch", "Schema", "DataType", "Scalar"))
    return TABLES.match(module) is not None and name not in READERS


def _name_of(kind: type) -> tuple[str, str]:
    module, name = type.__getattribute__(kind, "__module__"), type.__getattribute__(kind, "__qualname__")
    return (module, name) if isinstance(module, str) and isinstance(name, str) else ("", "")


def _of_numpy(value: Any, name: str) -> Kind:
    if name in NUMPY_ARRAYS:
        return Kind.TABLE if value.dtype.kind != "O" else Kind.BOX
    return Kind.CONSTANT if "dtype" not in name and hasattr(type(value), "dtype") else Kind.TABLE


def _of_container(value: Any, budget: list[int], depth: int) -> Kind:
    """The worst of what it holds; a large container is looked at by the types of its items only."""
    kind = type(value)
    if kind is bytearray:
        return Kind.DATA
    empty = Kind.CONSTANT if kind in (tuple, frozenset) else Kind.DATA
    if len(value) > MOST_LOOKED_AT:
        held = value.values() if kind is dict else value
        return empty if len(value) <= MOST_TYPES and CONSTANTS.issuperset(map(type, held)) else Kind.BOX
    items = [*value.keys(), *value.values()] if kind is dict else value
    worst = empty
    for item in items:
        budget[0] -= 1
        if budget[0] < 0 or depth > DEEPEST:
            return Kind.BOX
        worst = max(worst, Kind.CONSTANT if type(item) in CONSTANTS else _kind(item, budget, depth))
    return Kind.DATA if worst is Kind.TABLE else min(worst, Kind.BOX)


def _holds_nothing_foreign(value: object, budget: list[int], depth: int) -> bool:
    """Whether the parameters of an estimator are plain data or estimators: then none of its methods runs our code.

    What fitting has added ends in an underscore, and is made of these.
    """
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return False
    given = [held for name, held in attributes.items() if not name.endswith("_") and not name.startswith("_")]
    return all(_is_harmless(held, budget, depth) for held in given)


def _is_harmless(value: object, budget: list[int], depth: int) -> bool:
    budget[0] -= 1
    if budget[0] < 0:
        return False
    found = describe(value) if issubclass(type(value), FUNCTIONS) else None
    if found is not None:
        return found.kind is Kind.LIBRARY and libraries.is_known(found.origin)
    return _kind(value, budget, depth) <= Kind.ESTIMATOR
