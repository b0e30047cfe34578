"""Drift: every window against the profile that the package carries."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from cellops.data.bins import bin_names
from cellops.data.profile import observe
from cellops.errors import CellopsError, InputError
from cellops.monitoring.performance import measure
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Task
from cellops.records.drift import ColumnDrift, DriftReport, DriftVerdict, StatisticResult, WindowDrift
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnKind, ColumnProfile, QuantileSketch
from cellops.stats.benjamini_hochberg import benjamini_hochberg
from cellops.stats.chi_squared import chi_squared
from cellops.stats.counts import counts_of
from cellops.stats.jensen_shannon import jensen_shannon
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.kullback_leibler import kullback_leibler
from cellops.stats.psi import psi
from cellops.stats.result import refused
from cellops.stats.wasserstein import wasserstein

OVER_COUNTS = (psi, jensen_shannon, kullback_leibler, chi_squared)
OVER_SKETCHES = (kolmogorov_smirnov, wasserstein)
MODERATE_PSI = 0.1
MAJOR_PSI = 0.25
"""Below 0.1 no real change, from 0.25 a significant shift: Siddiqi, Credit Risk Scorecards (2006)."""
FALSE_DISCOVERY_RATE = 0.01
"""Share of the columns called drifted that may be so by chance (Benjamini and Hochberg 1995)."""
LEAST_ROWS = 100
"""Rows that each side needs: with fewer, PSI over ten bins reaches 0.1 by chance in more than a third of windows."""
BINARY = 2


def compare(contract: Contract, windows: Sequence[Window], *, package: str, digest: str, source: str) -> DriftReport:
    """Compare windows with the profile of a package; no reference data is needed.

    A column has drifted when both hold: its PSI reaches 0.1 (moderate) or 0.25 (major), and the chi-squared test over
    the same bins is significant at a false discovery rate of 1 % over all columns and windows of the report. Columns
    are ranked by PSI. A column that is missing or cannot be read becomes a finding, and the others are compared.
    Columns that the profile does not know are ignored.

    Parameters
    ----------
    contract
        What the package says of its inputs and outputs.
    windows
        What was seen, cut by `cellops.monitoring.windows`.
    package, digest
        Name of the package, and SHA-256 of its manifest.
    source
        What is compared, in a word: a file, or a prediction log.

    Raises
    ------
    InputError
        When there are no windows.
    """
    if not windows:
        fact = "There is nothing to compare"
        raise InputError(fact, remedy="Give at least one window of rows")
    measured = [_measured(contract, window) for window in windows]
    adjusted = _adjusted([column for window in measured for column in _all_columns(window)])
    return DriftReport(
        package=package,
        digest=digest,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        reference_rows=contract.profile.rows,
        reference_performance=contract.performance,
        windows=tuple(_judged(window, adjusted) for window in measured),
    )


def _measured(contract: Contract, window: Window) -> WindowDrift:
    """All figures of a window, before any verdict: for that, those of the other windows are needed."""
    performance, labelled_rows, findings = measure(contract, window)
    return WindowDrift(
        label=window.label,
        start=window.start,
        end=window.end,
        rows=len(window.frame),
        labelled_rows=labelled_rows,
        columns=tuple(_column(reference, window) for reference in contract.profile.columns),
        output=_output(contract, window),
        performance=performance,
        findings=findings,
    )


def _column(reference: ColumnProfile, window: Window) -> ColumnDrift:
    places = [place for place, name in enumerate(window.frame.columns) if str(name) == reference.name]
    if len(places) == 1:
        return _compared(reference, window.frame.iloc[:, places[0]], window)
    seen = f"{len(places)} columns have this name" if places else "The column is not there"
    return _unreadable(reference, window, seen, "Give the inputs of the model, each column once")


def _output(contract: Contract, window: Window) -> ColumnDrift | None:
    """Drift of the answers themselves: the probability of the positive class where there is one, else the answer."""
    reference, labels = contract.output, window.labels
    if reference is None or labels is None:
        return None
    binary = contract.schema.task is Task.CLASSIFICATION and len(contract.schema.classes) == BINARY
    if binary and window.probabilities is not None and reference.kind is ColumnKind.NUMBER:
        return _compared(reference, window.probabilities[:, -1], window)
    return _compared(reference, labels, window)


def _compared(reference: ColumnProfile, values: Any, window: Window) -> ColumnDrift:
    try:
        current = observe(reference, values)
        results = _results(reference, current)
    except CellopsError as error:
        return _unreadable(reference, window, error.fact, error.remedy)
    except (TypeError, ValueError, OverflowError) as error:  # what pandas and numpy raise on values they cannot hold
        return _unreadable(reference, window, str(error), "Convert it to what the model was trained on")
    return ColumnDrift(
        column=reference.name,
        kind=reference.kind,
        verdict=DriftVerdict.NOT_ENOUGH_DATA,
        reference=reference.bins,
        current=current.bins,
        results=results,
    )


def _results(reference: ColumnProfile, current: ColumnProfile) -> tuple[StatisticResult, ...]:
    if reference.bins is None or current.bins is None:
        return ()
    before, after = counts_of(reference.bins), counts_of(current.bins)
    over_counts = [statistic(before, after) for statistic in OVER_COUNTS]
    return *over_counts, *(_over_sketches(statistic, reference, current) for statistic in OVER_SKETCHES)


def _over_sketches(
    statistic: Callable[[QuantileSketch, QuantileSketch], StatisticResult],
    reference: ColumnProfile,
    current: ColumnProfile,
) -> StatisticResult:
    name = statistic.__name__
    if reference.bins is not None and reference.bins.edges is None:
        return refused(name, "needs numbers", reference.rows, current.rows)
    if reference.sketch is None or current.sketch is None:
        return refused(name, "all missing", reference.rows - reference.missing, current.rows - current.missing)
    return statistic(reference.sketch, current.sketch)


def _unreadable(reference: ColumnProfile, window: Window, seen: str, remedy: str) -> ColumnDrift:
    finding = Finding(
        code="column-not-compared",
        severity=Severity.ERROR,
        where=f"column {reference.name}, window {window.label}",
        seen=seen,
        remedy=remedy,
    )
    return ColumnDrift(
        column=reference.name,
        kind=reference.kind,
        verdict=DriftVerdict.NOT_ENOUGH_DATA,
        reference=reference.bins,
        current=None,
        finding=finding,
    )


def _all_columns(window: WindowDrift) -> tuple[ColumnDrift, ...]:
    return window.columns if window.output is None else (*window.columns, window.output)


def _test(column: ColumnDrift) -> StatisticResult | None:
    """The significance test of a column, where it has enough rows to be believed."""
    test = column.result("chi_squared")
    enough = test is not None and min(test.reference_rows, test.current_rows) >= LEAST_ROWS
    return test if enough else None


def _adjusted(columns: Sequence[ColumnDrift]) -> Iterator[float | None]:
    """For each column in turn its p-value, adjusted over all of them."""
    p_values = [None if (test := _test(column)) is None else test.p_value for column in columns]
    adjusted = iter(benjamini_hochberg([p for p in p_values if p is not None]).tolist())
    return iter([None if p is None else next(adjusted) for p in p_values])


def _judged(window: WindowDrift, adjusted: Iterator[float | None]) -> WindowDrift:
    """The window with its verdicts, its columns ranked; takes as many p-values as the window has columns."""
    columns = [_verdict(column, window.label, next(adjusted)) for column in window.columns]
    output = None if window.output is None else _verdict(window.output, window.label, next(adjusted))
    return window.replace(columns=tuple(sorted(columns, key=_moved, reverse=True)), output=output)


def _moved(column: ColumnDrift) -> float:
    result = column.result("psi")
    return -1.0 if result is None or result.value is None else result.value


def _verdict(column: ColumnDrift, window: str, adjusted: float | None) -> ColumnDrift:
    test, effect = _test(column), _moved(column)
    if test is None or effect < 0:
        return column
    significant = adjusted is not None and adjusted < FALSE_DISCOVERY_RATE
    if effect < MODERATE_PSI or (adjusted is not None and not significant):
        return column.replace(verdict=DriftVerdict.STABLE, adjusted_p_value=adjusted)
    if adjusted is None:
        return column
    verdict = DriftVerdict.MAJOR if effect >= MAJOR_PSI else DriftVerdict.MODERATE
    finding = _drifted(column, window, effect) if verdict is DriftVerdict.MAJOR else None
    return column.replace(verdict=verdict, adjusted_p_value=adjusted, finding=finding)


def _drifted(column: ColumnDrift, window: str, effect: float) -> Finding:
    return Finding(
        code="major-drift",
        severity=Severity.WARNING,
        where=f"column {column.column}, window {window}",
        seen=f"PSI {effect:.2f}; {moved_most(column)}",
        remedy="Check where the column comes from; if the world has moved, train on newer data",
    )


def moved_most(column: ColumnDrift) -> str:
    """The bin whose share changed most, in words; empty for a column that was not compared."""
    if column.reference is None or column.current is None:
        return ""
    before, after = counts_of(column.reference), counts_of(column.current)
    before, after = before / max(before.sum(), 1), after / max(after.sum(), 1)
    place = int(np.argmax(np.abs(after - before)))
    name = bin_names(column.reference, column.kind)[place]
    return f"{name} went from {before[place]:.1%} to {after[place]:.1%} of the rows"
