"""What a class is, as the class itself keeps it: no code of its metaclass runs, so none can print or raise."""

from collections.abc import Collection, Mapping
from typing import Any

identity_of = object.__hash__
"""A number of its own for each object that lives, as `id` gives it: `id` raises an audit event each time."""
_module_of = type.__dict__["__module__"].__get__
_name_of = type.__dict__["__qualname__"].__get__
_bases_of = type.__dict__["__mro__"].__get__
_held_by = type.__dict__["__dict__"].__get__


class Kinds:
    """A set of types that compares by identity, as a set itself does not where a metaclass has another idea of that."""

    def __init__(self, kinds: Collection[type]) -> None:
        self.kinds = tuple(kinds)
        self._identities = frozenset(map(identity_of, kinds))

    def __contains__(self, kind: type) -> bool:
        return identity_of(kind) in self._identities

    def hold_all(self, values: Collection[object]) -> bool:
        """Whether all values are of these types exactly."""
        return self._identities.issuperset(map(identity_of, map(type, values)))

    def hold_none(self, values: Collection[object]) -> bool:
        return self._identities.isdisjoint(map(identity_of, map(type, values)))


def name_of(kind: type) -> tuple[str, str]:
    """The module and the full name of a class, each empty where it is no text."""
    module, name = _module_of(kind), _name_of(kind)
    return module if type(module) is str else "", name if type(name) is str else ""


def root_of(kind: type) -> str:
    """The library that a class belongs to, or says that it does."""
    return name_of(kind)[0].partition(".")[0]


def bases_of(kind: type) -> tuple[type, ...]:
    """A class and those that it inherits from, in the order in which attributes are looked up."""
    found: tuple[type, ...] = _bases_of(kind)
    return found


def held_by(kind: type) -> Mapping[str, Any]:
    """What a class itself defines."""
    found: Mapping[str, Any] = _held_by(kind)
    return found


def types_of(values: Collection[object]) -> list[type]:
    """The types of some values, each once."""
    return list({identity_of(type(value)): type(value) for value in values}.values())
