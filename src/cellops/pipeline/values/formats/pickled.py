"""Any other values, by cloudpickle: those that share objects stand in one file, so that they share them afterwards."""

import gc
import io
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta, tzinfo
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import cloudpickle

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
    """Write two pickles: classes of the notebook by their content, and the values, which name these classes."""
    content = io.BytesIO()
    pickler = _ByName(content)
    pickler.dump(value)
    with path.open("wb") as file:
        cloudpickle.dump({name: cloudpickle.dumps(kind) for name, kind in pickler.classes.items()}, file, protocol=5)
        file.write(content.getbuffer())


def read(path: Path) -> Any:
    """Read what `write` wrote: only from a file whose digest is that of a value which this project has kept.

    Classes that the notebook has defined are those of the values; others are defined as they were.
    """
    notebook = sys.modules["__main__"]
    with path.open("rb") as file:
        for name, kind in cloudpickle.load(file).items():
            if not hasattr(notebook, name):
                setattr(notebook, name, cloudpickle.loads(kind))
        return cloudpickle.load(file)


def groups(values: Mapping[str, object], others: Mapping[str, object]) -> list[list[str]]:
    """The names of values in groups: those that share an object which can be changed are in one.

    Parameters
    ----------
    values
        What is to be pickled, by name.
    others
        What has a format of its own; it joins a group when one of its values holds it.

    Raises
    ------
    Exception
        What a value raises that cannot be pickled; its note names it.
    """
    if len(values) + len(others) == 1:
        return [[*values, *others]]
    visitors = {name: _Plain.of(value) or _visited(name, value) for name, value in values.items()}
    held = {name: visitor.objects() for name, visitor in visitors.items()}
    held |= {name: {id(value)} for name, value in others.items()}
    found: list[tuple[list[str], set[int]]] = []
    for name, objects in held.items():
        joined = [group for group in found if group[1] & objects]
        found = [group for group in found if not group[1] & objects]
        names = [inner for group in joined for inner in group[0]]
        found.append(([*names, name], objects.union(*(group[1] for group in joined))))
    return [names for names, _ in found]


def _visited(name: str, value: object) -> "_Visitor":
    visitor = _Visitor()
    try:
        visitor.dump(value)
    except Exception as error:
        error.add_note(name)
        raise
    return visitor


class _ByName(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no type information
    """Pickles classes that stand in the notebook by their names, and remembers them."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.classes: dict[str, Any] = {}

    def reducer_override(self, value: Any) -> Any:
        """What cloudpickle does, but for a class that its name in the notebook leads to."""
        if isinstance(value, type) and value.__module__ == "__main__":
            name = value.__qualname__
            if getattr(sys.modules["__main__"], name, None) is value:
                self.classes[name] = value
                return getattr, (sys.modules["__main__"], name)
        return super().reducer_override(value)


class _Visitor(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no type information
    """Pickles into nothing and remembers what it came across."""

    def __init__(self) -> None:
        super().__init__(_Nothing(), protocol=5, buffer_callback=lambda _: None)
        self._alive: list[object] = []
        self._fixed: dict[type, bool] = {}
        """For each class that it came across, whether its values cannot be changed."""

    def persistent_id(self, value: object) -> None:
        """Called for each object; it is kept alive, or the next could be given its place in memory."""
        kind = type(value)
        fixed = self._fixed.get(kind)
        if fixed is None:
            fixed = self._fixed[kind] = issubclass(kind, FIXED) or any(base.__name__ in DTYPES for base in kind.__mro__)
        if not fixed:
            self._alive.append(value)

    def objects(self) -> set[int]:
        """The identities of what can be changed, without a list of their class that objects of pandas have."""
        of_classes = {id(getattr(kind, "_metadata", None)) for kind in self._fixed}
        return set(map(id, self._alive)) - of_classes


class _Plain:
    """Lists, dictionaries and sets of numbers and texts, however deep: there may be very many of them."""

    def __init__(self, found: Iterable[int]) -> None:
        self._found = found

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
        return cls(place for place, one in found.items() if type(one) in CHANGEABLE)

    def objects(self) -> set[int]:
        """As those of a visitor."""
        return set(self._found)


class _Nothing(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, content: "ReadableBuffer") -> int:
        return memoryview(content).nbytes
