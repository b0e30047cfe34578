"""Verdicts: which columns of all windows have drifted, by effect and by significance together."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cellops.data.bins import bin_names
from cellops.records.drift import ColumnDrift, DriftVerdict, StatisticResult, WindowDrift
from cellops.records.finding import Finding, Severity
from cellops.records.profile import Bins
from cellops.stats.benjamini_hochberg import benjamini_hochberg
from cellops.stats.counts import counts_of

MODERATE_PSI = 0.1
MAJOR_PSI = 0.25
"""Below 0.1 no real change, from 0.25 a significant shift: Siddiqi, Credit Risk Scorecards (2006)."""
FALSE_DISCOVERY_RATE = 0.01
"""Share of the columns called drifted that may be so by chance (Benjamini and Hochberg 1995)."""
LEAST_ROWS = 100
"""Rows that each side needs: with fewer, PSI over ten bins reaches 0.1 by chance in more than a third of windows."""


def judged(
    windows: Sequence[WindowDrift], reference: Mapping[str, Bins], output: Bins | None
) -> tuple[WindowDrift, ...]:
    """The windows with a verdict on each column, columns ranked by PSI; `reference` holds the frozen bins."""
    adjusted = _adjusted([column for window in windows for column in _all_columns(window)])
    return tuple(_judged(window, reference, output, adjusted) for window in windows)


def _all_columns(window: WindowDrift) -> tuple[ColumnDrift, ...]:
    return window.columns if window.output is None else (*window.columns, window.output)


def _test(column: ColumnDrift) -> StatisticResult | None:
    return column.result("chi_squared")


def _adjusted(columns: Sequence[ColumnDrift]) -> Iterator[float | None]:
    """For each column in turn its p-value, adjusted over all of them."""
    p_values = [None if (test := _test(column)) is None else test.p_value for column in columns]
    adjusted = iter(benjamini_hochberg([p for p in p_values if p is not None]).tolist())
    return iter([None if p is None else next(adjusted) for p in p_values])


def _judged(
    window: WindowDrift, reference: Mapping[str, Bins], output_bins: Bins | None, adjusted: Iterator[float | None]
) -> WindowDrift:
    """The window with its verdicts, its columns ranked; takes as many p-values as the window has columns."""
    columns = [_verdict(c, reference.get(c.column), window.label, next(adjusted)) for c in window.columns]
    output = window.output and _verdict(window.output, output_bins, window.label, next(adjusted))
    return window.replace(columns=tuple(sorted(columns, key=_moved, reverse=True)), output=output)


def _moved(column: ColumnDrift) -> float:
    result = column.result("psi")
    return -1.0 if result is None or result.value is None else result.value


def _verdict(column: ColumnDrift, reference: Bins | None, window: str, adjusted: float | None) -> ColumnDrift:
    test, effect = _test(column), _moved(column)
    if test is None or effect < 0:
        return column
    significant = adjusted is not None and adjusted < FALSE_DISCOVERY_RATE
    if effect < MODERATE_PSI or (adjusted is not None and not significant):
        return column.replace(verdict=DriftVerdict.STABLE, adjusted_p_value=adjusted)
    if adjusted is None:
        return column
    verdict = DriftVerdict.MAJOR if effect >= MAJOR_PSI else DriftVerdict.MODERATE
    finding = _drifted(column, reference, window, effect) if verdict is DriftVerdict.MAJOR else None
    return column.replace(verdict=verdict, adjusted_p_value=adjusted, finding=finding)


def _drifted(column: ColumnDrift, reference: Bins | None, window: str, effect: float) -> Finding:
    return Finding(
        code="major-drift",
        severity=Severity.WARNING,
        where=f"column {column.column}, window {window}",
        seen=f"PSI {effect:.2f}; {moved_most(column, reference)}",
        remedy="Check where the column comes from; if the world has moved, train on newer data",
    )


def moved_most(column: ColumnDrift, reference: Bins | None) -> str:
    """The bin whose share changed most, in words; empty for a column that was not compared."""
    if reference is None or column.current is None:
        return ""
    before, after = counts_of(reference), counts_of(column.current)
    before, after = before / max(before.sum(), 1), after / max(after.sum(), 1)
    place = int(np.argmax(np.abs(after - before)))
    name = bin_names(reference, column.kind)[place]
    return f"{name} went from {before[place]:.1%} to {after[place]:.1%} of the rows"
