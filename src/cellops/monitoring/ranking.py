"""Ranks by consequence: how far a column moved times how much the model's answers depend on it."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from cellops.records.drift import ColumnDrift, DriftVerdict

Rank: TypeAlias = tuple[int, float, float]
"""Larger comes first."""
DRIFTED, STABLE, NOT_JUDGED, ABSENT = 3, 2, 1, 0


def consequence(column: ColumnDrift) -> float | None:
    """Share of the rows that moved to another bin, times the column's importance; from 0 to 1.

    The share is the total variation distance, since PSI has no upper end: twice the PSI is not twice as bad. None
    where the package does not say how important the column is.
    """
    return None if column.importance is None else _share_moved(column) * column.importance


def is_known(columns: Iterable[ColumnDrift]) -> bool:
    """Whether the package says how important columns are: of any one that it is not 0."""
    return any(column.importance for column in columns)


def ranking(columns: Iterable[ColumnDrift]) -> Callable[[ColumnDrift | None], Rank]:
    """The order of columns among these: the drifted ones by consequence, then the others likewise.

    A column whose importance the package does not know, while it knows that of others, counts as one of average
    importance. Where it knows none, columns are ranked by how far they moved.
    """
    known = [column.importance for column in columns if column.importance is not None]
    usual = sum(known) / len(known) if known else 0.0

    def rank(column: ColumnDrift | None) -> Rank:
        if column is None:
            return ABSENT, 0.0, 0.0
        importance = usual if column.importance is None else column.importance
        return _group(column.verdict), _share_moved(column) * importance, distance(column)

    return rank


def distance(column: ColumnDrift) -> float:
    """How far a column moved; -1 where that is not known."""
    effect = column.effect
    return -1.0 if effect is None else effect.value


def _group(verdict: DriftVerdict) -> int:
    return DRIFTED if verdict.drifted else STABLE if verdict.judged else NOT_JUDGED


def _share_moved(column: ColumnDrift) -> float:
    """The share of the rows that moved to another bin; in reports that do not hold it, from the PSI."""
    result = column.result("total_variation") if column.basis == "psi" else column.result(column.basis)
    if result is not None and result.value is not None:
        return min(result.value, 1.0)
    return max(distance(column), 0.0)
