"""Counts over frozen bins, as the statistics that compare two of them need them."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.errors import InputError
from cellops.records.profile import Bins

Counts: TypeAlias = NDArray[np.float64]
"""Rows in each bin, shape (bins,)."""
HALF_A_ROW = 0.5
"""What an empty bin counts as where a logarithm needs a share above zero (Krichevsky and Trofimov 1981)."""


def counts_of(bins: Bins) -> Counts:
    """Every count of `bins` in one array: the bins, then rare categories, unseen categories and missing values.

    >>> counts_of(Bins(categories=("a", "b"), counts=(5, 3), other=1, missing=2))
    array([5., 3., 1., 0., 2.])
    """
    return np.array([*bins.counts, bins.other, bins.unseen, bins.missing], dtype=np.float64)


def aligned(reference: ArrayLike, current: ArrayLike) -> tuple[Counts, Counts]:
    """Both counts as floats, without the bins that are empty on both sides: these say nothing.

    Raises
    ------
    InputError
        When the two do not have the same bins, or hold anything but finite counts from zero up.
    """
    left, right = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if left.ndim != 1 or left.shape != right.shape:
        fact = "The two sides do not have the same bins"
        raise InputError(fact, received=(left.shape, right.shape), remedy="Count both over the same frozen bins")
    both = np.concatenate([left, right])
    if not (np.isfinite(both).all() and (both >= 0).all()):
        fact = "Counts must be finite and not below zero"
        raise InputError(fact, received=both.tolist(), remedy="Give the number of rows in each bin")
    occupied = (left > 0) | (right > 0)
    return left[occupied], right[occupied]


def shares(counts: Counts) -> Counts:
    """The share of each bin; shape kept, sum 1."""
    share: Counts = counts / counts.sum()
    return share


def positive_shares(counts: Counts) -> Counts:
    """The share of each bin, where an empty bin counts as half a row; equal to `shares` when no bin is empty."""
    return shares(np.where(counts == 0, HALF_A_ROW, counts))
