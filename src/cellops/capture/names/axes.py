"""Which tables of pandas have an index in common: giving that another name is seen in all of them.

The source does not tell: `frame + 1` is a new frame, with the very index of the old one.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from cellops.capture.names.types import Kinds, identity_of, name_of, root_of

FRAMES = frozenset({"DataFrame", "Series"})
CONTAINERS = Kinds({list, dict, tuple})
MOST_ITEMS = 100
"""Items of a container of tables that are looked at."""


class Shared(NamedTuple):
    """The names that stand for an index in common, and those whose tables hold one; each as `(index NUMBER)`."""

    aliases: dict[str, tuple[str, ...]]
    holds: dict[str, tuple[str, ...]]


class Axes:
    """The indices of the tables under the names of a notebook, by identity."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[int, ...]] = {}
        self._names: dict[int, set[str]] = {}
        self._numbers: dict[int, int] = {}
        """Of each index that names have in common."""
        self._given = 0

    def learn(self, names: Iterable[str], namespace: Mapping[str, Any]) -> Shared:
        """Take in the names that a cell has bound, changed or deleted; give what they have in common with others."""
        shared: dict[str, dict[str, None]] = {}
        fresh = list(dict.fromkeys(names))
        for name in fresh:
            self._forget(name)
        for name in fresh:
            held = indices_of(namespace[name]) if name in namespace else ()
            found = self._of[name] = tuple(dict.fromkeys(map(identity_of, held)))
            for index in found:
                for sharing in self._add(index, name):
                    shared.setdefault(sharing, {})[f"(index {self._numbers[index]})"] = None
        own = {name for name in shared if _is_index(namespace.get(name))}
        return Shared(
            {name: tuple(found) for name, found in shared.items() if name in own},
            {name: tuple(found) for name, found in shared.items() if name not in own},
        )

    def _add(self, index: int, name: str) -> list[str]:
        """The names that turn out to have an index in common with others."""
        others = self._names.setdefault(index, set())
        known = index in self._numbers
        first = [] if known else [other for other in others if other != name]
        others.add(name)
        if not known and first:
            self._given += 1
            self._numbers[index] = self._given
        return [*first, name] if known or first else []

    def _forget(self, name: str) -> None:
        for index in self._of.pop(name, ()):
            self._names[index].discard(name)
            if not self._names[index]:
                del self._names[index]
                self._numbers.pop(index, None)


def indices_of(value: object) -> Iterator[object]:
    """The indices of a table, or of the tables in a container, or the value where it is one; no code of theirs runs."""
    kind = type(value)
    items: Iterable[object] = [value]
    if kind in CONTAINERS:
        held: Any = value
        items = [] if len(held) > MOST_ITEMS else list(held.values()) if kind is dict else list(held)
    for item in items:
        if root_of(type(item)) == "pandas" and name_of(type(item))[1] in FRAMES:
            with suppress(Exception):  # a pandas of another version keeps them elsewhere
                yield from item._mgr.axes  # type: ignore[attr-defined]
        elif _is_index(item):
            yield item


def _is_index(value: object) -> bool:
    return root_of(type(value)) == "pandas" and name_of(type(value))[1].endswith("Index")
