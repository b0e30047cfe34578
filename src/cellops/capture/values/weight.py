"""How much there is to read, told before any of it is: whatever sizes do not show is counted, as far as it goes."""

from collections.abc import Iterator
from typing import Any

from cellops.capture.content.fingerprint import BYTES_OF_AN_OBJECT, size_in_bytes
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.objects import check_class

BYTES_OF_A_LETTER = 8
"""As many bytes of numbers are hashed while one letter of a text is."""
BYTES_OF_A_BIT = 1
OF_A_CONTAINER = 10
"""Objects that are counted in the time that a container takes beside its items."""
CONTAINERS = frozenset({list, tuple, set, frozenset, dict})


def weigh_table(table: Any, allowance: Allowance) -> None:
    """Spend what reading a table takes, with all that the objects in its cells lead to.

    Raises
    ------
    SpentError
        When it is more than the allowance has left.
    UnhashableError
        When it holds objects of a class that has its own idea of classes.
    """
    allowance.read(size_in_bytes(table))
    library = type(table).__module__.partition(".")[0]
    if library == "pandas":
        for part in _parts(table):
            _weigh_part(part, allowance)
    elif library == "numpy":
        _weigh_array(table, allowance)
    elif library == "scipy":
        held = ("data", "indices", "indptr", "offsets", "row", "col", "rows")
        allowance.read(sum(getattr(getattr(table, name, None), "nbytes", 0) for name in held))
        allowance.write_out(int(table.nnz) if table.format in {"lil", "dok"} else 0)


def weigh(value: Any, allowance: Allowance) -> None:
    """Spend what reading a text, bytes or a number takes; raises as `weigh_table` does."""
    kind = type(value)
    if kind is str:
        allowance.read(len(value) * BYTES_OF_A_LETTER)
    elif kind is bytes:
        allowance.read(len(value) * 2)
    elif kind is int:
        allowance.read(value.bit_length() * BYTES_OF_A_BIT)
    elif kind.__module__ == "numpy":
        allowance.read(int(getattr(value, "nbytes", 0)) * 2)


def weigh_all(values: list[Any], allowance: Allowance) -> None:
    """Spend what reading objects takes that stand in the cells of a table; raises as `weigh_table` does."""
    left: list[Any] = [values]
    while left:
        found = left.pop()
        allowance.count(len(found))
        check_classes(found)
        kinds = set(map(type, found))
        allowance.write_out(len(found))
        _weigh_plain(found, kinds, allowance)
        for item in found if kinds & CONTAINERS else ():
            if type(item) in CONTAINERS:
                allowance.count(OF_A_CONTAINER + len(item))
                left += [list(item), list(item.values())] if type(item) is dict else [list(item)]


def check_classes(values: Any) -> None:
    """Refuse values of classes that have their own idea of classes, before any is asked for its class."""
    if {type}.issuperset(map(type, map(type, values))):
        return
    for value in values:
        check_class(type(value))


def _weigh_plain(found: list[Any], kinds: set[type], allowance: Allowance) -> None:
    def of(kind: type) -> Iterator[Any]:
        return (item for item in found if type(item) is kind)

    if str in kinds:
        allowance.read(sum(map(len, found if kinds == {str} else of(str))) * BYTES_OF_A_LETTER)
    if bytes in kinds:
        allowance.read(sum(map(len, of(bytes))) * 2)
    if int in kinds:
        allowance.read(sum(map(int.bit_length, of(int))) * BYTES_OF_A_BIT)
    for kind in kinds:
        if kind.__module__ == "numpy":
            allowance.read(sum(int(getattr(item, "nbytes", 0)) for item in of(kind)) * 2)


def _parts(table: Any) -> Iterator[Any]:
    """The index of a frame or series, its labels, and its columns; levels of an index one by one."""
    whole = [table.index] if hasattr(table, "index") else [table]
    if table.ndim > 1:
        yield from (
            table.iloc[:, place] for place, dtype in enumerate(table.dtypes) if getattr(dtype, "kind", "O") == "O"
        )
        whole.append(table.columns)
    elif hasattr(table, "index"):
        yield table
    for index in whole:
        yield from index.levels if hasattr(index, "levels") else [index]


def _weigh_part(part: Any, allowance: Allowance) -> None:
    """A column, an index or a level of one."""
    dtype = part.dtype
    kind = type(dtype).__name__
    allowance.read(len(part) * 8)
    if kind == "CategoricalDtype":
        _weigh_part(dtype.categories, allowance)
    elif getattr(dtype, "kind", "O") != "O":
        return
    elif kind in {"StringDtype", "ArrowDtype"} and hasattr(part.array, "__arrow_array__"):
        allowance.read(int(part.array.nbytes) * 2)
    elif kind in {"ObjectDType", "StringDtype"}:
        allowance.read(len(part) * BYTES_OF_AN_OBJECT)
        weigh_all(part.tolist(), allowance)


def _weigh_array(array: Any, allowance: Allowance) -> None:
    """What the objects in an array lead to, also in the fields of a structured one."""
    if array.dtype.names is not None:
        for name in array.dtype.names if array.dtype.hasobject else ():
            _weigh_array(array[name], allowance)
    elif array.dtype.kind in "OT":
        allowance.count(array.size)
        weigh_all(array.ravel().tolist(), allowance)
