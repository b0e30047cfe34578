"""Which names of the notebook are bound to other objects than before: by identity, with no code of theirs called."""

import re
from collections.abc import Mapping
from itertools import compress
from operator import ne
from typing import Any

OF_IPYTHON = re.compile(r"^(?:_+|_i+|_\d+|_i\d+|_[dios]h|In|Out|exit|quit|open|get_ipython|__\w+__)$")
RESULT = re.compile(r"^(?:_{1,3}|_\d+)$")
"""The names under which IPython keeps the results of cells."""


class Picture:
    """The names of a namespace and the identities of their objects. One pass each time, at the speed of C."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self.names = list(namespace)
        self._identities = list(map(id, namespace.values()))
        self._places: dict[str, int] | None = None

    def changed_since(self, earlier: "Picture") -> list[str]:
        """The names that are new or stand for another object."""
        common = len(earlier.names)
        if self.names[:common] != earlier.names:
            return [name for name in self.names if self.identity(name) != earlier.identity(name)]
        differ = map(ne, self._identities, earlier._identities)  # stops at the shorter one
        return [*compress(self.names, differ), *self.names[common:]]

    def missing_since(self, earlier: "Picture") -> list[str]:
        """The names that are gone."""
        if self.names[: len(earlier.names)] == earlier.names:
            return []
        return [name for name in earlier.names if self.identity(name) is None]

    def identity(self, name: str) -> int | None:
        if self._places is None:
            self._places = {found: place for place, found in enumerate(self.names)}
        place = self._places.get(name)
        return None if place is None else self._identities[place]

    def has(self, name: str) -> bool:
        return self.identity(name) is not None
