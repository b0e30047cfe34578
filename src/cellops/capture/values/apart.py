"""A value with its numbers put apart: where the rest is the same, they tell how far two values lie from each other."""

from typing import TYPE_CHECKING, Any

from cellops.capture.content.tokens import join
from cellops.capture.names.types import name_of
from cellops.capture.redaction import is_secret
from cellops.capture.values.allowance import Allowance, SpentError
from cellops.capture.values.content import Item, Path, Reader, written
from cellops.capture.values.numbers import KINDS, LARGEST, MOST_ARRAYS

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

PLAIN = frozenset({str, bytes, bool, type(None)})
NUMBERS = (frozenset({int}), frozenset({float}))


class Apart(Reader):
    """A reader whose digests tell of numbers their type and shape only.

    It raises `SpentError` also where there are more numbers than are kept.

    Attributes
    ----------
    numbers
        The numbers by their paths: arrays, numbers of python and numpy, and lists of them.
    """

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance)
        self.numbers: dict[str, Array] = {}
        self._size = 0
        self._exact = False

    def digest(self, value: Any, path: Path = ()) -> bytes:
        if self._exact or type(value) in PLAIN:
            return super().digest(value, path)
        if path and is_secret(_text(path[-1])):
            return self.exact(value, path)
        if type(value) in {list, tuple} and len(value) <= MOST_ARRAYS and set(map(type, value)) == {int, float}:
            parts = [self.digest(held, (*path, Item(place, place))) for place, held in enumerate(value)]
            return type(value).__name__.encode() + join(parts)
        array = _numbers_in(value)
        return super().digest(value, path) if array is None else self._put(array, value, path)

    def exact(self, value: Any, path: Path) -> bytes:
        before, self._exact = self._exact, True
        try:
            return self.digest(value, path)
        finally:
            self._exact = before

    def _put(self, array: "Array", value: Any, path: Path) -> bytes:
        self._size += array.nbytes
        place = written(path)
        if self._size > LARGEST or len(self.numbers) >= MOST_ARRAYS or place in self.numbers:
            raise SpentError
        self._allowance.read(array.nbytes)
        self.numbers[place] = array.copy()
        return f"numbers:{name_of(type(value))}:{array.dtype.str}:{array.shape}".encode()


def _text(step: str | Item) -> str:
    return step if isinstance(step, str) else step.key if type(step.key) is str else ""


def _numbers_in(value: Any) -> "Array | None":
    """A number, or a list or an array of them, as an array; None for everything else."""
    import numpy as np

    kind = type(value)
    array = value
    if kind in {list, tuple}:
        if not 0 < len(value) <= LARGEST // 8 or frozenset(map(type, value)) not in NUMBERS:
            return None
        array = np.asarray(value)
    elif kind in {int, float} or issubclass(kind, np.number):
        array = np.asarray(value)
    elif kind is not np.ndarray:
        return None
    return array if array.dtype.kind in KINDS else None
