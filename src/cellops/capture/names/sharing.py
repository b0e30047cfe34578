"""What is known of a value in the source of a cell, and what is noted down of the names behind it."""

from collections.abc import Iterable
from typing import NamedTuple

from cellops.capture.names.kinds import CLASS, Kind
from cellops.records.effects import FILES, INTERPRETER, FunctionEffects

NONE: frozenset[str] = frozenset()


class Value(NamedTuple):
    """The value of an expression."""

    kind: Kind = Kind.ACTIVE
    roots: frozenset[str] = NONE
    """Names whose object, or a part of it, the value may be."""
    held: frozenset[str] = NONE
    """Names whose objects it may hold, while it is itself a new object."""
    origin: str = ""
    """The full name of what a library brings."""
    direct: bool = False
    """Whether it is the very object that a name stands for."""
    lazy: bool = False
    """Whether it gives its items one by one, once."""

    @property
    def everything(self) -> frozenset[str]:
        return self.roots | self.held

    @property
    def is_of_library(self) -> bool:
        """Whether it is a module, or a function or a class of one: what is set on it all cells see."""
        return self.kind is Kind.LIBRARY or self.origin == CLASS

    def element(self) -> "Value":
        """What an item or an attribute of it is."""
        kind = Kind.ACTIVE if self.kind in (Kind.BOX, Kind.LIBRARY) else self.kind
        return Value(kind, self.everything)

    def kept(self) -> "Value":
        """As a name or a container keeps it."""
        return self._replace(kind=Kind.ACTIVE) if self.lazy else self


CONSTANT = Value(Kind.CONSTANT)


def either(values: Iterable[Value]) -> Value:
    """One value or the other."""
    values = list(values)
    if not values:
        return CONSTANT
    if len(values) == 1:
        return values[0]
    origins = {value.origin for value in values}
    return Value(
        max(value.kind for value in values),
        frozenset().union(*(value.roots for value in values)),
        frozenset().union(*(value.held for value in values)),
        origins.pop() if len(origins) == 1 else "",
        all(value.direct for value in values),
        any(value.lazy for value in values),
    )


def container(values: Iterable[Value], *, fixed: bool = False) -> Value:
    """A new container of values."""
    parts = [value.kept() for value in values]
    kind = max((part.kind for part in parts), default=Kind.CONSTANT)
    if kind in (Kind.TABLE, Kind.CONSTANT) and not (fixed and kind is Kind.CONSTANT):
        kind = Kind.DATA
    return Value(min(kind, Kind.BOX), held=frozenset().union(*(part.everything for part in parts)))


def dictionary_of(value: Value) -> Value:
    """What holds the attributes of an object: to look into it runs no code, where it is known whose it is."""
    return Value(Kind.BOX if value.direct else Kind.ACTIVE, value.everything)


def class_of(value: Value) -> Value:
    """Methods that are taken from a class may do anything with what they are given, its objects among it."""
    return Value(value.kind, value.everything) if value.kind is Kind.ACTIVE else Value(origin=CLASS)


class Notes:
    """What a stretch of source does to the names of the notebook."""

    def __init__(self) -> None:
        self.needs: dict[str, None] = {}
        self.active: dict[str, None] = {}
        self.changes: dict[str, None] = {}
        self.mutates: dict[str, None] = {}
        self.derived: dict[str, None] = {}
        self.aliases: dict[str, set[str]] = {}
        self.holds: dict[str, set[str]] = {}
        self.reaches: dict[str, set[str]] = {}
        self.lent: dict[str, None] = {}
        self.functions: dict[str, FunctionEffects] = {}
        self.unknown: dict[str, None] = {}
        self.touched: set[str] = set()
        """Names that the statement which is being read binds or changes."""
        self.pending: list[FunctionEffects] = []
        """Functions without a name in that statement."""

    def change(self, value: Value) -> None:
        """The value's own object is changed, by code that is known."""
        if not value.direct:
            self.mutate(value)
            return
        for name in value.roots:
            self.changes[name] = None
            self.touched.add(name)

    def mutate(self, value: Value) -> None:
        """The value, or anything that it holds, may be changed."""
        for name in value.everything:
            self.mutates[name] = None
            if value.kind is Kind.ACTIVE and not value.direct:
                self.derived[name] = None
            self.touched.add(name)

    def store(self, into: Value, item: Value, *, anywhere: bool = False) -> None:
        """One value may from now on hold another, itself or anywhere inside."""
        found = self.holds if into.direct and not anywhere else self.reaches
        for name in into.everything if item.everything else ():
            if into.kind is Kind.ACTIVE and not into.direct:
                self.derived[name] = None
            found.setdefault(name, set()).update(item.everything)

    def miss(self, values: Iterable[Value]) -> None:
        """Weak references are made to some values: that they are given up can be seen."""
        for name in {name for value in values for name in value.everything}:
            self.add_function(name, FunctionEffects(ends=True))

    def set_attribute(self, into: Value, attribute: str | None) -> None:
        """A class may be given a method that runs when its objects are looked at, or given up."""
        if attribute is None or attribute.startswith("__"):
            for name in into.everything if into.kind is Kind.ACTIVE else ():
                self.add_function(name, FunctionEffects(looked=True, ends=attribute in {None, "__del__"}))

    def rename_index(self, table: Value) -> None:
        """An index is given another name: if it is a new table's, it may be that of any table that was read here."""
        if not table.everything:
            self.mutate(Value(roots=frozenset(name for name in self.needs if not name.startswith("("))))

    def interpreter(self) -> None:
        self.changes[INTERPRETER] = None

    def read_files(self) -> None:
        self.needs[FILES] = None

    def write_files(self) -> None:
        self.needs[FILES] = None
        self.changes[FILES] = None

    def end_statement(self) -> None:
        """Give what functions without a name do to the names that may hold them now."""
        for name in self.touched if self.pending else ():
            self.add_function(name, *self.pending)
        self.touched.clear()
        self.pending.clear()

    def add_function(self, name: str, *given: FunctionEffects) -> None:
        parts = [self.functions[name], *given] if name in self.functions else list(given)
        self.functions[name] = FunctionEffects(
            uses=_union(part.uses for part in parts),
            changes=_union(part.changes for part in parts),
            consumes=_union(part.consumes for part in parts),
            derived=_union(part.derived for part in parts),
            sets=any(part.sets for part in parts),
            keeps=any(part.keeps for part in parts),
            looked=any(part.looked for part in parts),
            ends=any(part.ends for part in parts),
        )


def _union(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part))
