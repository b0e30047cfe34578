"""Results as text for a terminal, or as a table in a notebook: what `cli` and `magics` show."""

import sys
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellops.records.drift import DriftVerdict
from cellops.records.execution import CellProgress, CellState
from cellops.records.finding import Finding, Severity
from cellops.records.run import RunStatus, RunSummary
from cellops.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from cellops.flows.drift import Drifted
    from cellops.flows.execute import Execution
    from cellops.flows.package import Packaged
    from cellops.flows.serve import Serving
    from cellops.flows.session import Session
    from cellops.flows.sync import SyncResult
    from cellops.records.contract import Measure
    from cellops.records.drift import ColumnDrift, WindowDrift
    from cellops.records.expectation import ExpectationResult, SuiteResult

MARKS = {
    RunStatus.FINISHED: "[green]✓[/] finished",
    RunStatus.FAILED: "[red]✗[/] failed",
    RunStatus.KILLED: "[yellow]■[/] killed",
    RunStatus.RUNNING: "[cyan]…[/] running",
}
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
VERDICTS = {
    DriftVerdict.MAJOR: "red",
    DriftVerdict.MODERATE: "yellow",
    DriftVerdict.STABLE: "green",
    DriftVerdict.NOT_ENOUGH_DATA: "dim",
}
MOST_METRICS = 3
MOST_COLUMNS = 3
WIDTH = 120
"""Characters in a line of a notebook's output, a file or a pipe."""


def console() -> "Console":
    """Where results go: the terminal, or, as one coloured text, the output of the notebook's cell."""
    from rich.console import Console

    if type(sys.stdout).__module__.startswith("ipykernel."):
        return Console(highlight=False, force_jupyter=False, force_terminal=True, color_system="standard", width=WIDTH)
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)


def progress(cell: CellProgress) -> None:
    """One line for each cell that has ended."""
    if cell.state is CellState.RUNNING:
        return
    mark = click.style("✓", "green") if cell.state is CellState.DONE else click.style("✗", "red")
    click.echo(f"{mark} cell {cell.index + 1:>2} of {cell.total}  {cell.seconds:6.1f} s  {cell.title[: WIDTH // 2]}")


def executed(done: "Execution") -> None:
    out = console()
    out.print(
        f"Executed {done.executed.cells} cells in {done.executed.seconds:.1f} s: {done.executed.output}", soft_wrap=True
    )
    for found in done.runs:
        out.print(run_line(found), markup=False, soft_wrap=True)
    if done.unsynced is not None:
        out.print(f"[yellow]{done.unsynced}[/]")
    elif not done.runs:
        out.print("[yellow]The notebook opened no run. Begin the cell that trains with: %%mlops run[/]", markup=True)


def run_line(run: RunSummary) -> str:
    """A run in one line, with the verb that shows more."""
    word = {RunStatus.FINISHED: "finished", RunStatus.FAILED: "failed", RunStatus.KILLED: "was stopped"}
    parts = [f"run {run.name} {word.get(run.status, 'is running')}{_duration(run, ' in ')}"]
    parts += [f"{name} {value:.4g}" for name, value in list(run.metrics.items())[:MOST_METRICS]]
    serious = sum(finding.severity is not Severity.INFO for finding in run.findings)
    parts += [f"{serious} finding{'s' if serious > 1 else ''}"] if serious else []
    return " · ".join([*parts, f"%mlops show {run.run[:8]}"])


def runs(found: list[RunSummary]) -> None:
    from rich.table import Table

    if not found:
        console().print("No runs yet. In a notebook: %load_ext cellops, then a cell that begins with %%mlops run")
        return
    table = Table("run", "name", "status", "started", "took", "metrics", "findings", box=None, pad_edge=False)
    for run in found:
        status = MARKS[run.status] + ("" if run.synced else " [dim](not synced)[/]")
        metrics = ", ".join(f"{n} {v:.4g}" for n, v in list(run.metrics.items())[:MOST_METRICS])
        table.add_row(
            run.run[:8], run.name, status, _when(run.started), _duration(run), metrics, _counted(run.findings)
        )
    console().print(table)


def run(found: RunSummary, settings: Settings) -> None:
    from rich.markup import escape

    out = console()
    out.print(f"[bold]{escape(found.name)}[/]  {found.run}  {MARKS[found.status]}")
    facts = {
        "started": _when(found.started) + _duration(found, ", took "),
        "notebook": found.notebook,
        "experiment": found.experiment,
        "seed": found.seed,
        "MLflow": found.mlflow_run_id and f"{found.mlflow_run_id} in {settings.tracking_uri}",
        "models": ", ".join(found.models),
    }
    for name, value in facts.items():
        if value not in (None, ""):
            out.print(f"  {name:<11}{value}", markup=False, soft_wrap=True)
    _values("metrics", found.metrics)
    _values("parameters", found.parameters)
    _findings(found.findings)
    if settings.tracking_uri.startswith("sqlite:"):
        out.print(f"[dim]In a browser: mlflow ui --backend-store-uri {settings.tracking_uri}[/]", soft_wrap=True)


def _values(title: str, values: Mapping[str, object]) -> None:
    if values:
        console().print(f"[bold]{title}[/]")
    for name, value in values.items():
        console().print(f"  {name:<40} {value}", markup=False, soft_wrap=True)


def package(built: "Packaged") -> None:
    out = console()
    size = sum(file.size for file in built.manifest.files)
    out.print(f"[bold]{_shown(built.path)}[/]")
    out.print(f"  run        {built.run.name} {built.run.run[:8]}", markup=False)
    out.print(
        f"  files      {len(built.manifest.files)}, {size / 1e6:.1f} MB, SHA-256 of the manifest {built.digest[:16]}"
    )
    schema = built.contract.schema
    out.print(f"  inputs     {', '.join(field.name for field in schema.inputs)}", markup=False, soft_wrap=True)
    out.print(f"  output     {schema.target}, {schema.task.value}", markup=False)
    for measure in built.contract.performance.measures if built.contract.performance else ():
        interval = f" [{measure.low:.4f}, {measure.high:.4f}]" if measure.low is not None else ""
        out.print(f"  {measure.name:<10} {measure.value:.4f}{interval}", markup=False)
    out.print(f"Serve it with: cellops serve {_shown(built.path)}", markup=False, soft_wrap=True)


def serving(ready: "Serving") -> None:
    out = console()
    out.print(f"Serving {ready.name} on {ready.url} (parity rows agree)", markup=False, soft_wrap=True)
    if ready.token_is_new:
        out.print(f"Token for this start: {ready.token}", markup=False, soft_wrap=True)
    out.print(f"Prediction log: {_shown(ready.log)}", markup=False, soft_wrap=True)
    out.print("Stop with Ctrl-C.")


def expectations(result: "SuiteResult") -> None:
    from rich.table import Table

    out = console()
    holding = sum(r.passed for r in result.results)
    out.print(f"{holding} of {len(result.results)} expectations on {result.suite} hold ({result.rows:,} rows)")
    failures = result.failures()
    if not failures:
        return
    table = Table("expectation", "failed", "rows", "seen", "reason", box=None, pad_edge=False)
    for failure in failures:
        table.add_row(*_failure(failure))
    out.print(table)


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
    _findings(report.findings)
    console().print(f"Report: {_shown(done.page)}\nData:   {_shown(done.data)}", markup=False, soft_wrap=True)


def status(session: "Session") -> None:
    out = console()
    cells, overhead = len(session.trail), sorted(session.overheads())
    median = f", {overhead[len(overhead) // 2] * 1000:.2f} ms each at the median" if overhead else ""
    out.print(f"Capturing {session.notebook or 'this session'}: {cells} cells{median}, {len(session.runs)} runs")
    out.print(f"Journal: {session.journal.path}", markup=False)
    found = [*session.hidden_state(), *(finding for record in session.trail for finding in record.findings)]
    _findings([*session.faults, *dict.fromkeys(found)])
    if not found and not session.faults:
        out.print("No findings.")
    out.print("[dim]Switch off: %unload_ext cellops[/]")


def synced(result: "SyncResult") -> None:
    killed = f", {result.killed} of them ended as killed" if result.killed else ""
    console().print(
        f"Carried {result.journals} journals: {result.runs} runs{killed}"
        if result.journals
        else "All is in the tracking store."
    )


def cleaned(freed: int) -> None:
    console().print(f"Freed {freed / 1e6:.1f} MB")


def _findings(found: Iterable[Finding]) -> None:
    from rich.markup import escape

    for finding in sorted(found, key=lambda f: list(Severity).index(f.severity), reverse=True):
        colour = COLOURS[finding.severity]
        console().print(
            f"[{colour}]{finding.severity.value}[/] {escape(finding.where)}: {escape(finding.seen)}", soft_wrap=True
        )
        console().print(f"  [dim]{escape(finding.remedy)} ({finding.code})[/]", soft_wrap=True)


def _failure(result: "ExpectationResult") -> tuple[str, ...]:
    expectation = result.expectation
    colour = COLOURS[expectation.severity]
    name = f"[{colour}]{expectation.severity.value}[/] {expectation.rule}({', '.join(expectation.columns)})"
    if result.problem is not None:
        return name, "", "", result.problem, expectation.reason or ""
    seen = ", ".join(map(str, result.unexpected)) or str(result.observed)
    failed = f"{result.failed:,} ({result.share:.1%})" if result.failed else ""
    return name, failed, ", ".join(map(str, result.failed_rows)), seen, expectation.reason or ""


def _window(window: "WindowDrift", names: list[str]) -> tuple[str, ...]:
    measures = [_measure(window.performance.measure(name)) if window.performance else "" for name in names]
    drifted = [c for c in window.columns if c.verdict in {DriftVerdict.MAJOR, DriftVerdict.MODERATE}]
    moved = ", ".join(f"[{VERDICTS[c.verdict]}]{c.column}[/] {_psi(c)}" for c in drifted[:MOST_COLUMNS])
    output = f"[{VERDICTS[window.output.verdict]}]{_psi(window.output)}[/]" if window.output else ""
    return window.label, f"{window.rows:,}", *measures, f"{len(drifted)} of {len(window.columns)}", output, moved


def _psi(column: "ColumnDrift") -> str:
    result = column.result("psi")
    return f"{result.value:.2f}" if result is not None and result.value is not None else "-"


def _measure(measure: "Measure | None") -> str:
    if measure is None:
        return "-"
    spread = f" ±{(measure.high - measure.low) / 2:.3f}" if measure.low is not None and measure.high is not None else ""
    return f"{measure.value:.3f}[dim]{spread}[/]"


def _counted(found: tuple[Finding, ...]) -> str:
    counts = {severity: sum(f.severity is severity for f in found) for severity in reversed(Severity)}
    return ", ".join(f"[{COLOURS[s]}]{n} {s.value}[/]" for s, n in counts.items() if n and s is not Severity.INFO)


def _shown(path: str) -> str:
    """A path as short as it can be typed from here."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _when(seconds: float) -> str:
    """Local time; the day only where it is not today."""
    moment, now = datetime.fromtimestamp(seconds).astimezone(), datetime.now().astimezone()
    return moment.strftime("%H:%M:%S" if moment.date() == now.date() else "%Y-%m-%d %H:%M")


def _duration(run: RunSummary, before: str = "") -> str:
    if run.ended is None:
        return f"{before}{time.time() - run.started:.0f} s so far" if not before else ""
    return f"{before}{run.ended - run.started:.1f} s"
