"""The columns that drifted, one line each, the one of most consequence first."""

from collections.abc import Sequence

from cellops.monitoring.column_view import by_consequence, worst_of
from cellops.monitoring.words import effect_of, p_value_of
from cellops.records.drift import ColumnDrift, DriftReport, RankedColumn


def gravest(report: DriftReport) -> tuple[RankedColumn, ...]:
    """Each drifted column in the window in which it was worst; the output and the relations come last."""
    windows = report.windows
    others = [[window.output for window in windows], [window.relations for window in windows]]
    cells = [*by_consequence(windows), *(column for column in others if any(column))]
    labels = [window.label for window in windows]
    return tuple(_line(column, labels) for column in cells if worst_of(column).verdict.drifted)


def _line(cells: Sequence[ColumnDrift | None], labels: Sequence[str]) -> RankedColumn:
    worst = worst_of(cells)
    return RankedColumn(
        column=worst.column,
        verdict=worst.verdict,
        window=labels[cells.index(worst)],
        effect=effect_of(worst),
        p_value=p_value_of(worst),
        importance=worst.importance,
        moved=worst.moved,
    )
