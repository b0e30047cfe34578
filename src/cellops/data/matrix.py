"""Columns of numbers that lie in one matrix, so that a model takes them as they are."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
NUMBERS = frozenset({int, float})
FEW = 100
"""Numbers up to which Python's sum takes less time than a look with numpy."""
BLOCK = 256
"""Rows that are transposed together, since they stay in the cache meanwhile: a third of the time of all at once."""
FOLDED = 64
"""Rows that are taken for one long row."""
SOME = 100
"""Matrices up to which each is transposed by itself."""


class Places(dict[str, int]):
    """The column of each name, in their order, and the names alone."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__((name, place) for place, name in enumerate(names))
        self.order = tuple(self)


class Matrix(Mapping[str, npt.NDArray[Any]]):
    """Columns by name, each of them a view that is made when it is asked for: that takes longer than to answer a row.

    Parameters
    ----------
    names
        The column of each name, in their order.
    array
        Finite numbers of shape (rows, columns).

    >>> Matrix({"distance": 0, "hour": 1}, np.array([[733.0, 5.0], [1089.0, 6.0]]))["hour"]
    array([5., 6.])
    """

    __slots__ = ("_names", "array")

    def __init__(self, names: Mapping[str, int], array: Numbers) -> None:
        self._names = names
        self.array = array

    def __getitem__(self, name: str) -> Numbers:
        return self.array[:, self._names[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __or__(self, others: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """As of a `dict`: the columns, some of them others."""
        return {**self, **others}

    def with_rows(self, array: Numbers) -> "Matrix":
        """Other rows of the same columns."""
        return Matrix(self._names, array)

    @property
    def rows(self) -> int:
        return len(self.array)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names.order if type(self._names) is Places else tuple(self._names)


def array_of(columns: Mapping[str, npt.NDArray[Any]], names: tuple[str, ...] | None) -> Numbers | None:
    """Columns as one array of shape (rows, columns), where they already are one with these names in this order."""
    return columns.array if type(columns) is Matrix and columns.names == names else None


def transposed(matrices: Sequence[Numbers]) -> Numbers:
    """Matrices of the same columns below one another, shape (columns, rows): each column lies in one piece."""
    columns = np.empty((matrices[0].shape[1], sum(map(len, matrices))))
    if len(matrices) > SOME:
        columns[:] = np.concatenate(matrices).T
        return columns
    end = 0
    for matrix in matrices:
        for start in range(0, len(matrix), BLOCK):
            block = matrix[start : start + BLOCK]
            columns[:, end : end + len(block)] = block.T
            end += len(block)
    return columns


def corners(array: Numbers) -> Numbers:
    """The least and the largest number of each column of an array (rows, columns), shape (2, columns).

    >>> corners(np.array([[733.0, 5.0], [1089.0, 6.0], [200.0, 7.0]]))
    array([[ 200.,    5.],
           [1089.,    7.]])
    """
    rows, width = array.shape
    whole = rows - rows % FOLDED
    if not whole:
        return np.stack([array.min(axis=0), array.max(axis=0)])
    # Numpy goes row by row: for long rows it takes a fifth of the time.
    long, rest = array[:whole].reshape(-1, FOLDED * width), array[whole:]
    folded = [reduce(long, axis=0).reshape(FOLDED, width) for reduce in (np.min, np.max)]
    return np.stack(
        [reduce(np.concatenate([part, rest]), axis=0) for reduce, part in zip((np.min, np.max), folded, strict=True)]
    )


def finite_numbers(table: Sequence[Sequence[Any]], width: int) -> Numbers | None:
    """One row or more of finite numbers as one array; None where a row or a value is not such."""
    single = len(table) == 1
    flat = table[0] if single else list(chain.from_iterable(table))
    if (len(flat) != width if single else set(map(len, table)) != {width}) or not NUMBERS.issuperset(map(type, flat)):
        return None
    try:
        # A sum of finite numbers can be infinite too; a closer look tells.
        if len(flat) <= FEW and not isfinite(sum(flat)):
            return None
        # A fifth of the time in which numpy reads a list.
        held = bytearray(8 * len(flat))
        struct.pack_into(f"{len(flat)}d", held, 0, *flat)
        array = np.ndarray((len(table), width), np.float64, held)
    except (OverflowError, struct.error):
        return None
    return array if len(flat) <= FEW or np.isfinite(array).all() else None
