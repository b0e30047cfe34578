"""Members of libraries that cells name: what stands on modules and in containers is looked at behind each cell.

A cell that sets a member of a library, or an item of its containers, need not show it: it may call a function that does
so to whatever it is given, out of a list or by way of another function.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from operator import attrgetter
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from cellops.capture.names.libraries import FILLED_BY_OTHERS, root
from cellops.capture.names.members import MISSING, attributes_of, dotted, member, members_of
from cellops.capture.names.owners import is_own
from cellops.capture.names.types import identity_of, root_of

COMPUTES = re.compile(r"\b(?:setattr|delattr|__setattr__|__delattr__|__dict__|vars)\b")
"""How a source sets members whose names it need not show."""
OF_FUNCTIONS = ("__code__", "__defaults__", "__kwdefaults__", "__name__", "__qualname__", "__doc__", "__module__")
_parts_of_function = attrgetter(*OF_FUNCTIONS)
OF_OBJECTS = "__class__"
MADE_OF = frozenset({*OF_FUNCTIONS, OF_OBJECTS})
OWN_OBJECT = frozenset({"self", "cls"})
MOST_ITEMS = 10_000
"""Items of a library's container beyond which only their number is looked at."""

Members = tuple[tuple[str, ...], tuple[int, ...]]


class Member(NamedTuple):
    """A member of an owner, both by their names."""

    owner: str
    name: str


class Handed:
    """What libraries' modules, classes and functions hold: nothing of it is held, and none of their code runs."""

    def __init__(self) -> None:
        self._owners: dict[str, Members] = {}
        """The identities of the members of each owner that cells may set."""
        self._containers: dict[str, tuple[int, ...]] = {}
        self._given: set[str] = set()
        """Full names of what functions may have been given."""
        self._other: set[str] = set()
        """Full names of what is neither."""
        self._names: set[str] = set()
        """Names of attributes that cells set on whatever object, but for those of their own classes."""
        self._between: set[str] = set()
        """Names of attributes of whatever object on which cells set others."""
        self._any = False
        """Whether they may set such ones under names that nobody knows."""

    def expect(self, members: Iterable[ast.Attribute], source: str) -> set[str]:
        """Learn which attributes a cell sets, and its source, which may set others; give the names of all."""
        foreign = [node for node in members if not _is_of_own_object(node)]
        named = {node.attr for node in foreign}
        computes = COMPUTES.search(source) is not None
        if (computes and not self._any) or not named <= self._names:
            self._names |= named
            self._any = self._any or computes
            self._owners = {origin: self._members(origin) for origin in self._owners}
        between = {name for node in foreign for name in dotted(node)[1:-1]} - self._between
        self._between |= between
        for origin in [*self._owners] if between else ():
            self._add_between(origin, between)
        return named

    def expect_any(self) -> None:
        """Learn that functions may be called whose source nobody reads."""
        if not self._any:
            self._any = True
            self._owners = {origin: self._members(origin) for origin in self._owners}

    def give_on(self, origin: str) -> None:
        """Learn of a member that stands in a source for itself, so that functions may have been given it."""
        self.add(origin)
        self._given.add(origin)

    def add(self, origin: str) -> None:
        """Learn of a member, by its full name; one that is not there yet is looked up again when it is named again."""
        if origin in self._owners or origin in self._containers or origin in self._other:
            return
        found = member(origin)
        if found is MISSING or root(origin) in FILLED_BY_OTHERS:
            return
        if issubclass(type(found), ModuleType):
            self._owners[origin] = self._members(origin)
            self._add_between(origin, self._between)
        elif (items := _items(found)) is not None:
            self._containers[origin] = items
        elif attributes_of(found) is not None:
            self._owners[origin] = self._members(origin)
        else:
            self._other.add(origin)

    def _add_between(self, origin: str, names: Iterable[str]) -> None:
        """Learn of the objects of a module on which functions set something that are given the module."""
        held = members_of(member(origin))
        for name in names:
            if name in held:
                self.add(f"{origin}.{name}")

    def changed(self) -> list[Member]:
        """The members that were set, deleted or filled since it was asked last, but by libraries themselves."""
        return [*self._filled(), *self._set()]

    def _filled(self) -> Iterator[Member]:
        """The containers that hold other items than before."""
        for origin, before in list(self._containers.items()):
            now = _items(member(origin))
            if now == before:
                continue
            if now is None:
                del self._containers[origin]
            else:
                self._containers[origin] = now
            owner, _, name = origin.rpartition(".")
            yield Member(owner, name)

    def _set(self) -> Iterator[Member]:
        for origin, before in self._owners.items():
            now = self._members(origin)
            if now == before:
                continue
            self._owners[origin] = now
            held = _held(member(origin))
            then, there = dict(zip(*before, strict=True)), dict(zip(*now, strict=True))
            for name in (*there, *(name for name in then if name not in there)):
                if then.get(name) != there.get(name) and self._counts(origin, name, held.get(name, MISSING)):
                    yield Member(origin, name)

    def _members(self, origin: str) -> Members:
        """The names and identities of those that cells may set."""
        owner = member(origin)
        held = _held(owner) if self._any else _made_of(owner)
        if self._names and not self._any:
            members = attributes_of(owner) or {}
            held |= {name: members[name] for name in self._names if name in members}
        return tuple(held), tuple(map(identity_of, held.values()))

    def _counts(self, origin: str, name: str, value: object) -> bool:
        """Whether a member that differs was set by the notebook: libraries set some themselves, when they are used."""
        if type(value) is ModuleType:
            return False
        if is_own(value) or name in self._names or name in MADE_OF:
            return True
        if origin in self._given:
            return self._any
        return self._any and not name.startswith("_") and root_of(type(value)) != root(origin)


def _held(owner: object) -> dict[str, object]:
    """What an owner holds and is made of, all at once: another thread may set members."""
    return {**dict(attributes_of(owner) or {}), **_made_of(owner)}


def _made_of(owner: object) -> dict[str, object]:
    """What a function is made of, and the class of a module or an object: neither stands in a dictionary."""
    if type(owner) is FunctionType:
        return dict(zip(OF_FUNCTIONS, _parts_of_function(owner), strict=True))
    if issubclass(type(owner), type):
        return {}
    return {OF_OBJECTS: type(owner)}


def _is_of_own_object(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in OWN_OBJECT


def _items(container: Any) -> tuple[int, ...] | None:
    """What a container holds, by identity: no code of it runs. Of very much only how much; None for what is none."""
    for plain in (dict, list, set):
        if issubclass(type(container), plain):
            if (size := plain.__len__(container)) > MOST_ITEMS:
                return (size,)
            values = dict.values(container) if plain is dict else ()
            return tuple(map(identity_of, (*plain.__iter__(container), *values)))
    return None
