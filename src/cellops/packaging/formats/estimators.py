"""skops, imported without all of scikit-learn.

To know the names of scikit-learn's estimators, skops imports every module of scikit-learn, which takes most of a second
at each start. Here that list is made when somebody asks for the whole of it, and while a file is read the names in
that file alone are looked up. To know where the 400 functions of numpy and scipy are that have no module of their own,
it looks for each in every module that is loaded; here, while it is imported, it looks first where they are.
"""

import inspect
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, cached_property
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, overload

LIST = "SKLEARN_ESTIMATOR_TYPE_NAMES"
NAMES = "skops.io._utils"
"""The module of skops that knows where something is."""
HOMES = ("numpy", "scipy.special")
"""The packages of the functions that have no module."""
NAMED: ContextVar[Collection[str] | None] = ContextVar("NAMED", default=None)
"""The types of the file that is read now; None where skops is used by anybody else."""


def skops_io() -> Any:
    """The module `skops.io`."""
    if "skops.io" not in sys.modules:
        _import_quickly()
    return import_module("skops.io")


@contextmanager
def of_file(types: Collection[str]) -> Iterator[None]:
    """Let skops look for estimators among these types only."""
    token = NAMED.set(types)
    try:
        yield
    finally:
        NAMED.reset(token)


@cache
def is_estimator(name: str) -> bool:
    """Whether scikit-learn lists a class of its own among its estimators; imports the module of that class.

    Examples
    --------
    >>> is_estimator("sklearn.pipeline.Pipeline"), is_estimator("sklearn.tree._tree.Tree")
    (True, False)
    """
    module, _, kind = name.rpartition(".")
    parts = module.split(".")
    private = next((place for place, part in enumerate(parts) if part.startswith("_")), len(parts))
    try:
        found = getattr(import_module(module), kind, None)
        shown = getattr(import_module(".".join(parts[:private])), kind, None)
    except ImportError:
        return False
    from sklearn.base import BaseEstimator

    is_one = inspect.isclass(found) and issubclass(found, BaseEstimator) and found is not BaseEstimator
    return is_one and found is shown and not kind.startswith("_") and not inspect.isabstract(found)


class _Estimators(Sequence[str]):
    """What stands in the place of skops' own list, which it only ever adds others to."""

    def __init__(self, all_estimators: Callable[[], list[tuple[str, type]]]) -> None:
        self._all_estimators = all_estimators

    @cached_property
    def _names(self) -> list[str]:
        names = [f"{kind.__module__}.{kind.__name__}" for _, kind in self._all_estimators()]
        return [name for name in names if name.startswith("sklearn.")]

    def __add__(self, others: list[str]) -> list[str]:
        named = NAMED.get()
        return [*(self._names if named is None else filter(is_estimator, named)), *others]

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        return self._names[place]


def _import_quickly() -> None:
    """Import skops while it sees no estimators, and give it a list that finds them later."""
    import scipy.special  # noqa: F401 - one of the homes
    import sklearn.utils

    real, own = sklearn.utils.all_estimators, threading.get_ident()
    sklearn.utils.all_estimators = lambda *given: [] if threading.get_ident() == own else real(*given)
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        import_module("skops.io")
    finally:
        sys.meta_path.remove(finder)
        finder.restore()
        sklearn.utils.all_estimators = real
    holders = [import_module(f"skops.io.{name}") for name in ("_trusted_types", "_general")]
    held: list[list[str]] = [getattr(holder, LIST) for holder in holders if hasattr(holder, LIST)]
    if len(held) == len(holders) and held[0] is held[1]:
        for holder in holders:
            setattr(holder, LIST, _Estimators(real))
    else:  # a skops that may do more with its list than adding to it
        for names in held:
            names[:] = _Estimators(real)


class _Finder(MetaPathFinder, Loader):
    """Loads the module of skops that knows where something is, so that it looks first where most things are."""

    def __init__(self) -> None:
        self._loader: Any = None
        self._loaded: tuple[ModuleType, Callable[[Any, str], str]] | None = None

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == NAMES else None
        if spec is not None:
            self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        everywhere = getattr(module, "whichmodule", None)
        if everywhere is not None:  # else a skops that looks in another way
            self._loaded = module, everywhere
            homes = [
                name for name in sys.modules if name in HOMES or name.startswith(tuple(f"{home}." for home in HOMES))
            ]
            vars(module)["whichmodule"] = lambda thing, name: _home(thing, name, homes) or everywhere(thing, name)

    def restore(self) -> None:
        """Leave skops as it is for everybody else."""
        if self._loaded is not None:
            module, everywhere = self._loaded
            vars(module)["whichmodule"] = everywhere


def _home(thing: Any, name: str, homes: Sequence[str]) -> str | None:
    """The first of these modules that has a thing under its name, in the order in which skops looks."""
    if getattr(thing, "__module__", None) is not None:
        return None
    return next((home for home in homes if getattr(sys.modules.get(home), name, None) is thing), None)
