"""Columns of numbers that lie in one matrix, so that a model takes them as they are."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, starmap
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
UNFOLDED = 300
"""Rows up to which it takes longer to fold them."""
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
    def places(self) -> Mapping[str, int]:
        """The column of each name."""
        return self._names

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
    if rows <= UNFOLDED:
        told = np.empty((2, width))
        np.minimum.reduce(array, axis=0, out=told[0])
        np.maximum.reduce(array, axis=0, out=told[1])
        return told
    # Numpy goes row by row: for long rows it takes a fifth of the time.
    long, rest = array[:whole].reshape(-1, FOLDED * width), array[whole:]
    folded = [reduce(long, axis=0).reshape(FOLDED, width) for reduce in (np.min, np.max)]
    return np.stack(
        [reduce(np.concatenate([part, rest]), axis=0) for reduce, part in zip((np.min, np.max), folded, strict=True)]
    )


def finite_numbers(table: Sequence[Sequence[Any]], width: int) -> Numbers | None:
    """One row or more of finite numbers as one array; None where a row or a value is not such."""
    flat = table[0] if len(table) == 1 else chain.from_iterable(table)
    return finite(table, width) if NUMBERS.issuperset(map(type, flat)) else None


def finite(table: Sequence[Sequence[float]], width: int) -> Numbers | None:
    """Rows of numbers as one array; None where a row has not so many of them, or some are not finite."""
    pack = _row(width).pack
    try:
        # A third of the time in which numpy reads lists; it raises for rows that are longer or shorter.
        if len(table) > 1:
            array = np.ndarray((len(table), width), np.float64, bytearray().join(starmap(pack, table)))
            return array if np.isfinite(array).all() else None
        row = table[0]
        array = np.ndarray((1, width), np.float64, bytearray(pack(*row)))
        # A sum of finite numbers can be infinite too; a closer look tells.
        return array if (isfinite(sum(row)) if width <= FEW else np.isfinite(array).all()) else None
    except (OverflowError, struct.error):
        return None


@cache
def _row(width: int) -> struct.Struct:
    return struct.Struct(f"{width}d")
