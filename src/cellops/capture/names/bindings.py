"""Which names a cell has bound: what stood in the namespace before it is not the cell's result."""

import ast
import sys
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.names.types import Kinds, bases_of, held_by, root_of
from cellops.capture.results.trained import library_of

Namespace = Mapping[str, Any]
CACHED = range(-5, 257)
"""Python keeps one object for each of these integers, so that a new one cannot be told from the old one."""


class Bindings:
    """The names of a cell as they stood before it.

    Only small scalars are held; other values are watched through weak references, so that a large table that the cell
    replaces can be given up while it runs.
    """

    def __init__(self, flow: Dataflow, namespace: Namespace) -> None:
        self._flow = flow
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
        bound = {name for name in present if self._is_new(name, namespace[name], failed, reached)}
        return bound if failed else bound.union(self.uncertain(namespace))

    def uncertain(self, namespace: Namespace) -> list[str]:
        """The numbers that a branch of the cell has computed anew, or that stand as they stood before it.

        The largest of a list, for example, is the very object that it was before.
        """
        held = [name for name in self._flow.computed if name in namespace and name not in self._flow.certain]
        return [name for name in held if self._may_be_as_before(name, namespace[name])]

    def _may_be_as_before(self, name: str, value: object) -> bool:
        was = self._before.get(name)
        if was is None or was() is not value:
            return False
        if type(value) is int:
            return value in CACHED or _may_give_again(self._flow, name)
        return type(value) is float and _may_give_again(self._flow, name)

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
            return not failed and is_scalar(value) and value == self._flow.literals[name]
        return not failed and type(value) is int and value in CACHED


def _may_give_again(flow: Dataflow, name: str) -> bool:
    """Whether what binds a name can give an object that stood there before, as arithmetic with numbers never does."""
    once = len(flow.lines.get(name, ())) == 1
    return not (once and isinstance(flow.values.get(name), ast.BinOp | ast.UnaryOp))


def watch(value: object) -> Callable[[], object]:
    """A function that gives the value, if it still lives; `GONE` for one that cannot be watched without holding it."""
    if is_scalar(value):
        return (lambda: value) if sys.getsizeof(value) <= LARGEST_HELD else lambda: GONE
    try:
        return weakref.ref(value)
    except TypeError:
        if _is_small(value):
            return lambda: value
        return lambda: GONE


GONE = object()
MOST_HELD = 100
"""Items of a dictionary that is held while a cell runs."""
LARGEST_HELD = 1000
"""Bytes of a text or a number that is held."""
SCALARS = Kinds((type(None), bool, str, int, float, complex, bytes))


def is_scalar(value: object) -> bool:
    return type(value) in SCALARS


def _is_small(value: Any) -> bool:
    """Scalars of numpy, and dictionaries of numbers: what a cell computes and what it costs nothing to hold."""
    if type(value) is dict:
        items = list(value.values()) if len(value) <= MOST_HELD else [value]
        return all((is_scalar(item) and sys.getsizeof(item) <= LARGEST_HELD) or _is_of_numpy(item) for item in items)
    return _is_of_numpy(value)


def _is_of_numpy(value: Any) -> bool:
    return root_of(type(value)) == "numpy" and getattr(value, "ndim", 1) == 0


def is_model(value: object) -> bool:
    """Whether a value has the methods of an estimator that predicts."""
    kinds = bases_of(type(value))
    if any(kind is type for kind in kinds):
        return False
    held = [held_by(kind) for kind in kinds]
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
