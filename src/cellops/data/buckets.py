"""A quantile sketch that merges exactly: what it holds depends on the values alone, never on who saw which of them.

Values are counted in buckets whose edges are the same for everybody: either each octave is cut into a power of two of
equal parts (`RELATIVE`), or the whole line is (`EVEN`). A bucket of one level is the union of two of the level below.
The level is the finest at which no more than `MOST` buckets are filled, and none finer than of use: that of
256 buckets an octave, or of some 8,192 between the smallest and the largest value. More values never fill fewer
buckets nor lie closer together, so the level of a whole is at least that of each part, and whoever joins parts in any
order comes to the same buckets. The idea of buckets that collapse together is that of Masson, Rim and Lee, DDSketch,
VLDB 12 (2019), and of Epicoco et al., UDDSketch, IEEE Access 8 (2020); theirs collapse at one end or by a factor that
the order decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers
from cellops.data.sketch import runs_of_ties
from cellops.records.profile import QuantileSketch

MOST = 2048
"""Filled buckets of a sketch."""
FEW = 512
"""Distinct values up to which it is exact."""
FINEST_BITS = 62
"""How many bits a key may have."""
OCTAVE_BITS = 44
"""Bits of a float that even the finest `RELATIVE` bucket leaves out."""
EVEN_BITS = 13
"""Bits of the range of all values that the finest `EVEN` bucket tells apart."""
SHORT_DIGITS = 6
"""Significant digits up to which a value is remembered that all rows of a bucket have."""
LARGEST_POWER = 22
"""The largest power of ten that a float holds exactly."""
SMALLEST = float(np.finfo(np.float64).smallest_subnormal)
SAMPLE = 8 * MOST
"""Values from which the level of many is guessed: some of them never fill more buckets than all."""

Whole = NDArray[np.int64]


class Scale(StrEnum):
    RELATIVE = "relative"
    """Buckets whose width is a share of their values: for long tails."""
    EVEN = "even"
    """Buckets of one width: for values that lie around one that is not zero."""


class Buckets(NamedTuple):
    """Filled buckets, by ascending key."""

    keys: Whole
    """Shape (buckets,). The place of a bucket, away from zero; 0 is the one around it."""
    counts: Whole
    """Shape (buckets,). Its rows."""
    values: Numbers
    """Shape (buckets,). The value of all its rows; NaN where they have several, or one that takes many digits."""


@dataclass(frozen=True)
class Levelled:
    """Buckets of one scale at one level."""

    scale: Scale
    level: int
    """Of `RELATIVE`, how many bits of a float are left out; of `EVEN`, the binary logarithm of the width."""
    buckets: Buckets

    @classmethod
    def of_ordered(cls, scale: Scale, ordered: Numbers, counts: Whole | None = None, least: int | None = None) -> Self:
        """Ascending values, each as often as `counts` says, at the finest level that fills no more than `MOST` buckets.

        Parameters
        ----------
        least
            The level that it shall have at least.
        """
        finest = finest_level(scale, float(ordered[0]), float(ordered[-1]))
        level = finest if least is None else max(finest, least)
        if len(ordered) > 2 * SAMPLE:
            sample = np.append(ordered[:: len(ordered) // SAMPLE], ordered[-1])
            level = cls.of_ordered(scale, sample, None, level).level
        starts, keys = _places(scale, ordered, level)
        ends = np.append(starts[1:], len(ordered))
        rows = ends - starts if counts is None else np.add.reduceat(counts, starts)
        first = ordered[starts] + 0.0  # minus zero is zero
        alone = np.flatnonzero(first == ordered[ends - 1])
        alone = alone[_is_short(first[alone])]
        values = np.full(len(first), np.nan)
        values[alone] = first[alone]
        return cls(scale, level, Buckets(keys, rows, values)).coarsened()

    def at(self, level: int) -> Self:
        """The same at a level that is as coarse, or coarser."""
        held = self.buckets
        return type(self)(
            self.scale, level, _grouped(_shifted(held.keys, level - self.level), held.counts, held.values)
        )

    def coarsened(self) -> Self:
        """The same at the first level that fills no more than `MOST` buckets."""
        if len(self.buckets.keys) <= MOST:
            return self
        low, high = 0, FINEST_BITS + 2
        while high - low > 1:
            middle = (low + high) // 2
            if len(_starts(_shifted(self.buckets.keys, middle))) > MOST:
                low = middle
            else:
                high = middle
        return self.at(self.level + high)

    def edges(self) -> tuple[Numbers, Numbers]:
        """Where each bucket begins and ends; each of shape (buckets,)."""
        return _bounds(self.scale, self.buckets.keys, self.level)

    @property
    def widest(self) -> int:
        """Most rows in a bucket of several values: how far a rank may be off."""
        several = np.isnan(self.buckets.values)
        return int(self.buckets.counts[several].max(initial=0))


@dataclass(frozen=True)
class Sketch:
    """The distribution of finite numbers: exact up to 512 distinct ones, beyond in two scales of as many buckets.

    Two sketches are equal when they were made of the same values, in whatever parts and order.
    """

    values: Numbers | None
    """Shape (distinct,). All distinct values, ascending; None where there are too many."""
    counts: Whole | None
    """Shape (distinct,). The rows of each."""
    relative: Levelled | None
    even: Levelled | None
    extremes: tuple[float, float] | None = None
    """The smallest and the largest value, where there are too many to keep."""

    @classmethod
    def of(cls, numbers: Numbers) -> Self:
        """The sketch of finite numbers in any order.

        Examples
        --------
        >>> Sketch.of(np.array([2.0, 1.0, 2.0])).quantile_sketch()
        QuantileSketch(values=(1.0, 2.0), cumulative=(1, 3), rank_error=0.0, below=(), distance_error=None)
        """
        return cls.of_ordered(np.sort(numbers))

    @classmethod
    def of_ordered(cls, ordered: Numbers) -> Self:
        """The same of ascending numbers."""
        few = runs_of_ties(ordered, FEW)
        if few is not None:
            values = ordered[few] + 0.0
            return cls(values, np.diff(np.append(few, len(ordered))), None, None)
        relative, even = (Levelled.of_ordered(scale, ordered) for scale in Scale)
        return cls(None, None, relative, even, (float(ordered[0]) + 0.0, float(ordered[-1]) + 0.0))

    @classmethod
    def merged(cls, sketches: Iterable[Self]) -> Self:
        """The sketch of all that several have seen."""
        held = list(sketches)
        exact = [(one.values, one.counts) for one in held if one.values is not None and one.counts is not None]
        values, counts = _counted(exact)
        if len(exact) == len(held) and len(values) <= FEW:
            return cls(values, counts, None, None)
        ends = [one.extremes for one in held if one.extremes is not None]
        ends += [(float(values[0]), float(values[-1]))] if len(values) else []
        extremes = min(low for low, _ in ends), max(high for _, high in ends)
        parts = {
            Scale.RELATIVE: [one.relative for one in held if one.relative is not None],
            Scale.EVEN: [one.even for one in held if one.even is not None],
        }
        relative, even = (_joined(scale, parts[scale], values, counts, extremes) for scale in Scale)
        return cls(None, None, relative, even, extremes)

    @property
    def exact(self) -> tuple[Numbers, Whole] | None:
        """All distinct values, ascending, and the rows of each; None where there are too many."""
        return None if self.values is None or self.counts is None else (self.values, self.counts)

    @property
    def rows(self) -> int:
        counts = self.counts if self.relative is None else self.relative.buckets.counts
        assert counts is not None  # noqa: S101 - one of the two is there
        return int(counts.sum())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and _plain(self) == _plain(other)

    def __hash__(self) -> int:
        return hash(self.rows)

    def quantile_sketch(self) -> QuantileSketch:
        """The same as distinct values with the rows at or below each, by the scale whose ranks are less far off."""
        if self.values is not None and self.counts is not None:
            return QuantileSketch(values=tuple(self.values.tolist()), cumulative=tuple(self.counts.cumsum().tolist()))
        assert self.relative is not None and self.even is not None  # noqa: PT018, S101 - else it is exact
        best = min(self.even, self.relative, key=lambda levelled: levelled.widest)
        assert self.extremes is not None  # noqa: S101 - they are there where the buckets are
        return _lines(best, self.rows, self.extremes)


def _lines(levelled: Levelled, rows: int, extremes: tuple[float, float]) -> QuantileSketch:
    """Points between which rows lie on lines, more of them at or below each: where buckets end, or their one value."""
    held = levelled.buckets
    upto = held.counts.cumsum()
    alone = ~np.isnan(held.values)
    points = np.where(alone, held.values, levelled.edges()[1])
    below = np.where(alone, upto - held.counts, upto)
    if not alone[-1]:
        points[-1], below[-1] = extremes[1], rows - 1
    if not alone[0] and held.counts[0] == 1:
        points[0], below[0] = extremes[0], 0
    elif not alone[0]:
        points, below, upto = np.append(extremes[0], points), np.append(0, below), np.append(1, upto)
    # A value at which the bucket below it ends stands for both.
    last = np.flatnonzero(np.append(points[1:] != points[:-1], True))
    return QuantileSketch(
        values=tuple(points[last].tolist()),
        cumulative=tuple(upto[last].tolist()),
        rank_error=levelled.widest / rows,
        below=tuple(below[last].tolist()),
    )


def _joined(
    scale: Scale, parts: list[Levelled], values: Numbers, counts: Whole, extremes: tuple[float, float]
) -> Levelled:
    """Several parts, and distinct values beside them, in the buckets of all."""
    level = max([finest_level(scale, *extremes), *(part.level for part in parts)])
    if len(values):
        parts = [*parts, Levelled.of_ordered(scale, values, counts, level)]
        level = max(part.level for part in parts)
    same = [part.at(level).buckets for part in parts]
    keys, rows, held = (np.concatenate(column) for column in zip(*same, strict=True))
    order = np.argsort(keys, kind="stable")
    return Levelled(scale, level, _grouped(keys[order], rows[order], held[order])).coarsened()


def _counted(parts: list[tuple[Numbers, Whole]]) -> tuple[Numbers, Whole]:
    """Distinct values of several parts, ascending, with their counts."""
    if not parts:
        return np.empty(0), np.empty(0, dtype=np.int64)
    values, places = np.unique(np.concatenate([values for values, _ in parts]), return_inverse=True)
    counts = np.concatenate([counts for _, counts in parts])
    return values, np.bincount(places, counts, minlength=len(values)).astype(np.int64)


def _grouped(keys: Whole, counts: Whole, values: Numbers) -> Buckets:
    """Entries of ascending keys, those of the same key as one."""
    starts = _starts(keys)
    lowest, highest = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
    several = np.logical_or.reduceat(np.isnan(values), starts) | (lowest != highest)
    return Buckets(keys[starts], np.add.reduceat(counts, starts), np.where(several, np.nan, lowest))


def _starts(keys: Whole) -> NDArray[np.intp]:
    """Where each key begins among ascending ones."""
    return np.append(0, np.flatnonzero(keys[1:] != keys[:-1]) + 1)


def _shifted(keys: Whole, levels: int) -> Whole:
    """The keys that many levels coarser: halved towards zero."""
    if levels <= 0:
        return keys
    halved: Whole = np.sign(keys) * (np.abs(keys) >> min(levels, FINEST_BITS + 1))
    return halved


def finest_level(scale: Scale, lowest: float, highest: float) -> int:
    """The finest level of use for values between these, whose keys are whole numbers of 62 bits."""
    if scale is Scale.RELATIVE:
        return OCTAVE_BITS
    spread = _exponent(highest / 2 - lowest / 2) + 1 - EVEN_BITS
    return max(spread, _exponent(max(abs(lowest), abs(highest))) - FINEST_BITS)


def _exponent(size: float) -> int:
    """The power of two above a size; for none, one that is below those of all sizes."""
    return int(np.frexp(size)[1]) if size else int(np.frexp(SMALLEST)[1])


def _places(scale: Scale, ordered: Numbers, level: int) -> tuple[NDArray[np.intp], Whole]:
    """Where each filled bucket begins among ascending values, and its key."""
    candidates = _candidates(scale, ordered, level)
    if candidates is None or len(candidates) > len(ordered):
        keys = _keys(scale, ordered, level)
        starts = _starts(keys)
        return starts, keys[starts]
    # The bounds of all buckets that may be filled are looked up: cheaper than the key of each value.
    lower, _ = _bounds(scale, candidates, level)
    lower = np.where(candidates > 0, lower, np.nextafter(lower, np.inf))
    starts = np.append(0, np.searchsorted(ordered, lower[1:]))
    filled = np.diff(starts, append=len(ordered)) > 0
    return starts[filled], candidates[filled]


def _candidates(scale: Scale, ordered: Numbers, level: int) -> Whole | None:
    """The keys of all buckets between the extremes of the negative and of the positive values; None for too many."""
    negative, positive = np.searchsorted(ordered, 0.0), np.searchsorted(ordered, 0.0, side="right")
    found = []
    for part in (ordered[:negative], ordered[negative:positive], ordered[positive:]):
        if len(part):
            low, high = _keys(scale, part[[0, -1]], level).tolist()
            if high - low > SAMPLE:
                return None
            found.append(np.arange(low, high + 1))
    keys = np.concatenate(found)
    return keys[_starts(keys)]


def _bounds(scale: Scale, keys: Whole, level: int) -> tuple[Numbers, Numbers]:
    inner, outer = _edge(scale, np.abs(keys), level), _edge(scale, np.abs(keys) + 1, level)
    below = np.where(keys > 0, inner, -outer)
    return below, np.where(keys < 0, -inner, outer)


def _is_short(values: Numbers) -> NDArray[np.bool_]:
    """Which values a person would write with few digits: those that many rows share on purpose.

    Only these are remembered, as a value that merely happens to be alone in its bucket costs eight bytes in a file.
    """
    with np.errstate(divide="ignore"):
        digits = np.floor(np.log10(np.abs(values)))
    power = np.clip(SHORT_DIGITS - 1 - np.where(np.isfinite(digits), digits, 0), -LARGEST_POWER, LARGEST_POWER)
    scale = np.array([10.0**exponent for exponent in range(LARGEST_POWER + 1)])[np.abs(power).astype(np.intp)]
    with np.errstate(over="ignore"):
        rounded = np.where(power > 0, np.rint(values * scale) / scale, np.rint(values / scale) * scale)
    short: NDArray[np.bool_] = rounded == values
    return short


def _keys(scale: Scale, values: Numbers, level: int) -> Whole:
    """The buckets of values; towards zero, so that halving one gives that of the next level."""
    if scale is Scale.EVEN:
        return np.trunc(np.ldexp(values, -level)).astype(np.int64)
    return np.sign(values).astype(np.int64) * (np.abs(values).view(np.int64) >> level)


def _edge(scale: Scale, keys: Whole, level: int) -> Numbers:
    """The values at which buckets of keys away from zero begin."""
    if scale is Scale.EVEN:
        with np.errstate(over="ignore"):
            return np.minimum(np.ldexp(keys.astype(np.float64), level), np.finfo(np.float64).max)
    bits = np.minimum(keys, np.int64(0x7FEFFFFFFFFFFFFF) >> level) << level
    top = keys > np.int64(0x7FEFFFFFFFFFFFFF) >> level
    return np.where(top, np.finfo(np.float64).max, bits.view(np.float64))


def _plain(sketch: Sketch) -> object:
    if sketch.values is not None and sketch.counts is not None:
        return sketch.values.tolist(), sketch.counts.tolist()
    levelled = [one for one in (sketch.relative, sketch.even) if one is not None]
    return [(one.scale, one.level, *(column.tobytes() for column in one.buckets)) for one in levelled]
