"""Tables of numbers, as the statistics over several columns at once need them."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellops.errors import InputError

Table: TypeAlias = NDArray[np.float64]
"""Rows of numbers, shape (rows, columns)."""


def same_columns(reference: Table, current: Table) -> tuple[Table, Table]:
    """Both tables as floats.

    Raises
    ------
    InputError
        When one is no table of numbers, or they differ in columns.
    """
    try:
        left, right = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    except (TypeError, ValueError) as error:
        fact = "Tables must hold numbers only"
        raise InputError(fact, remedy="Give the numeric columns, NaN for what is missing") from error
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1] or not left.shape[1]:  # noqa: PLR2004
        fact = "The two sides do not have the same columns"
        raise InputError(fact, received=(left.shape, right.shape), remedy="Give shape (rows, columns) for both")
    return left, right


def paired(reference: Table, current: Table) -> tuple[Table, Table]:
    """Both tables as floats, without the rows in which something is missing.

    Raises
    ------
    InputError
        When one is no table of numbers, or they differ in columns.

    Examples
    --------
    >>> paired([[1, 2], [3, np.nan]], [[5, 6]])
    (array([[1., 2.]]), array([[5., 6.]]))
    """
    left, right = same_columns(reference, current)
    return left[~np.isnan(left).any(axis=1)], right[~np.isnan(right).any(axis=1)]


def standardised(reference: Table, current: Table) -> tuple[Table, Table]:
    """Both in standard deviations of all their rows from the mean of these; a constant column is zero."""
    reference, current = within_range(reference, current)
    both = np.concatenate([reference, current])
    middle, unit = both.mean(axis=0), both.std(axis=0)
    unit[unit == 0] = 1.0
    return (reference - middle) / unit, (current - middle) / unit


def within_range(reference: Table, current: Table) -> tuple[Table, Table]:
    """Both over the largest magnitude of each column, so that squares and sums stay within the range of floats."""
    unit = np.maximum(np.abs(reference).max(axis=0), np.abs(current).max(axis=0))
    unit[unit == 0] = 1.0
    return reference / unit, current / unit


def drawn(table: Table, most: int) -> Table:
    """No more than so many rows, drawn without repetition; the same ones for the same number of rows."""
    if len(table) <= most:
        return table
    chosen: Table = table[np.sort(np.random.default_rng(0).choice(len(table), most, replace=False))]
    return chosen
