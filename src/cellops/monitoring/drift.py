"""Drift: every window against the profile that the package carries."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from cellops.data.bins import counts_alone, named_shortly
from cellops.data.problems import shorten
from cellops.data.profile import count, observe
from cellops.errors import CellopsError, InputError
from cellops.monitoring.performance import measure, worse_figures
from cellops.monitoring.verdict import LEAST_ROWS, judged
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Task
from cellops.records.drift import ColumnDrift, DriftReport, DriftVerdict, StatisticResult, WindowDrift
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnKind, ColumnProfile, QuantileSketch
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
BINARY = 2


def compare(contract: Contract, windows: Sequence[Window], *, package: str, digest: str, source: str) -> DriftReport:
    """Compare windows with the profile of a package; no reference data is needed.

    A column has drifted when both hold: its PSI reaches 0.1 (moderate) or 0.25 (major), and the chi-squared test over
    the same bins is significant at a false discovery rate of 1 % over all columns and windows of the report. Columns
    are ranked by PSI. Where a side has fewer than 100 rows there is no verdict, and no statistic. A column that is
    missing or cannot be read becomes a finding, and the others are compared.
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
    reference = {column.name: named_shortly(column.bins) for column in contract.profile.columns if column.bins}
    output = named_shortly(contract.output.bins) if contract.output and contract.output.bins else None
    return DriftReport(
        package=package,
        digest=digest,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        reference_rows=contract.profile.rows,
        reference_performance=contract.performance,
        reference=reference,
        reference_output=output,
        windows=judged(measured, reference, output),
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
        worse=tuple(now.name for now, _ in worse_figures(performance, contract.performance)),
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
        enough = min(reference.rows, len(values)) >= LEAST_ROWS
        current = observe(reference, values) if enough else None
        counted = count(reference, values) if current is None else current.bins
        results = _results(reference, current) if current else ()
    except CellopsError as error:
        return _unreadable(reference, window, _said(error), error.remedy)
    except (
        TypeError,
        ValueError,
        ArithmeticError,
        NotImplementedError,
    ) as error:  # what pandas, numpy, Arrow and Decimal raise on values they cannot hold
        return _unreadable(
            reference, window, str(error) or type(error).__name__, "Convert it to what the model was trained on"
        )
    return ColumnDrift(
        column=reference.name,
        kind=reference.kind,
        verdict=DriftVerdict.NOT_ENOUGH_DATA,
        current=None if counted is None else counts_alone(counted),
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


def _said(error: CellopsError) -> str:
    """What is wrong, with the value where there is one; a value may be of any length."""
    return error.fact if error.received is None else f"{error.fact}: {shorten(repr(error.received))}"


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
        current=None,
        finding=finding,
    )
