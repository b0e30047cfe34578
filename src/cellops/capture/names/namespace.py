"""Which names of the notebook are bound to other objects than before: by identity, with no code of theirs called."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cellops.capture.names.identities import WIDTH, identities, identity

OF_IPYTHON = re.compile(r"^(?:_+|_i+|_\d+|_i\d+|_[dios]h|In|Out|exit|quit|open|get_ipython|__\w+__)$")
RESULT = re.compile(r"^(?:_{1,3}|_\d+)$")
"""The names under which IPython keeps the results of cells."""


SOURCE = re.compile(r"^_i\d+$")
"""The names under which it keeps their sources."""
STRETCH = 256 * WIDTH
"""Bytes of identities that are compared at once: only where a stretch differs are they looked at one by one."""


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
        self._identities = identities(tuple(held.values()))

    @property
    def names(self) -> list[str]:
        return _shown(self._order.names[: len(self)])

    def __len__(self) -> int:
        return len(self._identities) // WIDTH

    def changed_since(self, earlier: "Picture") -> list[str]:
        """The names that are new or stand for another object."""
        if self._order is not earlier._order:
            return [name for name in self.names if self._identity(name) != earlier._identity(name)]
        names, common = self._order.names, len(earlier)
        return _shown([*(names[place] for place in self._differing(earlier)), *names[common : len(self)]])

    def _differing(self, earlier: "Picture") -> Iterator[int]:
        """The places of the names of both that stand for another object."""
        mine, others = self._identities, earlier._identities
        for start in range(0, len(others), STRETCH):
            end = min(start + STRETCH, len(others))
            if mine[start:end] == others[start:end]:
                continue
            for place in range(start, end, WIDTH):
                if mine[place : place + WIDTH] != others[place : place + WIDTH]:
                    yield place // WIDTH

    def missing_since(self, earlier: "Picture") -> list[str]:
        """The names that are gone."""
        if self._order is earlier._order:
            return []
        return [name for name in earlier.names if not self.has(name)]

    def has(self, name: str) -> bool:
        return self._identity(name) is not None

    def stands_for(self, name: str, held: object) -> bool:
        """Whether a name stood for this object, or one at its place."""
        return self._identity(name) == identity(held)

    def same(self, name: str, other: "Picture") -> bool:
        """Whether a name stood for the same object in both, or in neither for any."""
        return self._identity(name) == other._identity(name)

    def _identity(self, name: str) -> bytes | None:
        place = self._order.place(name)
        return None if place is None or place >= len(self) else self._identities[place * WIDTH : (place + 1) * WIDTH]


def _shown(names: list[str]) -> list[str]:
    """Those that are names of the notebook.

    IPython binds one to the source of each cell: these are left out. What is no text can stand in a namespace, by
    `globals()[5] = 1`, and is no name.
    """
    return [name for name in names if type(name) is str and not SOURCE.match(name)]


class _Order:
    """Names in the order in which they came, for as long as none goes away."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self._places: dict[str, int] = {}
        self._placed = 0

    def grow(self, names: list[str]) -> bool:
        """Take in the names that have come; false where one has gone away."""
        known = len(self.names)
        if names[:known] != self.names:
            return False
        self.names += names[known:]
        return True

    def place(self, name: str) -> int | None:
        known = self._placed
        if known < len(self.names):
            new = enumerate(self.names[known:], known)
            self._places.update((name, place) for place, name in new if type(name) is str)
            self._placed = len(self.names)
        return self._places.get(name)
