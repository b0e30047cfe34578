"""Which names a cell has bound: what stood in the namespace before it is not the cell's result."""

import math
import weakref
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.results.trained import library_of

Namespace = Mapping[str, Any]
CACHED = range(-5, 257)
"""Python keeps one object for each of these integers, so that a new one cannot be told from the old one."""


class Bindings:
    """The names of a cell as they stood before it.

    Only scalars are held; other values are watched through weak references, so that a large table that the cell
    replaces can be given up while it runs.
    """

    def __init__(self, flow: Dataflow, namespace: MutableMapping[str, Any]) -> None:
        self._flow = flow
        _tell_apart(flow, namespace)
        self._before = {name: watch(namespace[name]) for name in flow.writes if name in namespace}
        self._fitted = {name: _state(namespace[name]) for name in _models(flow, namespace)}

    def bound(self, namespace: Namespace, *, failed: bool, line: int | None) -> set[str]:
        """The names that the cell bound or changed.

        Parameters
        ----------
        failed
            Whether the cell ended early.
        line
            The line at which it did, where that is known.
        """
        reached = 0 if failed and line is None else line
        present = [name for name in self._flow.writes if name in namespace]
        return {name for name in present if self._is_new(name, namespace[name], failed, reached)}

    def fitted(self, namespace: Namespace) -> list[str]:
        """The names of estimators that stood before the cell and have another state now."""
        kept = [name for name in self._fitted if name in namespace]
        return [name for name in kept if self._fitted[name] != _state(namespace[name])]

    def _is_new(self, name: str, value: object, failed: bool, reached: int | None) -> bool:
        was = self._before.get(name)
        if was is None:
            return True
        certain = self._flow.certain.get(name)
        if certain is not None and (not failed or (reached is not None and certain < reached)):
            return True
        if was() is not value:
            return True
        if name in self._flow.literals:
            return not failed and type(value) in SCALARS and value == self._flow.literals[name]
        return not failed and type(value) is int and value in CACHED


def _tell_apart(flow: Dataflow, namespace: MutableMapping[str, Any]) -> None:
    """Give the numbers that a branch of the cell may compute anew an object of their own.

    Computing them again can give the very object that stood there, the largest of a list for example.
    """
    for name in flow.computed:
        value = namespace.get(name)
        if name not in flow.certain and type(value) is float and not math.isnan(value):
            namespace[name] = float.fromhex(value.hex())


def watch(value: object) -> Callable[[], object]:
    """A function that gives the value, if it still lives; `GONE` for one that cannot be watched without holding it."""
    if type(value) in SCALARS:
        return lambda: value
    try:
        return weakref.ref(value)
    except TypeError:
        if _is_small(value):
            return lambda: value
        return lambda: GONE


GONE = object()
MOST_HELD = 100
"""Items of a dictionary that is held while a cell runs."""
SCALARS = frozenset({type(None), bool, str, int, float, complex, bytes})


def _is_small(value: Any) -> bool:
    """Scalars of numpy, and dictionaries of numbers: what a cell computes and what it costs nothing to hold."""
    if type(value) is dict:
        return len(value) <= MOST_HELD and all(
            type(item) in SCALARS or _is_of_numpy(item) for item in list(value.values())
        )
    return _is_of_numpy(value)


def _is_of_numpy(value: Any) -> bool:
    return type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0


def is_model(value: object) -> bool:
    """Whether a value has the methods of an estimator that predicts."""
    kinds = type.__getattribute__(type(value), "__mro__")
    if type in kinds:
        return False
    held = [type.__getattribute__(kind, "__dict__") for kind in kinds]
    return all(any(name in own for own in held) for name in ("fit", "predict", "get_params"))


def parts_of(estimator: Any) -> list[object]:
    """What an estimator is made of, the steps of a pipeline for example; one that fails to say it has no parts."""
    library = library_of(estimator)
    if library is not None:
        return library.parts(estimator)
    try:
        parts: list[object] = list(estimator.get_params(deep=True).values())
    except Exception:  # noqa: BLE001 - user code runs here
        return []
    return [part for part in parts if part is not estimator]


def _models(flow: Dataflow, namespace: Namespace) -> list[str]:
    named = {name: namespace.get(name) for name in (*flow.reads, *flow.writes)}
    return [name for name, value in named.items() if is_model(value) or library_of(value) is not None]


def _state(value: object) -> object:
    """Which objects the attributes of an estimator and of its parts are; fitting puts others there."""
    library = library_of(value)
    if library is not None:
        return library.state(value)
    return {
        (id(part), name): id(held)
        for part in (value, *parts_of(value))
        if is_model(part) or hasattr(type(part), "fit")
        for name, held in getattr(part, "__dict__", {}).items()
    }
