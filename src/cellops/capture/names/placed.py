"""What cells have put on modules, classes and functions of libraries: unlike their own members it may be changed."""

import ast
from collections.abc import Iterable

from cellops.capture.names.handed import Handed
from cellops.capture.names.kinds import PLAIN_FUNCTION, Description, Kind, describe
from cellops.capture.names.libraries import SHARED, last
from cellops.capture.names.members import MISSING, member
from cellops.capture.names.owners import is_own
from cellops.capture.names.replaced import FIXED, Replaced
from cellops.records.effects import INTERPRETER


class Placed:
    """The names of such members; a value is looked up where it stands, and no code of it runs."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._of_classes: dict[str, str] = {}
        self._classes: set[str] = set()
        """Those on which something was set under a name that was computed."""
        self._shown: set[str] = set()
        self._by_any_name = False
        self._perhaps: set[str | None] = set()
        self._asked: set[str] = set()
        self._put: set[tuple[str, str | None]] = set()
        """What the source of the present cell shows to be set."""
        self.replaced = Replaced()
        self.handed = Handed()

    def foresee(self, members: Iterable[ast.Attribute], source: str) -> None:
        """Learn which attributes a cell sets on whatever object, and its source."""
        self._names |= self.handed.expect(members, source)

    def settle(self) -> bool:
        """Learn what was set behind a cell's back, and whether anything was."""
        found = [each for each in self.handed.changed() if not self._put.intersection({each, (each.owner, None)})]
        for owner, name in found:
            self.put(owner, name, shown=False)
        self._put.clear()
        return bool(found)

    def ask(self, name: str) -> None:
        """Learn that a function asks for an attribute of whatever object: no cell may have set such a one yet."""
        if name not in self._names:
            self._asked.add(name)

    def give(self, owner: str) -> None:
        """Learn that a function was given something of a library: it may have set members of it."""
        for name in self._perhaps:
            given = MISSING if name is None else member(f"{owner}.{name}")
            if name is None or is_own(given) or (name in self._asked and given is not MISSING):
                self.put(owner, name, shown=False)

    def put(self, owner: str, name: str | None, *, shown: bool) -> None:
        """Learn that a member has been set; under a name that is computed it may be any.

        Parameters
        ----------
        shown
            Whether the source of the cell itself shows what it is, and not a function that is called.
        """
        of_class = issubclass(type(member(owner)), type)
        self._put.add((owner, name))
        if name is None:
            self._by_any_name = True
            self._classes |= {owner} if of_class else set()
            self.replaced.put_any(owner)
            return
        self.replaced.put(f"{owner}.{name}", shown=shown, expected=name in self._asked)
        self._names.add(name)
        if of_class:
            self._of_classes[name] = owner
        (self._shown.add if shown else self._shown.discard)(name)

    def put_perhaps(self, names: Iterable[str | None]) -> None:
        """Learn what functions set on whatever they are given."""
        for name in names:
            self._perhaps.add(name)
            self._by_any_name |= name is None
            if name is not None:
                self._names.add(name)
                self._shown.discard(name)

    def of_objects(self, attribute: str) -> tuple[str, Description] | None:
        """What an attribute of any object may be that a class of a library was given; None for the library's own.

        First the name that stands for it: its own, if it is a function that keeps nothing.
        """
        given = (owner for owner in self._classes if is_own(member(f"{owner}.{attribute}")))
        owner = self._of_classes.get(attribute) or next(given, None)
        if owner is None:
            return None
        known = self.described(f"{owner}.{attribute}") or Description(Kind.ACTIVE)
        own = known.origin == PLAIN_FUNCTION and attribute in self._shown and not self._by_any_name
        return (method_of(attribute), known) if own else (INTERPRETER, Description(known.kind))

    def described(self, origin: str) -> Description | None:
        """What a member is that a cell may change, by its full name; None for the library's own."""
        if not (self._by_any_name or last(origin) in self._names or origin in SHARED):
            return None
        value = member(origin)
        found = None if value is MISSING else describe(value)
        if found is None or found.kind in FIXED:
            return None
        sure = last(origin) in self._names or origin in SHARED
        return found if sure or found.kind is not Kind.ACTIVE else None  # else it may be any object of the library


def method_of(name: str) -> str:
    """Stands among names for a method that a class of a library was given."""
    return f"(method {name})"
