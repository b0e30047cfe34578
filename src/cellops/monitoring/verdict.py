"""Verdicts: which columns of all windows have drifted, by effect and by significance together."""

from collections.abc import Iterator, Sequence

from cellops.monitoring.aspects import Aspect, aspects
from cellops.monitoring.ranking import ranking
from cellops.monitoring.words import RELATIONS, place, said_of
from cellops.records.drift import ColumnDrift, DriftVerdict, WindowDrift
from cellops.records.finding import Finding, Severity
from cellops.stats.benjamini_hochberg import benjamini_hochberg

FALSE_DISCOVERY_RATE = 0.01
"""Share of the columns called drifted that may be so by chance (Benjamini and Hochberg 1995)."""
GRAVITY = (DriftVerdict.NOT_ENOUGH_DATA, DriftVerdict.STABLE, DriftVerdict.MODERATE, DriftVerdict.MAJOR)
LEAST_ROWS = 100
"""Rows that each side needs: with fewer, PSI over ten bins reaches 0.1 by chance in more than a third of windows."""


def judged(windows: Sequence[WindowDrift]) -> tuple[WindowDrift, ...]:
    """The windows with a verdict on each column, their columns ranked by consequence."""
    columns = [column for window in windows for column in all_columns(window)]
    adjusted = _adjusted([aspect for column in columns for aspect in aspects(column)])
    return tuple(_judged(window, adjusted) for window in windows)


def all_columns(window: WindowDrift) -> tuple[ColumnDrift, ...]:
    """The input columns of a window, its output, and the relations between columns."""
    return (*window.columns, *(column for column in (window.output, window.relations) if column is not None))


def _adjusted(judged_by: Sequence[Aspect]) -> Iterator[float | None]:
    """For each aspect in turn its p-value, adjusted over all of them."""
    p_values = [aspect.p_value for aspect in judged_by]
    adjusted = iter(benjamini_hochberg([p for p in p_values if p is not None]).tolist())
    return iter([None if p is None else next(adjusted) for p in p_values])


def _judged(window: WindowDrift, adjusted: Iterator[float | None]) -> WindowDrift:
    """The window with its verdicts, its columns ranked; takes as many p-values as its columns have aspects."""
    columns = [_verdict(column, window.label, adjusted) for column in window.columns]
    output = window.output and _verdict(window.output, window.label, adjusted)
    relations = window.relations and _verdict(window.relations, window.label, adjusted)
    ranked = sorted(columns, key=ranking(columns), reverse=True)
    return window.replace(columns=tuple(ranked), output=output, relations=relations)


def _verdict(column: ColumnDrift, window: str, adjusted: Iterator[float | None]) -> ColumnDrift:
    """The gravest verdict of any aspect."""
    found = [(_of(aspect, p), aspect, p) for aspect, p in zip(aspects(column), adjusted, strict=False)]
    if not found:
        return column
    verdict, aspect, p = max(found, key=lambda one: (GRAVITY.index(one[0]), one[1].size))
    column = column.replace(verdict=verdict, basis=aspect.statistic, adjusted_p_value=p)
    if not verdict.drifted:
        return column.replace(moved="")
    return column.replace(finding=_drifted(column, window) if verdict is DriftVerdict.MAJOR else None)


def _of(aspect: Aspect, adjusted: float | None) -> DriftVerdict:
    significant = adjusted is not None and adjusted < FALSE_DISCOVERY_RATE
    if not aspect.moderate or (adjusted is not None and not significant):
        return DriftVerdict.STABLE
    if adjusted is None:
        return DriftVerdict.NOT_ENOUGH_DATA
    return DriftVerdict.MAJOR if aspect.major else DriftVerdict.MODERATE


def _drifted(column: ColumnDrift, window: str) -> Finding:
    remedy = "Check where the column comes from; if the world has moved, train on newer data"
    if column.column == RELATIONS:
        remedy = "Check whether rows are still joined and measured as in training; if so, train on newer data"
    return Finding(
        code="major-drift",
        severity=Severity.WARNING,
        where=f"{place(column.column)}, window {window}",
        seen=said_of(column),
        remedy=remedy,
    )
