"""Drift: every window against the profile that the package carries."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cellops.data.bins import counts_alone, named_shortly
from cellops.errors import InputError
from cellops.monitoring.observed import ObservedColumn, ObservedWindow
from cellops.monitoring.performance import worse_figures
from cellops.monitoring.verdict import LEAST_ROWS, judged
from cellops.monitoring.window_part import WindowPart, in_turn
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract
from cellops.records.drift import ColumnDrift, DriftReport, DriftVerdict, StatisticResult, WindowDrift
from cellops.records.profile import ColumnProfile, QuantileSketch
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


def compare(
    contract: Contract,
    windows: Sequence[Window | WindowPart | ObservedWindow],
    *,
    package: str,
    digest: str,
    source: str,
) -> DriftReport:
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
        What was seen, cut by `cellops.monitoring.windows`, or what `cellops.monitoring.observed` keeps of it.
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
    measured = [_measured(contract, window) for window in in_turn(contract, windows)]
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


def _measured(contract: Contract, window: ObservedWindow) -> WindowDrift:
    """All figures of a window, before any verdict: for that, those of the other windows are needed."""
    return WindowDrift(
        label=window.label,
        start=window.start,
        end=window.end,
        rows=window.rows,
        labelled_rows=window.labelled_rows,
        columns=tuple(_compared(column) for column in window.columns),
        output=None if window.output is None else _compared(window.output),
        performance=window.performance,
        worse=tuple(now.name for now, _ in worse_figures(window.performance, contract.performance)),
        findings=window.findings,
    )


def _compared(column: ObservedColumn) -> ColumnDrift:
    reference, current = column.reference, column.current
    enough = current is not None and min(reference.rows, current.rows) >= LEAST_ROWS
    return ColumnDrift(
        column=reference.name,
        kind=reference.kind,
        verdict=DriftVerdict.NOT_ENOUGH_DATA,
        current=None if current is None or current.bins is None else counts_alone(current.bins),
        results=_results(reference, current) if current is not None and enough else (),
        finding=column.finding,
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
