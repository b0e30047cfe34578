"""A drift report as tables: one line a window, one a column that drifted, one a column that may explain what fell."""

from typing import TYPE_CHECKING

from cellops.errors import visible
from cellops.records.drift import DriftVerdict
from cellops.screens.console import console, findings, plain, say, shown

if TYPE_CHECKING:
    from cellops.flows.drift import Drifted
    from cellops.records.contract import Measure
    from cellops.records.drift import ColumnDrift, RankedColumn, WindowDrift

VERDICTS = {
    DriftVerdict.MAJOR: "red",
    DriftVerdict.MODERATE: "yellow",
    DriftVerdict.STABLE: "green",
    DriftVerdict.NOT_ENOUGH_DATA: "dim",
}
MOST_COLUMNS = 10
MOST_FIGURES = 2
MOST_LABELS = 3
LARGE = 1e6


def drift(done: "Drifted") -> None:
    from rich.table import Table

    report = done.report
    first = next((w.performance for w in report.windows if w.performance), report.reference_performance)
    names = _names(first.measures, {name for window in report.windows for name in window.worse}) if first else []
    table = Table("window", "rows", *names, "alarm", "drifted", "output PSI", box=None, pad_edge=False)
    if report.reference_performance is not None:
        promised = report.reference_performance
        reference = [_measure(promised.measure(n), whole=p < MOST_FIGURES) for p, n in enumerate(names)]
        table.add_row("[dim]package[/]", f"[dim]{report.reference_rows:,}[/]", *reference, "", "", "")
    for window in report.windows:
        table.add_row(*_window(window, names))
    console().print(table)
    _ranked(done)
    _unexplained(done)
    say(visible(done.headline), markup=False)
    findings(done.findings)
    replaced = " (in place of the one that was there)" if done.replaced else ""
    say(f"Report: {shown(done.page)}{replaced}\nData:   {shown(done.data)}", markup=False)


def _names(measures: "tuple[Measure, ...]", worse: set[str]) -> list[str]:
    """The figures that have a column: the first ones, and all that are worse than promised anywhere."""
    return [measure.name for place, measure in enumerate(measures) if place < MOST_FIGURES or measure.name in worse]


def _window(window: "WindowDrift", names: list[str]) -> tuple[str, ...]:
    measures = [_figure(window, name, whole=place < MOST_FIGURES) for place, name in enumerate(names)]
    output = f"[{VERDICTS[window.output.verdict]}]{_psi(window.output)}[/]" if window.output else ""
    return plain(window.label), f"{window.rows:,}", *measures, _alarm(window), _drifted(window), output


def _alarm(window: "WindowDrift") -> str:
    if window.alarm is None:
        return "[dim]-[/]"
    return "[red]alarm[/]" if window.alarm.raised else "[green]none[/]"


def _ranked(done: "Drifted") -> None:
    """Every column that drifted, in the order of consequence, as it stood in its gravest window."""
    if not done.ranked:
        return
    say("")
    _lines("drifted", done.ranked[:MOST_COLUMNS])
    if len(done.ranked) > MOST_COLUMNS:
        say(f"[dim]{len(done.ranked) - MOST_COLUMNS} more in the report[/]")
    inputs = [column for window in done.report.windows for column in window.columns]
    if any(column.verdict.drifted for column in inputs) and not any(column.importance for column in inputs):
        say("[dim]Ranked by drift alone: the package does not say how important its columns are[/]")
    say("")


def _unexplained(done: "Drifted") -> None:
    """Where performance fell and no column drifted: the columns of most consequence, or that none has moved."""
    if not done.unexplained:
        return
    say("")
    more = f" and {len(done.unexplained) - MOST_LABELS} more" if len(done.unexplained) > MOST_LABELS else ""
    windows = f"{', '.join(done.unexplained[:MOST_LABELS])}{more}"
    say(f"Worse than promised, though no input column drifted: {windows}", markup=False)
    if done.leading:
        _lines("most moved", done.leading)
        remedy = "Look at these first; if they stay so, train on newer data"
    else:
        remedy = "No column moved by more than chance. Check the labels; if they are right, train on newer data"
    say(f"[dim]{remedy}[/]")
    say("")


def _lines(title: str, columns: "tuple[RankedColumn, ...]") -> None:
    from rich.table import Table

    table = Table(title, "effect", "importance", "adjusted p", "in", "what moved", box=None, pad_edge=False)
    for column in columns:
        name = f"[{VERDICTS[column.verdict]}]{plain(visible(column.column))}[/]"
        importance = "-" if column.importance is None else f"{column.importance:.0%}"
        table.add_row(
            name, column.effect, importance, column.p_value, plain(column.window), plain(visible(column.moved))
        )
    console().print(table)


def _drifted(window: "WindowDrift") -> str:
    judged = sum(column.verdict.judged for column in window.columns)
    if judged:
        return f"{sum(column.verdict.drifted for column in window.columns)} of {judged}"
    return "[dim]too few rows[/]" if any(column.current for column in window.columns) else "[dim]not compared[/]"


def _psi(column: "ColumnDrift") -> str:
    result = column.result("psi")
    return f"{result.value:.2f}" if result is not None and result.value is not None else "-"


def _figure(window: "WindowDrift", name: str, *, whole: bool) -> str:
    """A figure of a window with its mark where it is worse than promised."""
    if window.performance is None:
        return ""
    mark = "[red]▼[/] " if name in window.worse else ""
    return f"{mark}{_measure(window.performance.measure(name), whole=whole)}"


def _measure(measure: "Measure | None", *, whole: bool) -> str:
    """A figure, where it is whole with its confidence interval."""
    if measure is None:
        return "-"
    if not whole or measure.low is None or measure.high is None:
        return _number(measure.value)
    return f"{_number(measure.value)}[dim] ({_number(measure.low)} to {_number(measure.high)})[/]"


def _number(value: float) -> str:
    """Three decimals; a number that is far from 1 has four digits and its power of ten."""
    return f"{value:.3f}" if abs(value) < LARGE else f"{value:.4g}"
