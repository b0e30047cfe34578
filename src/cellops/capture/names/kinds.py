"""What can happen to a value when it is used, by its exact type: no code of the value is ever called."""

import re
from collections.abc import Callable, Collection
from enum import IntEnum
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from cellops.capture.names import libraries
from cellops.capture.names.types import Kinds, bases_of, held_by, identity_of, name_of, types_of
from cellops.capture.secrets import Secret


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


Looking = Callable[[Any, list[int], int], Kind]
"""Tells the kind of one value: given that, how many items may still be looked at, and how deep it stands."""
ACTIVE = Description(Kind.ACTIVE)
PLAIN_FUNCTION = "(function)"
"""Stands for the origin of a function of the notebook that keeps nothing between two calls."""
HANDLE = "(handle)"
"""Stands for the origin of a file, or of what stands for one, whose methods keep nothing of what they are given."""
CLASS = "(class)"
"""Stands for the origin of the class of a value that is no object of the notebook: one of python or of a library."""
NAMESPACE = "(namespace)"
"""The origin of a dictionary or a module that is a namespace of its own, as the notebook's is."""
SHELL = "(shell)"
"""The origin of IPython's shell."""
WEAK = "weakref"
"""The origin of containers that do not keep what they are given."""
HANDLES = frozenset(
    {
        "_io.BufferedRandom", "_io.BufferedReader", "_io.BufferedWriter", "_io.BytesIO", "_io.FileIO", "_io.StringIO",
        "_io.TextIOWrapper", "_csv.writer", "zipfile.ZipFile", "gzip.GzipFile", "bz2.BZ2File", "lzma.LZMAFile",
    }
)  # fmt: skip
STATES = {
    "os._Environ": "os.environ", "matplotlib.RcParams": "matplotlib.rcParams",
    "pandas._config.config.DictWrapper": "pandas.options", "logging.Logger": "logging.Logger",
    "logging.RootLogger": "logging.Logger",
}  # fmt: skip
"""Types whose objects stand for a part of what all cells share, each with its full name."""
CONSTANTS = Kinds(
    {int, float, complex, bool, str, Secret, bytes, type(None), type(...), type(NotImplemented), range, slice}
)
CONSTANT_MODULES = ("datetime", "decimal", "fractions", "uuid", "pathlib", "re", "ipaddress", "zoneinfo")
READERS = frozenset({"ExcelFile", "ExcelWriter", "HDFStore"})
CONTAINERS = Kinds({list, dict, set, tuple, frozenset, bytearray})
FRAMES = frozenset({"DataFrame", "Series"})
NUMPY_ARRAYS = frozenset({"ndarray", "matrix", "recarray", "MaskedArray", "memmap"})
TABLES = re.compile(r"^(?:pandas(?!\.io)|polars(?!\.io)|scipy\.sparse|numpy\.ma)(?:\.|$)")
FUNCTIONS = (FunctionType, BuiltinFunctionType, type)
CALLABLES = Kinds({FunctionType, MethodType, partial})
MOST_LOOKED_AT = 1000
"""Items that are looked into one by one for one value."""
AT_ONCE = 20
"""Items whose types are read in the time that one is looked into."""
MOST_ITEMS = 10_000
"""Of a container; a larger one may hold anything."""
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
    full = ".".join(name_of(kind))
    if full in STATES:
        return Description(Kind.LIBRARY, STATES[full])
    origin = NAMESPACE if kind is dict and "__builtins__" in value else _origin(full)  # type: ignore[operator]
    return Description(Kind.ACTIVE, origin) if origin else Description(_kind(value, [MOST_LOOKED_AT]))


def _origin(full: str) -> str:
    """What an object of a type with this full name stands for; empty for most."""
    if full in HANDLES:
        return HANDLE
    if full.startswith((WEAK, "_weakrefset")):
        return WEAK
    return SHELL if full.endswith("InteractiveShell") else ""


def _module(value: Any) -> Description:
    name = ModuleType.__getattribute__(value, "__dict__").get("__name__")
    if name == "__main__":
        return Description(Kind.ACTIVE, NAMESPACE)
    return ACTIVE if type(name) is not str else Description(Kind.LIBRARY, name)


def _function(value: Any) -> Description:
    kind = type(value)
    if kind is BuiltinFunctionType and type(value.__self__) is not ModuleType and value.__self__ is not None:
        return ACTIVE
    if issubclass(kind, type):
        module, name = name_of(value)
    else:
        module, name = (object.__getattribute__(value, part) for part in ("__module__", "__qualname__"))
    if type(module) is not str or module in {"", "__main__"} or type(name) is not str:
        return Description(Kind.ACTIVE, PLAIN_FUNCTION) if kind is FunctionType and _keeps_nothing(value) else ACTIVE
    return Description(Kind.LIBRARY, f"{module}.{name}")


def _keeps_nothing(function: FunctionType) -> bool:
    held = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    return function.__closure__ is None and all(type(value) in CONSTANTS for value in held)


def _kind(value: object, budget: list[int], depth: int = 0) -> Kind:
    found = _of_type(type(value))
    return found if isinstance(found, Kind) else found(value, budget, depth + 1)


def _of_type(kind: type) -> "Kind | Looking":
    """The kind of all objects of a type, or what tells it of each."""
    if kind in CONSTANTS:
        return Kind.CONSTANT
    if kind in CONTAINERS:
        return _of_container
    module, name = name_of(kind)
    if module == "numpy":
        return _of_numpy(kind, name)
    if _is_constant(module) and name != "Context":
        return Kind.CONSTANT
    if _is_table(module, name):
        return _of_frame if name in FRAMES and module.startswith("pandas") else Kind.TABLE
    return _of_estimator if module.startswith("sklearn.") else Kind.ACTIVE


def _is_constant(module: str) -> bool:
    return module in CONSTANT_MODULES or module.startswith("pandas._libs.tslibs")


def _is_table(module: str, name: str) -> bool:
    if module == "pyarrow.lib":
        return name.endswith(("Table", "Array", "Batch", "Schema", "DataType", "Scalar"))
    return TABLES.match(module) is not None and name not in READERS


def _of_numpy(kind: type, name: str) -> "Kind | Looking":
    if name in NUMPY_ARRAYS:
        return _of_array
    return Kind.CONSTANT if "dtype" not in name and _has(kind, "dtype") else Kind.TABLE


def _has(kind: type, attribute: str) -> bool:
    return any(attribute in held_by(base) for base in bases_of(kind))


def _of_array(value: Any, _budget: list[int], _depth: int) -> Kind:
    return Kind.TABLE if value.dtype.kind != "O" else Kind.BOX


def _of_frame(value: Any, budget: list[int], _depth: int) -> Kind:
    """A table, or a container of python where a column holds objects that can change."""
    arrays = [block.values for block in value._mgr.blocks if type(block.values).__module__ == "numpy"]
    for column in arrays:
        if column.dtype.kind != "O":
            continue
        budget[0] -= 1 + column.size // AT_ONCE
        if column.size > MOST_ITEMS or budget[0] < 0:
            return Kind.BOX
        if any(_of_type(kind) is not Kind.CONSTANT for kind in types_of(column.ravel().tolist())):
            return Kind.BOX
    return Kind.TABLE


def _of_estimator(value: Any, budget: list[int], depth: int) -> Kind:
    return Kind.ESTIMATOR if depth <= DEEPEST and _holds_nothing_foreign(value, budget, depth) else Kind.ACTIVE


def _of_container(value: Any, budget: list[int], depth: int) -> Kind:
    """The worst of what it holds; where the type of an item says all, it is looked at once for each type."""
    kind = type(value)
    if kind is bytearray:
        return Kind.DATA
    empty = Kind.CONSTANT if kind in (tuple, frozenset) else Kind.DATA
    budget[0] -= 1 + len(value) // AT_ONCE
    if len(value) > MOST_ITEMS or budget[0] < 0:
        return Kind.BOX
    items = [*value.keys(), *value.values()] if kind is dict else [*value]  # another thread may change it
    if CONSTANTS.hold_all(items):
        return empty
    return min(max(empty, _worst(items, budget, depth)), Kind.BOX)


def _worst(items: Collection[object], budget: list[int], depth: int) -> Kind:
    """The worst kind among the items of a container, where frames and arrays count as data."""
    by_type = {identity_of(kind): _of_type(kind) for kind in types_of(items)}
    worst = max((found for found in by_type.values() if isinstance(found, Kind)), default=Kind.CONSTANT)
    one_by_one = any(not isinstance(found, Kind) for found in by_type.values())
    if depth > DEEPEST or (one_by_one and len(items) > budget[0]):
        return Kind.BOX
    for item in items if one_by_one else ():
        found = by_type[identity_of(type(item))]
        if not isinstance(found, Kind):
            budget[0] -= 1
            worst = Kind.BOX if budget[0] < 0 else max(worst, found(item, budget, depth + 1))
        if worst >= Kind.BOX:
            break
    return Kind.DATA if worst is Kind.TABLE else worst


def _holds_nothing_foreign(value: object, budget: list[int], depth: int) -> bool:
    """Whether the parameters of an estimator are plain data or estimators: then none of its methods runs our code.

    What fitting has added ends in an underscore, and is made of these.
    """
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return False
    if any(libraries.works_in_place(name, held) for name, held in attributes.items()):
        return False
    given = [held for name, held in attributes.items() if not name.endswith("_") and not name.startswith("_")]
    if any(_is_foreign(held) for name, held in attributes.items() if name.startswith("_")):
        return False
    return all(_is_harmless(held, budget, depth) for held in given)


def _is_foreign(value: object) -> bool:
    """Whether something is a function or an object of the notebook, as a scorer holds one."""
    kind = type(value)
    return (kind in CALLABLES and describe(value).kind is not Kind.LIBRARY) or name_of(kind)[0] == "__main__"


def _is_harmless(value: object, budget: list[int], depth: int) -> bool:
    budget[0] -= 1
    if budget[0] < 0:
        return False
    found = describe(value) if issubclass(type(value), FUNCTIONS) else None
    if found is not None:
        return found.kind is Kind.LIBRARY and libraries.is_known(found.origin)
    return _kind(value, budget, depth) <= Kind.ESTIMATOR
