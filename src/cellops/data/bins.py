"""Bins: frozen once on the reference, then counted on every table that is compared with it."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers
from cellops.data.problems import shorten
from cellops.data.sketch import runs_of_ties
from cellops.records.profile import Bins, ColumnKind

if TYPE_CHECKING:
    import pandas as pd

QUANTILE_BINS = 10
FEW_VALUES = 20
"""Distinct values up to which a number has a bin for each: the months, the hours."""
CATEGORY_CAP = 50
"""Categories with a bin of their own; the rest is `other`."""
LONGEST_NAME = 80
"""Characters of the name of a category where it is shown or written down."""
LEAST_ROWS = 10
"""Rows of a text with a bin of its own: the share of one with fewer is so much chance that PSI would call it drift."""
LEAST_ROWS_OF_MANY = 25
"""The same where there are more than ten categories: the most frequent of many with few rows are so by chance, and
are less frequent in the next table, which would count as drift."""
KNOWN_CAP = 2000
"""Categories remembered at all."""
UNSEEN_EXPECTED = 0.01
"""Share of new rows that may hold a category never seen, above which unseen cannot be told from rare."""
CONSTANT_MARGIN = 1e-6
"""Relative distance from the outer ones of a few values at which a number counts as another one."""


def freeze_numbers(ordered: Numbers, kind: ColumnKind, missing: int) -> Bins | None:
    """Bins of ascending values without NaN; None when none of them is finite.

    Edges lie midway between two neighbouring values, so that a rounding error moves no row. Ties stay together: the
    edge nearest to each decile is taken, once. Up to 20 distinct values get a bin each, and so does what lies below or
    above all of them. Infinities count in the outer bins.
    """
    finite = finite_part(ordered)
    if not len(finite):
        return None
    few = runs_of_ties(finite, FEW_VALUES)
    cuts = _nearest_cuts(finite) if few is None else few[1:]
    inner = _between(finite[cuts - 1], finite[cuts])
    if few is not None:
        lowest, low, high, highest = _fence(finite[few], kind)
        return count_numbers((lowest, low, *inner, high, highest), ordered, missing)
    return count_numbers((float(finite[0]), *inner, float(finite[-1])), ordered, missing)


class Stretches(NamedTuple):
    """Finite values of a column, ascending, as stretches with their rows: a distinct value each, or a bucket each."""

    starts: Numbers
    """Shape (stretches,). The smallest value that a stretch may hold."""
    ends: Numbers
    """Shape (stretches,). The largest value that it may hold, or the next one."""
    rows: NDArray[np.int64]
    """Shape (stretches,)."""


def freeze_stretches(held: Stretches, kind: ColumnKind, missing: int) -> Bins:
    """The same bins as `freeze_numbers` makes of the rows themselves, where each stretch is one value.

    Between buckets the edge is where one begins, so that the counts are exact.
    """
    ends = held.rows.cumsum()
    few = len(held.rows) <= FEW_VALUES and bool((held.starts == held.ends).all())
    cuts = np.arange(1, len(ends)) if few else _nearest_stretches(ends, held.rows)
    inner = _between(held.ends[cuts - 1], held.starts[cuts])
    if few:
        lowest, low, high, highest = _fence(held.starts, kind)
        edges = (lowest, low, *inner, high, highest)
        counts = np.concatenate([[0], held.rows, [0]])
    else:
        edges = (float(held.starts[0]), *inner, float(held.ends[-1]))
        counts = np.diff(ends[cuts - 1], prepend=0, append=ends[-1])
    return Bins(edges=edges, counts=tuple(counts.tolist()), missing=missing)


def _nearest_stretches(ends: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each decile the stretch nearest to it that does not begin the column."""
    total = ends[-1]
    targets = total * np.arange(1, QUANTILE_BINS) / QUANTILE_BINS
    at = np.searchsorted(ends, np.ceil(targets))
    before, after = ends[at] - rows[at], ends[at]
    lower = (before > 0) & ((targets - before <= after - targets) | (after == total))
    cuts = np.unique(np.where(lower, at, at + 1))
    return cuts[cuts < len(ends)]


def _between(below: Numbers, above: Numbers) -> list[float]:
    """Edges midway between two neighbouring values."""
    middle = below / 2 + above / 2
    edges: list[float] = np.where(middle > below, middle, above).tolist()
    return edges


def finite_part(ordered: Numbers) -> Numbers:
    """Ascending values without the infinite ones."""
    return ordered[np.searchsorted(ordered, -np.inf, side="right") : np.searchsorted(ordered, np.inf)]


def count_numbers(edges: tuple[float, ...], ordered: Numbers, missing: int) -> Bins:
    """Rows of ascending values without NaN in the bins between these edges."""
    inside = np.searchsorted(ordered, np.asarray(edges[1:-1]), side="left")
    bounds = [0, *inside.tolist(), len(ordered)]
    counts = tuple(end - begin for begin, end in pairwise(bounds))
    return Bins(edges=edges, counts=counts, missing=missing)


def freeze_categories(counts: "pd.Series[int]", kind: ColumnKind, missing: int) -> tuple[Bins, tuple[str, ...] | None]:
    """The most frequent categories as bins, and every known one if it is of use to remember them.

    A text of few rows has no bin: of a single one it would put a row of the table into the package. Known is None where
    there are too many, or where many unseen ones may be expected: then whatever has no bin is `other`.
    """
    least = LEAST_ROWS_OF_MANY if len(counts) > QUANTILE_BINS else LEAST_ROWS
    top = (counts[counts >= least] if kind is ColumnKind.TEXT else counts).iloc[:CATEGORY_CAP]
    total = int(counts.sum())
    rememberable = len(counts) <= KNOWN_CAP and _unseen_share(counts, total) <= UNSEEN_EXPECTED
    bins = Bins(categories=tuple(top.index), counts=tuple(top.tolist()), other=total - int(top.sum()), missing=missing)
    return bins, tuple(counts.index) if rememberable else None


def _unseen_share(counts: "pd.Series[int]", total: int) -> float:
    """The share of new rows in categories never seen, as singles and pairs let expect it, plus its standard error.

    Good, The population frequencies of species, Biometrika 40 (1953), equation 9; Esty, A normal limit law for a
    nonparametric estimator of the coverage of a random sample, Ann. Statist. 11 (1983).
    """
    singles, pairs = int((counts == 1).sum()), int((counts == 2).sum())  # noqa: PLR2004 - a pair
    return (singles + math.sqrt(singles - singles**2 / total + 2 * pairs)) / total if total else 0.0


def freeze_missing(missing: int) -> Bins:
    """The bins of a column that had no value at all: any value that comes later is unseen."""
    return Bins(categories=(), counts=(), missing=missing)


def named_shortly(bins: Bins) -> Bins:
    """The same counts, with names of categories that are no longer than they may be shown."""
    if bins.categories is None:
        return bins
    return bins.replace(categories=tuple(shorten(name, LONGEST_NAME) for name in bins.categories))


def counts_alone(bins: Bins) -> Bins:
    """The same counts without the edges and categories that say of what."""
    return bins.replace(edges=None, categories=None)


def count_categories(
    categories: tuple[str, ...], known: tuple[str, ...] | None, counts: "pd.Series[int]", missing: int
) -> Bins:
    """Rows of each frozen category, of the rare known ones and of those never seen."""
    # A dictionary, since an index of Arrow cannot hold text that is no Unicode.
    rows = dict(zip(counts.index.tolist(), counts.tolist(), strict=True))
    inside = tuple(int(rows.get(name, 0)) for name in categories)
    listed = {*categories, *(known or ())}
    unseen = 0 if known is None else sum(int(number) for name, number in rows.items() if name not in listed)
    return Bins(
        categories=categories,
        counts=inside,
        other=int(counts.sum()) - sum(inside) - unseen,
        unseen=unseen,
        missing=missing,
    )


def bin_names(bins: Bins, kind: ColumnKind) -> list[str]:
    """A short name for every count of `bins`: its bins, then "other", "unseen" and "missing".

    Examples
    --------
    >>> bin_names(Bins(edges=(0.0, 2.5, 4.5, 9.0), counts=(3, 2, 4)), ColumnKind.INTEGER)
    ['≤ 2', '3 to 4', '≥ 5', 'other', 'unseen', 'missing']
    """
    if bins.edges is None:
        return [*(bins.categories or ()), "other", "unseen", "missing"]
    inner = bins.edges[1:-1]
    if kind is ColumnKind.INTEGER:
        ceilings = [math.ceil(edge) for edge in inner]
        lows, highs, first = [str(edge) for edge in ceilings], [str(edge - 1) for edge in ceilings], "≤"
    else:
        lows, first = [_edge_name(edge, kind) for edge in inner], "<"
        highs = lows
    if not inner:
        return ["all", "other", "unseen", "missing"]
    between = [low if low == high else f"{low} to {high}" for low, high in zip(lows, highs[1:], strict=False)]
    return [f"{first} {highs[0]}", *between, f"≥ {lows[-1]}", "other", "unseen", "missing"]


def _edge_name(edge: float, kind: ColumnKind) -> str:
    if kind is ColumnKind.DATETIME:
        return str(np.datetime64(round(edge), "s")).replace("T", " ")
    return f"{edge:.4g}"


def _nearest_cuts(ordered: Numbers) -> NDArray[np.intp]:
    """For each decile the row nearest to it with which another value begins."""
    targets = len(ordered) * np.arange(1, QUANTILE_BINS) / QUANTILE_BINS
    at = ordered[np.ceil(targets).astype(np.intp) - 1]
    before, after = np.searchsorted(ordered, at), np.searchsorted(ordered, at, side="right")
    lower = (before > 0) & ((targets - before <= after - targets) | (after == len(ordered)))
    return np.unique(np.where(lower, before, after))


def _fence(values: Numbers, kind: ColumnKind) -> list[float]:
    """Two edges below and two above a few ascending values: the inner ones are where another value begins."""
    first, last = float(values[0]), float(values[-1])
    if kind is ColumnKind.INTEGER:
        margin = 0.5
    else:
        half_gap = float(np.min(np.diff(values / 2), initial=np.inf)) if len(values) > 1 else 0.0
        margin = max(half_gap, max(abs(first), abs(last)) * CONSTANT_MARGIN, np.finfo(np.float64).tiny)
    # Beyond 2**52 half an integer is rounded away, or to the next one.
    with np.errstate(over="ignore"):
        low = first - margin if first - np.nextafter(first, -np.inf) <= margin else first
        high = max(last + margin, np.nextafter(last, np.inf))
    largest = np.finfo(np.float64).max
    fence: list[float] = np.clip([low - margin, low, high, high + margin], -largest, largest).tolist()
    return fence
