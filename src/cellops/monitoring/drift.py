"""Drift: every window against the profile that the package carries."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cellops.data.bins import counts_alone, named_shortly
from cellops.errors import InputError
from cellops.monitoring.alarms import RATE, alarmed
from cellops.monitoring.aspects import aspects
from cellops.monitoring.observed import ObservedColumn, ObservedWindow
from cellops.monitoring.performance import worse_figures
from cellops.monitoring.relations import RelationsSeen, moved_apart
from cellops.monitoring.statistics import chosen, results
from cellops.monitoring.verdict import LEAST_ROWS, judged
from cellops.monitoring.window_part import WindowPart, in_turn
from cellops.monitoring.windows import Window
from cellops.monitoring.words import RELATIONS, moved
from cellops.records.contract import Contract
from cellops.records.drift import ColumnDrift, DriftReport, DriftVerdict, WindowDrift
from cellops.records.profile import Bins, ColumnProfile


def compare(
    contract: Contract,
    windows: Sequence[Window | WindowPart | ObservedWindow],
    *,
    package: str,
    digest: str,
    source: str,
    statistics: str | Iterable[str] | None = None,
    alarm_rate: float = RATE,
) -> DriftReport:
    """Compare windows with the profile of a package; no reference data is needed.

    A column has drifted when both hold: its PSI reaches 0.1 (moderate) or 0.25 (major), and the chi-squared test over
    the same bins is significant at a false discovery rate of 1 % over all columns and windows of the report. Columns
    are ranked by consequence: how far they moved times how much the model depends on them, where the package says so.
    Windows are tested for alarms in the order of time, see `cellops.monitoring.alarms`. Where a side has fewer than 100
    rows there is no verdict, and no statistic. A column that is missing or cannot be read becomes a finding, and the
    others are compared. Columns that the profile does not know are ignored.

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
    statistics
        Names of those that stand in the report beside the ones of the verdicts, or `all`; default is the cheap ones.
    alarm_rate
        The share of false alarms among all of them to stay below, between 0 and 1.

    Raises
    ------
    InputError
        When there are no windows, or the rate is not between 0 and 1.
    UsageError
        When there is no such statistic.
    """
    if not windows:
        fact = "There is nothing to compare"
        raise InputError(fact, remedy="Give at least one window of rows")
    names = chosen(statistics)
    measured = [_measured(contract, window, names) for window in in_turn(contract, windows)]
    relations = contract.profile.relations
    return DriftReport(
        package=package,
        digest=digest,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        reference_rows=contract.profile.rows,
        reference_performance=contract.performance,
        reference={column.name: named_shortly(column.bins) for column in contract.profile.columns if column.bins},
        reference_output=_bins(contract.output),
        reference_relations=None if relations is None else _bins(relations.errors),
        windows=alarmed(judged(measured), alarm_rate),
        alarm_rate=alarm_rate,
    )


def _bins(column: ColumnProfile | None) -> Bins | None:
    return None if column is None or column.bins is None else named_shortly(column.bins)


def _measured(contract: Contract, window: ObservedWindow, names: frozenset[str]) -> WindowDrift:
    """All figures of a window, before any verdict: for that, those of the other windows are needed."""
    importance = contract.importance if any(contract.importance.values()) else {}
    columns = [_compared(column, names) for column in window.columns]
    return WindowDrift(
        label=window.label,
        start=window.start,
        end=window.end,
        rows=window.rows,
        labelled_rows=window.labelled_rows,
        columns=tuple(column.replace(importance=importance.get(column.column)) for column in columns),
        output=None if window.output is None else _compared(window.output, names),
        relations=None if window.relations is None else _related(window.relations, names),
        performance=window.performance,
        worse=tuple(now.name for now, _ in worse_figures(window.performance, contract.performance)),
        findings=window.findings,
    )


def _related(seen: RelationsSeen, names: frozenset[str]) -> ColumnDrift:
    """The relations as a column like any other, in words of their own."""
    drift = _compared(ObservedColumn(seen.reference, seen.current), names).replace(column=RELATIONS)
    return drift.replace(moved=moved_apart(seen)) if drift.moved else drift


def _compared(column: ObservedColumn, names: frozenset[str]) -> ColumnDrift:
    reference, current = column.reference, column.current
    drift = ColumnDrift(
        column=reference.name,
        kind=reference.kind,
        verdict=DriftVerdict.NOT_ENOUGH_DATA,
        current=None if current is None or current.bins is None else counts_alone(current.bins),
        finding=column.finding,
    )
    if current is None or min(reference.rows, current.rows) < LEAST_ROWS:
        return drift
    drift = drift.replace(results=results(column, names))
    far = {aspect.statistic for aspect in aspects(drift) if aspect.moderate}
    return drift.replace(moved=moved(reference, current, far)) if far else drift
