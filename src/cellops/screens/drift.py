"""A drift report as a table: one line a window."""

from typing import TYPE_CHECKING

from cellops.records.drift import DriftVerdict
from cellops.screens.console import console, findings, plain, say, shown

if TYPE_CHECKING:
    from cellops.flows.drift import Drifted
    from cellops.records.contract import Measure
    from cellops.records.drift import ColumnDrift, WindowDrift

VERDICTS = {
    DriftVerdict.MAJOR: "red",
    DriftVerdict.MODERATE: "yellow",
    DriftVerdict.STABLE: "green",
    DriftVerdict.NOT_ENOUGH_DATA: "dim",
}
MOST_COLUMNS = 3


def drift(done: "Drifted") -> None:
    from rich.table import Table

    report = done.report
    first = next((w.performance for w in report.windows if w.performance), report.reference_performance)
    names = [m.name for m in first.measures[:2]] if first else []
    table = Table("window", "rows", *names, "drifted", "output PSI", "moved most, PSI", box=None, pad_edge=False)
    if report.reference_performance is not None:
        reference = [_measure(report.reference_performance.measure(name)) for name in names]
        table.add_row("[dim]package[/]", f"[dim]{report.reference_rows:,}[/]", *reference, "", "", "")
    for window in report.windows:
        table.add_row(*_window(window, names))
    console().print(table)
    say(done.headline, markup=False)
    findings(done.findings)
    say(f"Report: {shown(done.page)}\nData:   {shown(done.data)}", markup=False)


def _window(window: "WindowDrift", names: list[str]) -> tuple[str, ...]:
    measures = [_measure(window.performance.measure(name)) if window.performance else "" for name in names]
    drifted = [c for c in window.columns if c.verdict.drifted]
    moved = ", ".join(f"[{VERDICTS[c.verdict]}]{plain(c.column)}[/] {_psi(c)}" for c in drifted[:MOST_COLUMNS])
    output = f"[{VERDICTS[window.output.verdict]}]{_psi(window.output)}[/]" if window.output else ""
    return plain(window.label), f"{window.rows:,}", *measures, _drifted(window), output, moved


def _drifted(window: "WindowDrift") -> str:
    judged = sum(column.verdict.judged for column in window.columns)
    if judged:
        return f"{sum(column.verdict.drifted for column in window.columns)} of {judged}"
    return "[dim]too few rows[/]" if any(column.current for column in window.columns) else "[dim]not compared[/]"


def _psi(column: "ColumnDrift") -> str:
    result = column.result("psi")
    return f"{result.value:.2f}" if result is not None and result.value is not None else "-"


def _measure(measure: "Measure | None") -> str:
    if measure is None:
        return "-"
    spread = f" ±{(measure.high - measure.low) / 2:.3f}" if measure.low is not None and measure.high is not None else ""
    return f"{measure.value:.3f}[dim]{spread}[/]"
