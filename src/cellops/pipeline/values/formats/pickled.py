"""Any other values, by cloudpickle: those that share objects stand in one file, so that they share them afterwards."""

import gc
import io
import re
import sys
from collections.abc import Collection, Mapping
from datetime import date, time, timedelta, tzinfo
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import cloudpickle
from cloudpickle import cloudpickle as inner

from cellops.pipeline.values.formats.stable import SETS, SetPickler, StablePickler, load, no_new_identifiers
from cellops.pipeline.values.formats.views import in_memory_of, is_array, owner_of, place_in, view

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SUFFIX = "pickle"
FIXED: tuple[type, ...] = (
    *(type(None), type(...), bool, int, float, complex, str, bytes, range, slice, tuple, frozenset),
    *(type, ModuleType, FunctionType, BuiltinFunctionType, Enum, re.Pattern),
    *(date, time, timedelta, tzinfo),
)
"""Types whose values cannot be changed (what a tuple holds is looked at by itself), or belong to the program."""
CHANGEABLE: frozenset[type] = frozenset({dict, list, set})
CONTAINERS: frozenset[type] = CHANGEABLE | {tuple, frozenset}
PLAIN: frozenset[type] = CONTAINERS | {type(None), bool, int, float, complex, str, bytes}
DTYPES = frozenset({"dtype", "ExtensionDtype"})
"""Names of classes whose values libraries share."""


def accepts(_value: object) -> bool:
    """Whatever no other format takes; some of it cannot be written."""
    return True


def write(value: Any, path: Path) -> None:
    """Write two pickles: classes of the notebook by their content, and the values, which name these classes.

    A class that is a value itself stands among the values, with all that it shares with them.
    """
    seen = _Plain.of(value) or _Visitor.of(value)
    identifiers: dict[type, str] = {}
    pickler = (_SetsByName if seen.has_sets else _ByName)(seen.owners(), _classes(value), identifiers)
    content = pickler.dumped(value)
    classes = {name: bytes(SetPickler(identifiers).dumped(kind)) for name, kind in pickler.classes.items()}
    with path.open("wb") as file:
        file.write(StablePickler().dumped(classes))
        file.write(content)


def read(path: Path) -> Any:
    """Read what `write` wrote: only from a file whose digest is that of a value which this project has kept.

    Classes that the notebook has defined are those of the values; others are defined as they were.
    """
    notebook = sys.modules["__main__"]
    with path.open("rb") as file:
        for name, kind in load(file).items():
            if not hasattr(notebook, name):
                setattr(notebook, name, load(io.BytesIO(kind)))
        return load(file)


def groups(
    values: Mapping[str, object], others: Mapping[str, object], problems: dict[tuple[str, ...], Exception]
) -> list[list[str]]:
    """The names of values in groups: those that share an object which can be changed are in one.

    So are those with classes of one name that the notebook's names do not lead to: only in one file it is known which
    of them are the same.

    Parameters
    ----------
    values
        What is to be pickled, by name.
    others
        What has a format of its own; it joins a group when one of its values holds it.
    problems
        What a value raises that cannot be pickled goes there, and the value into no group.
    """
    if len(values) + len(others) == 1:
        return [[*values, *others]]
    classes = _classes(values)
    visitors: dict[str, _Plain | _Visitor] = {}
    for name, value in values.items():
        try:
            visitors[name] = _Plain.of(value) or _Visitor.of(value, classes)
        except Exception as error:  # noqa: BLE001 - user code runs here
            problems[name,] = error
    held: dict[str, set[object]] = {name: visitor.objects() for name, visitor in visitors.items()}
    arrays = {id(owner_of(value)) for value in (*values.values(), *others.values()) if is_array(value)}
    held |= {name: {id(value), *in_memory_of(value, arrays)} for name, value in others.items()}
    found: list[tuple[list[str], set[object]]] = []
    for name, objects in held.items():
        joined = [group for group in found if group[1] & objects]
        found = [group for group in found if not group[1] & objects]
        names = [inner for group in joined for inner in group[0]]
        found.append(([*names, name], objects.union(*(group[1] for group in joined))))
    return [names for names, _ in found]


def _classes(values: Mapping[str, object]) -> set[int]:
    """The identities of classes of the notebook among some values."""
    return {id(value) for value in values.values() if isinstance(value, type) and value.__module__ == "__main__"}


def _is_named(kind: type) -> bool:
    """Whether the name of a class in the notebook leads to it."""
    return kind.__module__ == "__main__" and getattr(sys.modules["__main__"], kind.__qualname__, None) is kind


def _name_of_written(kind: type) -> str | None:
    """The name of a class that is written itself; None for one that a name leads to."""
    return None if _is_named(kind) or inner._should_pickle_by_reference(kind) else kind.__qualname__


class _ByName(StablePickler):
    """Pickles classes that stand in the notebook by their names, and remembers them."""

    def __init__(self, owners: set[int], given: set[int], identifiers: dict[type, str]) -> None:
        super().__init__(identifiers)
        self._owners = owners
        self._given = given
        self.classes: dict[str, Any] = {}

    def reducer_override(self, value: Any) -> Any:
        """What cloudpickle does, but for a class that its name in the notebook leads to, and a view of an array."""
        if isinstance(value, type) and id(value) not in self._given and _is_named(value):
            self.classes[value.__qualname__] = value
            return getattr, (sys.modules["__main__"], value.__qualname__)
        owner = owner_of(value) if self._owners and is_array(value) else value
        if owner is not value and id(owner) in self._owners:
            return view, (owner, place_in(value, owner))
        return super().reducer_override(value)


class _SetsByName(_ByName, SetPickler):
    pass


class _Visitor(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no type information
    """Pickles into nothing and remembers what it came across."""

    def __init__(self, classes: Collection[int]) -> None:
        super().__init__(_Nothing(), protocol=5, buffer_callback=lambda _: None)
        self._classes = classes
        self._alive: list[object] = []
        self.has_sets = False
        self._arrays: dict[int, set[int]] = {}
        """The arrays in the memory of each, by the identities of both."""
        self._fixed: dict[type, bool] = {}
        """For each class that it came across, whether its values cannot be changed."""
        self._kinds: dict[int, Any] = {}
        """The classes that it came across, by their identities."""

    @classmethod
    def of(cls, value: object, classes: Collection[int] = ()) -> "_Visitor":
        """What a value comes across; `classes` are the identities of those that are values themselves."""
        visitor = cls(classes)
        with no_new_identifiers():
            visitor.dump(value)
        return visitor

    def persistent_id(self, value: object) -> None:
        """Called for each object; it is kept alive, or the next could be given its place in memory."""
        kind = type(value)
        fixed = self._fixed.get(kind)
        if fixed is None:
            fixed = self._fixed[kind] = issubclass(kind, FIXED) or any(base.__name__ in DTYPES for base in kind.__mro__)
        self.has_sets = self.has_sets or kind in SETS
        if not fixed or id(value) in self._classes:
            self._alive.append(value)
        if issubclass(kind, type):
            self._kinds[id(value)] = value
        if is_array(value):
            owner = owner_of(value)
            self._alive.append(owner)
            self._arrays.setdefault(id(owner), set()).add(id(value))

    def owners(self) -> set[int]:
        """The identities of arrays in whose memory others lie that it came across too."""
        return {owner for owner, arrays in self._arrays.items() if len(arrays) > 1}

    def objects(self) -> set[object]:
        """The identities of what can be changed, without a list of their class that objects of pandas have.

        And the names of classes that are written themselves.
        """
        of_classes = {id(getattr(kind, "_metadata", None)) for kind in self._fixed}
        names = {_name_of_written(kind) for kind in self._kinds.values()} - {None}
        return {*map(id, self._alive)} - of_classes | names


class _Plain:
    """Lists, dictionaries and sets of numbers and texts, however deep: there may be very many of them."""

    def __init__(self, found: Mapping[int, object]) -> None:
        self._found = found
        self.has_sets = any(type(one) in SETS for one in found.values())

    @classmethod
    def of(cls, value: object) -> "_Plain | None":
        """A value of nothing else, looked through without calling anything of its own; None for any other."""
        found: dict[int, object] = {}
        level = [value]
        while level:
            if not PLAIN.issuperset(map(type, level)):
                return None
            new = {id(one): one for one in level if type(one) in CONTAINERS and id(one) not in found}
            found |= new
            level = gc.get_referents(*new.values())
        return cls(found)

    def owners(self) -> set[int]:
        """As those of a visitor."""
        return set()

    def objects(self) -> set[object]:
        """As those of a visitor."""
        return {place for place, one in self._found.items() if type(one) in CHANGEABLE}


class _Nothing(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, content: "ReadableBuffer") -> int:
        return memoryview(content).nbytes
