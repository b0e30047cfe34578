"""What all cells share beside the names of the notebook: variables, folders, filters and options of the process.

A cell that changes them need not show it: it may give them, or a function that does so, to another function. They are
compared by identity, so that no code of what a cell has put in their place runs.
"""

import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from operator import attrgetter
from types import BuiltinFunctionType, ModuleType
from typing import Any

from cellops.capture.names.owners import is_own
from cellops.capture.names.types import identity_of

OF_LIBRARIES = (
    b"CELLOPS_", b"KMP_DUPLICATE_LIB_OK", b"KMP_INIT_AT_FORK", b"PYTEST_CURRENT_TEST", b"PYTEST_VERSION", b"__KMP_",
)  # fmt: skip
"""Beginnings of variables that libraries set by themselves, when they are imported or used."""
SAYING = (
    ("_csv", "field_size_limit"), ("gc", "isenabled"), ("gc", "get_threshold"), ("_socket", "getdefaulttimeout"),
    ("sys", "get_int_max_str_digits"), ("sys", "getswitchinterval"),
)  # fmt: skip
"""Functions of Python that say without arguments what another one, or they themselves, have set, and set nothing."""
OF_DECIMALS = attrgetter("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
AT_FIRST = {"numpy": {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}}
"""What parts are when the library that they belong to has been imported, where that is the same for everybody."""
OF_MATPLOTLIB = ("backend", "backend_fallback", "interactive")
"""Options that matplotlib decides when the first figure is drawn."""
DEEPEST = 5
"""Levels of the options of pandas."""
_folder, _limit = os.getcwd, sys.getrecursionlimit  # kept, as a cell may put other functions there


class Surroundings:
    """Compares them behind each cell, at the speed of C: only where something differs is it looked at by name."""

    def __init__(self) -> None:
        self._all = _identities()
        self._seen = _look()
        self._filters = _filters()
        self._modules = len(sys.modules)

    def changed(self) -> bool:
        """Whether anything differs from when it was asked last, but for the filters that an import has brought."""
        now, filters, modules = _identities(), _filters(), len(sys.modules)
        found = filters != self._filters and modules == self._modules
        if now != self._all:
            seen = _look()
            found = found or any(
                value != self._seen.get(part, AT_FIRST.get(part, value)) for part, value in seen.items()
            )
            self._all, self._seen = now, seen
        self._filters, self._modules = filters, modules
        return found


def _identities() -> tuple[object, ...]:
    """All of it, with what libraries set by themselves."""
    options = _member("matplotlib", "rcParams")
    drawn = tuple(map(identity_of, dict.values(options))) if issubclass(type(options), dict) else ()  # type: ignore[arg-type]
    variables = _held_variables()
    return (*_few(), drawn, tuple(variables), tuple(map(identity_of, variables.values())), _of_pandas())


def _look() -> dict[str, object]:
    """What cells set, each part by its name, those of libraries that are imported among them."""
    limit, path, folder, errors, said = _few()
    variables = {name: identity_of(value) for name, value in _held_variables().items() if not _is_of_libraries(name)}
    found: dict[str, object] = {"limit": limit, "path": path, "folder": folder, "numpy": errors}
    found |= {"variables": variables, "matplotlib": _of_matplotlib(), "pandas": _of_pandas()}
    return {part: value for part, value in found.items() if value or part == "variables"} | dict(said)


def _few() -> tuple[object, object, object, object, tuple[tuple[str, object], ...]]:
    return _limit(), _plain(sys.path), _asked(_folder), _asked(_member("numpy", "geterr")), tuple(_said())


def _said() -> Iterator[tuple[str, object]]:
    """What modules that are imported say of themselves, or hold, each part by its name."""
    for module, name in SAYING:
        if type(function := _member(module, name)) is BuiltinFunctionType:
            yield name, function()
    if type(decimals := _member("_decimal", "getcontext")) is BuiltinFunctionType:
        yield "decimals", OF_DECIMALS(decimals())
    if type(options := _member("numpy._core.printoptions", "format_options")) is ContextVar:
        yield "printing", identity_of(options.get(None))
    yield "zones", _member("time", "tzname")


def _asked(function: Any) -> object:
    """What a function of a library says; None where it cannot, or where a cell has put another in its place."""
    if function is None or is_own(function):
        return None
    try:
        return function()
    except Exception:  # noqa: BLE001 - what cannot be asked is not known
        return None


def _held_variables() -> dict[Any, Any]:
    held = vars(os.environ).get("_data") if type(os.environ) is os._Environ else None
    return dict(held) if type(held) is dict else {}


def _is_of_libraries(name: object) -> bool:
    return type(name) not in (bytes, str) or os.fsencode(name).startswith(OF_LIBRARIES)  # type: ignore[arg-type]


def _of_matplotlib() -> dict[object, int]:
    options: Any = _member("matplotlib", "rcParams")
    if not issubclass(type(options), dict):
        return {}
    return {name: identity_of(value) for name, value in dict.items(options) if name not in OF_MATPLOTLIB}


def _of_pandas() -> tuple[int, ...]:
    return tuple(map(identity_of, _leaves(_member("pandas._config.config", "_global_config"))))


def _leaves(options: object, depth: int = 0) -> Iterator[object]:
    for value in tuple(options.values()) if type(options) is dict else ():
        if type(value) is dict and depth < DEEPEST:
            yield from _leaves(value, depth + 1)
        else:
            yield value


def _filters() -> tuple[int, ...]:
    return _plain(_member("warnings", "filters"))


def _plain(held: object) -> tuple[int, ...]:
    """The items of a list, by identity."""
    return tuple(map(identity_of, held)) if type(held) is list else ()


def _member(module: str, name: str) -> object:
    """What a module holds under a name, if it is one."""
    found = sys.modules.get(module)
    return vars(found).get(name) if type(found) is ModuleType else None
