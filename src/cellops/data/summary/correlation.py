"""Pearson's correlation of each pair of columns, from sums that merge."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers
from cellops.data.problems import listed
from cellops.data.summary.chunk import Chunk
from cellops.data.summary.sources import chunks
from cellops.errors import InputError
from cellops.records.summary import Correlations

BLOCK = 65_536
"""Rows that are multiplied at once."""
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class CoMoments:
    """Of each pair of columns, over the rows in which both have a finite number: count, means, sums of products.

    Parts are joined as Pébay, Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
    statistical moments, Sandia report SAND2008-6212 (2008), equation 3.11, joins them.
    """

    names: tuple[str, ...]
    rows: Matrix
    """Shape (columns, columns), as all of them."""
    means: Matrix
    """Of the column of the row, over the rows of the pair."""
    squares: Matrix
    """Sum of its squared deviations from that."""
    products: Matrix
    """Sum of the products of both deviations."""

    @classmethod
    def of(cls, names: Sequence[str], values: Matrix) -> Self:
        """Those of a matrix, shape (rows, columns); what is not finite is left out pair by pair."""
        blocks = (values[begin : begin + BLOCK] for begin in range(0, max(len(values), 1), BLOCK))
        return cls.merged(cls._of_block(names, block) for block in blocks)

    @classmethod
    def _of_block(cls, names: Sequence[str], values: Matrix) -> Self:
        there = np.isfinite(values)
        present = there.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            centre = np.where(there, values, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
            deviations = np.where(there, values - centre, 0.0)
            rows = present.T @ present
            least = np.maximum(rows, 1)
            sums = deviations.T @ present
            means = np.where(rows > 0, centre[:, None] + sums / least, 0.0)
            squares = np.square(deviations).T @ present - sums * sums / least
            products = deviations.T @ deviations - sums * sums.T / least
        return cls(tuple(names), rows, means, squares, products)

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """Those of all rows of several parts of the same columns; at least one part."""
        return reduce(cls._joined, parts)

    def _joined(self, other: Self) -> Self:
        rows = self.rows + other.rows
        with np.errstate(over="ignore", invalid="ignore"):
            there = other.rows / np.maximum(rows, 1)
            step = other.means - self.means
            weight = self.rows * there
            means = np.where(self.rows > 0, self.means + step * there, other.means)
            squares = self.squares + other.squares + step * step * weight
            products = self.products + other.products + step * step.T * weight
        return type(self)(self.names, rows, means, squares, products)

    def record(self) -> Correlations:
        """The coefficients; None where one of the two columns does not vary over the rows of both."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            rounding = np.square(self.means * np.finfo(float).eps) * self.rows * 16
            varies = (self.squares > rounding) & (self.squares.T > rounding.T)
            found = np.clip(self.products / (np.sqrt(self.squares) * np.sqrt(self.squares.T)), -1.0, 1.0)
        known = varies & np.isfinite(found)
        table = [
            tuple(value if is_known else None for value, is_known in zip(row, whether, strict=True))
            for row, whether in zip(found.tolist(), known.tolist(), strict=True)
        ]
        counts = tuple(tuple(row) for row in self.rows.astype(np.int64).tolist())
        return Correlations(columns=self.names, coefficients=tuple(table), rows=counts)


class Correlating:
    """What takes chunks as they pass and keeps the sums of their products."""

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        self._asked = columns
        self._parts: list[CoMoments] = []

    def see(self, chunk: Chunk) -> None:
        """Take a chunk in; the first one decides which columns are numbers where none are named.

        Raises
        ------
        InputError
            When a named column is not there.
        """
        held = dict(chunk.columns)
        names = self._parts[0].names if self._parts else self._names(chunk)
        values = [_numbers(held.get(name), chunk.rows) for name in names]
        part = CoMoments.of(names, np.column_stack(values) if values else np.empty((chunk.rows, 0)))
        self._parts = [CoMoments.merged([*self._parts, part])]

    def record(self) -> Correlations:
        return self._parts[0].record() if self._parts else Correlations(columns=(), coefficients=(), rows=())

    def _names(self, chunk: Chunk) -> tuple[str, ...]:
        times = Counter(name for name, _ in chunk.columns)
        if self._asked is None:
            return tuple(name for name, values in chunk.columns if times[name] == 1 and _is_numeric(values))
        lacking = [name for name in self._asked if times[name] != 1]
        if lacking:
            fact = f"The table has not one column called {listed(lacking)}"
            raise InputError(fact, remedy=f"Its columns are {listed(times)}", column=lacking[0])
        return tuple(self._asked)


def correlations(source: Any, columns: Sequence[str] | None = None, *, rows: int | None = None) -> Correlations:
    """Pearson's correlation of each pair of columns, in one pass over a table of any make.

    Parameters
    ----------
    source
        What `summarize` takes, but for a DataFrame of Dask.
    columns
        Between which; by default all that hold numbers or booleans.
    rows
        That are read at a time.

    Raises
    ------
    NotFoundError, InputError
        As `summarize` does, and where a named column is not there.

    Examples
    --------
    >>> import pandas as pd
    >>> found = correlations(pd.DataFrame({"a": [1, 2, 3], "b": [6.0, 4.0, 2.0]}))
    >>> round(found.coefficients[0][1], 6)
    -1.0
    """
    seeing = Correlating(columns)
    for chunk in chunks(source, rows):
        seeing.see(chunk)
    return seeing.record()


def _is_numeric(values: Any) -> bool:
    if hasattr(values, "dtype"):
        from pandas.api import types as of_pandas

        return bool(of_pandas.is_numeric_dtype(values.dtype) and not of_pandas.is_complex_dtype(values.dtype))
    from pyarrow import types

    kind = values.type
    return any(of(kind) for of in (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean))


def _numbers(values: Any, rows: int) -> Numbers:
    """A column as floats; whatever is none is NaN."""
    if values is None or not _is_numeric(values):
        return np.full(rows, np.nan)
    if hasattr(values, "dtype"):
        read: Numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return read
    import pyarrow as pa
    from pyarrow import types

    plain = values.cast(pa.int8()) if types.is_boolean(values.type) else values
    found: Numbers = plain.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    return found
