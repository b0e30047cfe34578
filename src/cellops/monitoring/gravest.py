"""The columns that a person has to be told of, one line each, the one of most consequence first."""

from collections.abc import Sequence

from cellops.monitoring.column_view import by_consequence, worst_of
from cellops.monitoring.verdict import FALSE_DISCOVERY_RATE
from cellops.monitoring.words import effect_of, moved_most, p_value_of
from cellops.records.drift import ColumnDrift, DriftReport, RankedColumn, WindowDrift
from cellops.records.profile import Bins

MOST_LEADING = 3
"""Columns that are named where none drifted."""


def gravest(report: DriftReport) -> tuple[RankedColumn, ...]:
    """Each drifted column in the window in which it was worst; the output and the relations come last."""
    windows = report.windows
    others = [[window.output for window in windows], [window.relations for window in windows]]
    cells = [*by_consequence(windows), *(column for column in others if any(column))]
    labels = [window.label for window in windows]
    return tuple(_line(column, labels) for column in cells if worst_of(column).verdict.drifted)


def unexplained(report: DriftReport) -> tuple[WindowDrift, ...]:
    """The windows in which performance is worse than promised, although no input column drifted."""
    worse = [window for window in report.windows if window.worse]
    return tuple(window for window in worse if not any(column.verdict.drifted for column in window.columns))


def leading(report: DriftReport) -> tuple[RankedColumn, ...]:
    """The few columns of most consequence in the windows that drift does not explain, by how far they moved there.

    A column that moved by no more than chance is not among them, nor is one on which no answer depends.
    """
    windows = unexplained(report)
    labels = [window.label for window in windows]
    certain = [column for column in by_consequence(windows) if _moved_certainly(worst_of(column))]
    return tuple(_line(cells, labels, _reference(report, cells)) for cells in certain[:MOST_LEADING])


def _moved_certainly(column: ColumnDrift) -> bool:
    p_value = column.adjusted_p_value
    return p_value is not None and p_value < FALSE_DISCOVERY_RATE and column.importance != 0


def _reference(report: DriftReport, cells: Sequence[ColumnDrift | None]) -> Bins | None:
    return report.reference.get(worst_of(cells).column)


def _line(cells: Sequence[ColumnDrift | None], labels: Sequence[str], reference: Bins | None = None) -> RankedColumn:
    worst = worst_of(cells)
    return RankedColumn(
        column=worst.column,
        verdict=worst.verdict,
        window=labels[cells.index(worst)],
        effect=effect_of(worst),
        p_value=p_value_of(worst),
        importance=worst.importance,
        moved=worst.moved or moved_most(worst, reference),
    )
