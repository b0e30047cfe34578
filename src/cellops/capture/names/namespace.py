"""Which names of the notebook are bound to other objects than before: by identity, with no code of theirs called."""

import re
from collections.abc import Mapping
from itertools import compress
from operator import ne
from typing import Any

from cellops.capture.names.types import identity_of

OF_IPYTHON = re.compile(r"^(?:_+|_i+|_\d+|_i\d+|_[dios]h|In|Out|exit|quit|open|get_ipython|__\w+__)$")
RESULT = re.compile(r"^(?:_{1,3}|_\d+)$")
"""The names under which IPython keeps the results of cells."""


SOURCE = re.compile(r"^_i\d+$")
"""The names under which it keeps their sources."""
STRETCH = 256
"""Identities that are compared at once: only where a stretch differs are they looked at one by one."""


class Picture:
    """The names of a namespace and the identities of their objects: nothing of it is held, no code of it is called.

    One pass each time, at the speed of C, so that a cell beside thousands of names costs little more than one beside
    none. The order of the names is shared with the picture before, if that is given and all its names have stayed.
    """

    def __init__(self, namespace: Mapping[str, Any], before: "Picture | None" = None) -> None:
        held = dict(namespace)  # at once: another thread may bind names
        names = list(held)
        kept = before is not None and before._order.grow(names)
        self._order: _Order = before._order if before is not None and kept else _Order(names)
        self._identities = list(map(identity_of, compress(held.values(), self._order.chosen)))

    @property
    def names(self) -> list[str]:
        return self._order.names[: len(self._identities)]

    def changed_since(self, earlier: "Picture") -> list[str]:
        """The names that are new or stand for another object."""
        if self._order is not earlier._order:
            return [name for name in self.names if self.identity(name) != earlier.identity(name)]
        common = len(earlier._identities)
        differ: list[str] = []
        for start in range(0, common, STRETCH):
            end = min(start + STRETCH, common)
            now, before = self._identities[start:end], earlier._identities[start:end]
            if now != before:
                differ += compress(self._order.names[start:end], map(ne, now, before))
        return [*differ, *self.names[common:]]

    def missing_since(self, earlier: "Picture") -> list[str]:
        """The names that are gone."""
        if self._order is earlier._order:
            return []
        return [name for name in earlier.names if not self.has(name)]

    def identity(self, name: str) -> int | None:
        place = self._order.place(name)
        return None if place is None or place >= len(self._identities) else self._identities[place]

    def has(self, name: str) -> bool:
        return self.identity(name) is not None


class _Order:
    """Names in the order in which they came, for as long as none goes away.

    IPython binds a name to the source of each cell: these are left out, else a long session would pay for them. What is
    no text can stand in a namespace, by `globals()[5] = 1`, and is no name.
    """

    def __init__(self, names: list[str]) -> None:
        self._all: list[str] = []
        self.names: list[str] = []
        self.chosen: list[bool] = []
        """Of each name in the namespace, whether it is among the names here."""
        self._places: dict[str, int] = {}
        self.grow(names)

    def grow(self, names: list[str]) -> bool:
        """Take in the names that have come; false where one has gone away."""
        known = len(self._all)
        if names[:known] != self._all:
            return False
        new = names[known:]
        chosen = [type(name) is str and not SOURCE.match(name) for name in new]
        self._all += new
        self.chosen += chosen
        self.names += compress(new, chosen)
        return True

    def place(self, name: str) -> int | None:
        known = len(self._places)
        if known < len(self.names):
            self._places.update(zip(self.names[known:], range(known, len(self.names)), strict=True))
        return self._places.get(name)
