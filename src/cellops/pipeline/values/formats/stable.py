"""Pickles whose bytes are the same whenever the values are: in another process, and with another order of hashes.

Three things differ from process to process in what cloudpickle writes: the identifiers that it gives to classes of the
notebook, the names of the files in which a kernel says that its code stands, and the order of texts in a set.
"""

import contextlib
import hashlib
import io
import itertools
import pickle
import sys
from collections import ChainMap
from collections.abc import Collection, Iterator
from types import CodeType
from typing import Any, ClassVar

import cloudpickle
from cloudpickle import cloudpickle as inner

FILE = "<notebook>"
"""Where code of the notebook stands, for its tracebacks."""
MARK = "(cellops class %016x)"
"""Stands for the identifier of a class until its bytes are known; as long as one."""
SETS = (set, frozenset)


def _code(code: CodeType) -> Any:
    return inner._code_reduce(code.replace(co_filename=FILE))


@contextlib.contextmanager
def no_new_identifiers() -> Iterator[None]:
    """Let cloudpickle forget the identifiers that it gives to classes here: each is made by chance."""
    known = inner._DYNAMIC_CLASS_TRACKER_BY_CLASS
    before = set(known)
    try:
        yield
    finally:
        for kind in set(known) - before:
            inner._DYNAMIC_CLASS_TRACKER_BY_ID.pop(known.pop(kind), None)


def _identifier(kind: type, taken: Collection[str]) -> str:
    """What identifies a class: its content, its first name in the notebook, and how many of the same were before it."""
    content = SetPickler().with_marks(kind)
    notebook = list(vars(sys.modules["__main__"]).items())
    name = next((name for name, one in notebook if one is kind), "")
    made = (
        hashlib.sha256(content + f"{name} {number}".encode(errors="surrogatepass")).hexdigest()
        for number in itertools.count()
    )
    known = inner._DYNAMIC_CLASS_TRACKER_BY_ID
    return next(one for text in made if (one := text[: len(MARK % 0)]) not in taken and one not in known)


class StablePickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no type information
    """Pickles one value that holds no sets; `load` reads it.

    Parameters
    ----------
    identifiers
        Those of the classes in other pickles that are read together with this one; its own are put there.
    """

    dispatch_table: ClassVar[Any] = ChainMap({CodeType: _code}, cloudpickle.Pickler.dispatch_table)

    def __init__(self, identifiers: dict[type, str] | None = None) -> None:
        self._file = io.BytesIO()
        super().__init__(self._file, protocol=5)
        self._marked: list[type] = []
        """Classes whose identifiers have still to be made."""
        self._identifiers = {} if identifiers is None else identifiers

    def dumped(self, value: object) -> bytes | memoryview:
        """The pickle of a value.

        A class in it is identified by its content: another one of the same name is not taken for it. Those of equal
        content are told apart by their names in the notebook and by their order.
        """
        with no_new_identifiers():
            self.dump(value)
        if not self._marked:
            return self._file.getbuffer()
        content = self._file.getvalue()
        for place, kind in enumerate(self._marked):
            if kind not in self._identifiers:
                self._identifiers[kind] = _identifier(kind, self._identifiers.values())
            content = content.replace((MARK % place).encode(), self._identifiers[kind].encode())
        return content

    def with_marks(self, value: object) -> bytes:
        """The pickle of a value with marks for the identifiers of classes."""
        with no_new_identifiers():
            self.dump(value)
        return self._file.getvalue()

    def reducer_override(self, value: Any) -> Any:
        """What cloudpickle does, with a mark for a class that it gives an identifier."""
        known = inner._DYNAMIC_CLASS_TRACKER_BY_CLASS
        if isinstance(value, type) and value not in known and not inner._should_pickle_by_reference(value):
            mark = MARK % len(self._marked)
            known[value], inner._DYNAMIC_CLASS_TRACKER_BY_ID[mark] = mark, value
            self._marked.append(value)
        return super().reducer_override(value)


class SetPickler(StablePickler):
    """The same for a value that may hold sets: it is called for each object, which takes its time."""

    def __init__(self, identifiers: dict[type, str] | None = None) -> None:
        super().__init__(identifiers)
        self._sets: dict[int, tuple[int, object]] = {}
        """The sets that were written, with their places among these, by their identities; so they are kept alive."""

    def persistent_id(self, value: Any) -> object:
        """A set of texts is written in their order, once."""
        if type(value) not in SETS or len(value) < 2 or not all(type(one) is str for one in value):  # noqa: PLR2004
            return None
        known = self._sets.get(id(value))
        if known is not None:
            return known[0]
        self._sets[id(value)] = len(self._sets), value
        return type(value) is frozenset, sorted(value)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self._sets: list[Any] = []

    def persistent_load(self, given: Any) -> Any:
        if type(given) is not int:
            is_fixed, texts = given
            self._sets.append(frozenset(texts) if is_fixed else set(texts))
            given = -1
        return self._sets[given]


def load(file: Any) -> Any:
    """Read what a `StablePickler` wrote: only from a file that this project has kept."""
    return _Unpickler(file).load()
