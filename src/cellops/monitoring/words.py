"""What moved, and how far, in words."""

from collections.abc import Container
from math import isfinite, sqrt
from types import MappingProxyType

import numpy as np

from cellops.data.bins import bin_names
from cellops.monitoring.missingness import DIFFERENCE, MISSING, missingness
from cellops.monitoring.text_words import moved_texts
from cellops.records.contract import Measure
from cellops.records.drift import ColumnDrift
from cellops.records.profile import Bins, ColumnKind, ColumnProfile
from cellops.stats.counts import Counts, counts_of

RELATIONS = "relations between columns"
"""What stands in the place of a column's name for the relations."""
EFFECTS = MappingProxyType(
    {
        "psi": "PSI",
        "text_length": "text length by",
        "vocabulary": "words by",
        "out_of_vocabulary": "unknown words by",
    }
)
"""What a person calls an effect."""
SMALLEST_P = 1e-12
"""Below it a p-value says no more than that there is no doubt."""
LEAST_DEVIATIONS = 0.1
"""Standard deviations that a mean has to move by to be worth a word."""
LEAST_SHARE = 0.01
"""The same of the share of missing values."""
NUMBERS = frozenset({ColumnKind.NUMBER, ColumnKind.INTEGER})


def place(column: str) -> str:
    """What a finding calls it."""
    return column if column == RELATIONS else f"column {column}"


def said_of(column: ColumnDrift) -> str:
    """How far a column moved, how sure that is, and what moved; empty for one that did not drift."""
    if not column.verdict.drifted:
        return ""
    p_value = p_value_of(column)
    sure = f"adjusted p {p_value}" if p_value else ""
    return "; ".join(part for part in (effect_of(column), sure, column.moved) if part)


def effect_of(column: ColumnDrift) -> str:
    """The effect with its interval.

    Examples
    --------
    >>> from cellops.records.drift import DriftVerdict, StatisticResult
    >>> effect = Measure(name="psi", value=0.314, low=0.28, high=0.3512)
    >>> result = StatisticResult(statistic="psi", value=0.314, effect=effect)
    >>> verdict, kind = DriftVerdict.MAJOR, ColumnKind.NUMBER
    >>> effect_of(ColumnDrift(column="age", kind=kind, verdict=verdict, current=None, results=(result,)))
    'PSI 0.31 (0.28 to 0.35)'
    """
    effect = column.effect
    if effect is None:
        return ""
    return f"{EFFECTS.get(column.basis, column.basis.replace('_', ' '))} {figure(effect)}"


def figure(effect: Measure) -> str:
    """An effect with its interval, in two decimals."""
    interval = "" if effect.low is None or effect.high is None else f" ({effect.low:.2f} to {effect.high:.2f})"
    return f"{effect.value:.2f}{interval}"


def p_value_of(column: ColumnDrift) -> str:
    """The adjusted p-value in two digits; below a limit, that it is so."""
    p = column.adjusted_p_value
    return "" if p is None else f"{p:.2g}" if p >= SMALLEST_P else f"< {SMALLEST_P:g}"


def moved_most(column: ColumnDrift, reference: Bins | None) -> str:
    """The bin whose share changed most, in words; empty for a column that was not compared."""
    if reference is None or column.current is None:
        return ""
    return _most_moved_bin(column.kind, reference, column.current)


def moved(reference: ColumnProfile, current: ColumnProfile, far: Container[str] = ("psi",)) -> str:
    """What moved between two profiles in the aspects that moved far: missing values, means, bins, texts."""
    if reference.bins is None or current.bins is None:
        return ""
    difference = _missing(reference, current)
    most = difference and _missing_moved_most(reference.bins, current.bins)
    in_bins = (_mean(reference, current), "" if most else _bin(reference, current)) if "psi" in far else ()
    in_texts = moved_texts(reference.text, current.text, far) if reference.text and current.text else ()
    return "; ".join(part for part in (difference, *in_bins, *in_texts) if part)


def _bin(reference: ColumnProfile, current: ColumnProfile) -> str:
    if reference.bins is None or current.bins is None:
        return ""
    return _most_moved_bin(reference.kind, reference.bins, current.bins)


def _most_moved_bin(kind: ColumnKind, reference: Bins, current: Bins) -> str:
    before, after = shares_of(reference), shares_of(current)
    place = int(np.argmax(np.abs(after - before)))
    name = bin_names(reference, kind)[place]
    return f"{name} went from {before[place]:.1%} to {after[place]:.1%} of the rows"


def _missing_moved_most(reference: Bins, current: Bins) -> bool:
    changes = np.abs(shares_of(current) - shares_of(reference))
    return bool(np.argmax(changes) == len(changes) - 1)


def _missing(reference: ColumnProfile, current: ColumnProfile) -> str:
    """A line of its own for missing values where their share moved."""
    effect = missingness(reference, current).effect
    if effect is None or effect.name != DIFFERENCE or abs(effect.value) < LEAST_SHARE:
        return ""
    before, after = reference.missing / reference.rows, current.missing / current.rows
    points = " to ".join(f"{100 * end:+.1f}" for end in (effect.low, effect.high) if end is not None)
    return (
        f"{MISSING} went from {before:.1%} to {after:.1%} of the rows, by {100 * effect.value:+.1f} points ({points})"
    )


def _mean(reference: ColumnProfile, current: ColumnProfile) -> str:
    """How the mean of numbers moved, where it moved by more than a trifle."""
    before, after = reference.moments, current.moments
    if before is None or after is None or reference.kind not in NUMBERS or not before.count or not after.count:
        return ""
    deviation = sqrt(before.squared_deviations / before.count)
    if not isfinite(deviation) or abs(after.mean - before.mean) <= LEAST_DEVIATIONS * deviation:
        return ""
    return f"the mean went from {before.mean:.4g} to {after.mean:.4g}"


def shares_of(bins: Bins) -> Counts:
    """The share of the rows in every bin, as `counts_of` orders them; zeros where there are no rows."""
    counts = counts_of(bins)
    shares: Counts = counts / max(counts.sum(), 1)
    return shares
