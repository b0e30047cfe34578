"""Which tables lie in the same memory: what writes to an array is seen in all that was made of it without a copy.

The source tells of most. It cannot tell that `frame.astype(float)` copies nothing where the numbers are floats already.
"""

import contextlib
import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cellops.capture.names.types import name_of, root_of

MOST_PLACES = 1000
"""Columns of a table whose memory is looked at."""
SPARSE = ("data", "indices", "indptr", "offsets", "row", "col")


class Place(NamedTuple):
    """A stretch of memory, by its first address and the one behind its last."""

    start: int
    end: int


class Memory:
    """The memory of the tables under the names of a notebook.

    An array, or a sparse matrix, writes to its memory. A frame does not where others have it too: pandas copies before
    it writes, polars and Arrow never write. So tables are only told to share with what writes.
    """

    def __init__(self) -> None:
        self._places: dict[str, tuple[Place, ...]] = {}
        self._written: dict[int, tuple[int, set[str]]] = {}
        """By the first address of what arrays write to, where it ends and their names."""
        self._starts: list[int] = []
        """The first addresses of those, in order."""
        self._read: list[tuple[int, str]] = []
        """The addresses of what other tables read, in order, with their names."""

    def learn(self, names: Iterable[str], namespace: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """Take in the names that a cell has bound, changed or deleted; give what their tables share with others.

        Of two of these names the later is told to share with the earlier, and not the other way round too.
        """
        fresh = list(dict.fromkeys(names))
        for name in fresh:
            self._forget(name)
        held = {name: namespace[name] for name in fresh if name in namespace}
        places = {name: found for name, value in held.items() if (found := tuple(places_of(value)))}
        writing = {name: _writes(held[name]) for name in places}
        shared: dict[str, tuple[str, ...]] = {}
        for name in sorted(places, key=lambda name: not writing[name]):
            self._remember(name, places[name], writes=writing[name])
            others = self._sharing(name) - {name}
            if others:
                shared[name] = tuple(sorted(others))
        return shared

    def _remember(self, name: str, places: tuple[Place, ...], *, writes: bool) -> None:
        self._places[name] = places
        for place in places:
            if not writes:
                insort(self._read, (place.start, name))
                continue
            if place.start not in self._written:
                insort(self._starts, place.start)
            end, others = self._written.get(place.start, (0, set()))
            self._written[place.start] = (max(end, place.end), {*others, name})

    def _forget(self, name: str) -> None:
        for start, _ in self._places.pop(name, ()):
            entry = bisect_left(self._read, (start, name))
            if entry < len(self._read) and self._read[entry] == (start, name):
                del self._read[entry]
            elif start in self._written:
                self._written[start][1].discard(name)
                if not self._written[start][1]:
                    del self._written[start], self._starts[bisect_left(self._starts, start)]

    def _sharing(self, name: str) -> set[str]:
        found: set[str] = set()
        for place in self._places[name]:
            entry = bisect_right(self._starts, place.start) - 1
            end, writers = self._written[self._starts[entry]] if entry >= 0 else (0, set[str]())
            if place.start >= end:
                continue
            found |= writers
            if name in writers:
                first, last = (bisect_left(self._read, (address, "")) for address in place)
                found.update(reader for _, reader in self._read[first:last])
        return found


def places_of(value: object) -> Iterator[Place]:
    """Where the numbers of a table lie; nothing for other values, none of whose code runs."""
    module, name = name_of(type(value))
    library = module.partition(".")[0]
    arrays: Iterable[Any] = ()
    with contextlib.suppress(Exception):  # a library of another version keeps its numbers elsewhere
        match library, name:
            case "numpy", "ndarray" | "matrix" | "recarray" | "MaskedArray":
                arrays = [value]
            case "pandas", "DataFrame" | "Series":
                arrays = [block.values for block in value._mgr.blocks[:MOST_PLACES]]  # type: ignore[attr-defined]
            case "polars", "DataFrame" | "Series":
                arrays = _of_polars(value)
            case "pyarrow", _:
                yield from _of_arrow(value)
            case "scipy", _ if module.startswith("scipy.sparse"):
                arrays = [getattr(value, name, None) for name in SPARSE]
            case _:
                pass
    for array in arrays:
        yield from _of_array(array)


def _writes(value: object) -> bool:
    """Whether changing a table writes to its memory even where others have it."""
    library = root_of(type(value))
    if library == "numpy":
        return bool(value.flags.writeable)  # type: ignore[attr-defined]
    if library == "pandas":
        return int(sys.modules["pandas"].__version__.partition(".")[0]) < 3  # noqa: PLR2004 - since then it copies first
    return library == "scipy"


def _of_array(array: Any) -> Iterator[Place]:
    """The memory of an array's owner; of pandas' own arrays that of the numpy array inside."""
    for name in ("_ndarray", "_data", "_codes"):
        array = getattr(array, name, array) if type(array).__module__.startswith("pandas") else array
    if type(array).__module__.partition(".")[0] != "numpy":
        return
    while type(array.base).__module__ == "numpy" and type(array.base).__name__ == "ndarray":
        array = array.base
    start = array.__array_interface__["data"][0]
    if array.nbytes:
        yield Place(start, start + array.nbytes)


def _of_polars(table: Any) -> Iterator[Any]:
    """The columns that can be seen as arrays without a copy."""
    columns = [table] if type(table).__name__ == "Series" else table.get_columns()[:MOST_PLACES]
    for column in columns:
        if column.dtype.is_numeric():
            with contextlib.suppress(RuntimeError):
                yield column.to_numpy(allow_copy=False)


def _of_arrow(table: Any) -> Iterator[Place]:
    columns = table.columns[:MOST_PLACES] if hasattr(table, "schema") else [table]
    chunks = [chunk for column in columns for chunk in (column.chunks if hasattr(column, "chunks") else [column])]
    for chunk in chunks[:MOST_PLACES]:
        for buffer in chunk.buffers():
            if buffer is not None and buffer.size:
                yield Place(buffer.address, buffer.address + buffer.size)
