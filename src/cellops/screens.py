"""Results as text for a terminal, or as a table in a notebook: what `cli` and `magics` show."""

import shlex
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.console import COLOURS, command, console, count, findings, plain, say, shown
from cellops.errors import printable
from cellops.records.execution import CellProgress, CellState
from cellops.records.finding import Finding, Severity
from cellops.records.run import RunStatus, RunSummary
from cellops.settings import Settings, without_credentials

if TYPE_CHECKING:
    from cellops.flows.execute import Execution
    from cellops.flows.package import Packaged
    from cellops.flows.serve import Served, Serving
    from cellops.flows.session import Session
    from cellops.flows.sync import SyncResult
    from cellops.records.expectation import ExpectationResult, SuiteResult

MARKS = {
    RunStatus.FINISHED: "[green]✓[/] finished",
    RunStatus.FAILED: "[red]✗[/] failed",
    RunStatus.KILLED: "[yellow]■[/] killed",
    RunStatus.RUNNING: "[cyan]…[/] running",
}
MOST_METRICS = 3
LONGEST_TITLE = 60


def progress(cell: CellProgress) -> None:
    """One line for each cell that has ended."""
    if cell.state is CellState.RUNNING:
        return
    mark = "[green]✓[/]" if cell.state is CellState.DONE else "[red]✗[/]"
    place = "parameters" if cell.index is None else f"cell {cell.index + 1:>2} of {cell.total}"
    say(
        f"{mark} {place:<{len(f'cell 00 of {cell.total}')}}  {cell.seconds:6.1f} s  {plain(cell.title[:LONGEST_TITLE])}"
    )


def executed(done: "Execution") -> None:
    say(
        f"Executed {count(done.executed.cells, 'cell')} in {done.executed.seconds:.1f} s: {plain(done.executed.output)}"
    )
    for found in done.runs:
        say(run_line(found), markup=False)
    if done.unsynced is not None:
        say(f"[yellow]{plain(done.unsynced)}[/]")
    elif not done.runs:
        say("[yellow]The notebook opened no run. Begin the cell that trains with: %%mlops run[/]")


def run_line(run: RunSummary) -> str:
    """A run in one line, with the verb that shows more."""
    word = {RunStatus.FINISHED: "finished", RunStatus.FAILED: "failed", RunStatus.KILLED: "was stopped"}
    parts = [f"run {run.name} {word.get(run.status, 'is running')}{_duration(run, ' in ')}"]
    parts += [f"{name} {value:.4g}" for name, value in list(run.metrics.items())[:MOST_METRICS]]
    serious = sum(finding.severity is not Severity.INFO for finding in run.findings)
    parts += [count(serious, "finding")] if serious else []
    return printable(" · ".join([*parts, command(f"show {run.run[:8]}")]))


def runs(found: list[RunSummary]) -> None:
    from rich.table import Table

    if not found:
        console().print("No runs yet. In a notebook: %load_ext cellops, then a cell that begins with %%mlops run")
        return
    table = Table("run", "name", "status", "started", "took", "metrics", "findings", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for run in found:
        status = MARKS[run.status] + ("" if run.synced else " [dim](not synced)[/]")
        metrics = plain(", ".join(f"{n} {v:.4g}" for n, v in list(run.metrics.items())[:MOST_METRICS]))
        name, took = plain(run.name), _duration(run)
        table.add_row(run.run[:8], name, status, _when(run.started), took, metrics, _counted(run.findings))
    console().print(table)


def run(found: RunSummary, settings: Settings, *, everything: bool = False) -> None:
    say(f"[bold]{plain(found.name)}[/]  {found.run}  {MARKS[found.status]}")
    facts = {
        "started": _when(found.started) + _duration(found, ", took "),
        "notebook": found.notebook,
        "experiment": found.experiment,
        "seed": found.seed,
        "MLflow": found.mlflow_run_id and f"{found.mlflow_run_id} in {without_credentials(settings.tracking_uri)}",
        "models": ", ".join(found.models),
    }
    for name, value in facts.items():
        if value not in (None, ""):
            say(f"  {name:<11}{value}", markup=False)
    _values("metrics", found.metrics)
    # A dot stands between a model and what `get_params()` says of it; names that a cell binds have none.
    own = {name: value for name, value in found.parameters.items() if everything or "." not in name}
    _values("parameters", own)
    folded = len(found.parameters) - len(own)
    if folded:
        say(f"  [dim]and {count(folded, 'parameter')} of the estimator: {command(f'show {found.run[:8]} --all')}[/]")
    findings(found.findings)
    if settings.tracking_uri.startswith("sqlite"):
        say(
            f"[dim]In a browser: {plain(shlex.join(['mlflow', 'ui', '--backend-store-uri', settings.tracking_uri]))}[/]"
        )


def _values(title: str, values: Mapping[str, object]) -> None:
    if values:
        say(f"[bold]{title}[/]")
    widest = min(max(map(len, values), default=0), LONGEST_TITLE)
    for name, value in values.items():
        say(f"  {name:<{widest}}  {value}", markup=False)


def package(built: "Packaged") -> None:
    schema, files = built.contract.schema, built.manifest.files
    size = sum(file.size for file in files)
    facts = {
        "run": f"{built.run.name} {built.run.run[:8]}",
        "files": f"{len(files)}, {size / 1e6:.1f} MB, SHA-256 of the manifest {built.digest[:16]}",
        "inputs": ", ".join(field.name for field in schema.inputs),
        "output": f"{schema.target}, {schema.task.value}",
    }
    for measure in built.contract.performance.measures if built.contract.performance else ():
        interval = f" [{measure.low:.4f}, {measure.high:.4f}]" if measure.low is not None else ""
        facts[measure.name] = f"{measure.value:.4f}{interval}"
    say(f"[bold]{plain(shown(built.path))}[/]")
    for name, value in facts.items():
        say(f"  {name:<10} {value}", markup=False)
    say(f"Serve it with: {shlex.join(['cellops', 'serve', shown(built.path)])}", markup=False)


def serving(ready: "Serving") -> None:
    say(f"Serving {ready.name} on {ready.url} (parity rows agree)", markup=False)
    if ready.token_is_new:
        say(f"Token for this start: {ready.token}", markup=False)
    say(f"Prediction log: {shown(ready.log)}", markup=False)
    say("Stop with Ctrl-C.")


def served(done: "Served") -> None:
    answered, labels = count(done.requests, "request"), count(done.labels, "label")
    say(f"Stopped: answered {answered} with {count(done.rows, 'row')}, took {labels}")
    for finding in done.findings:
        say(f"{finding.where}: {finding.seen}. {finding.remedy}", markup=False)


def expectations(result: "SuiteResult") -> None:
    from rich.table import Table

    holding = sum(r.passed for r in result.results)
    total = len(result.results)
    verb = "holds" if total == 1 else "hold"
    say(f"{holding} of {count(total, 'expectation')} on {plain(result.suite)} {verb} ({count(result.rows, 'row')})")
    failures = result.failures()
    if not failures:
        return
    table = Table("expectation", "failed", "rows", "seen", "reason", box=None, pad_edge=False)
    for failure in failures:
        table.add_row(*_failure(failure))
    console().print(table)


def status(session: "Session") -> None:
    overhead = sorted(session.overheads())
    cells = count(len(session.trail), "cell")
    median = f", {overhead[len(overhead) // 2] * 1000:.2f} ms each at the median" if overhead else ""
    where = session.notebook or "this session"
    say(f"Capturing {where}: {cells}{median}, {count(len(session.runs), 'run')}", markup=False)
    say(f"Journal: {session.journal.path}", markup=False)
    found = [finding for record in session.trail for finding in record.findings]
    findings(_joined([*session.faults, *found]))
    if not found and not session.faults:
        say("No findings.")
    say("[dim]Switch off: %unload_ext cellops[/]")


def _joined(found: list[Finding]) -> list[Finding]:
    """Findings that say the same of several places, once with the places."""
    places: dict[Finding, dict[str, None]] = {}
    for finding in found:
        places.setdefault(finding.replace(where=""), {})[finding.where] = None
    return [finding.replace(where=", ".join(where)) for finding, where in places.items()]


def synced(result: "SyncResult") -> None:
    killed = f", {result.killed} of them ended as killed" if result.killed else ""
    if result.journals:
        say(f"Carried {count(result.journals, 'journal')}: {count(result.runs, 'run')}{killed}")
    elif not result.findings:
        say("All is in the tracking store.")
    errors = [finding for finding in result.findings if finding.severity is Severity.ERROR]
    findings(finding for finding in result.findings if finding not in errors or len(errors) > 1)


def kept(journals: list[Path]) -> None:
    if journals:
        verb = "stays, as it holds" if len(journals) == 1 else "stay, as they hold"
        where = shown(str(journals[0].parent))
        say(f"{count(len(journals), 'journal')} {verb} what is in no run's trail: {where}", markup=False)


def cleaned(freed: int) -> None:
    say(f"Freed {freed / 1e6:.1f} MB")


def _failure(result: "ExpectationResult") -> tuple[str, ...]:
    expectation = result.expectation
    colour = COLOURS[expectation.severity]
    columns = plain(", ".join(expectation.columns))
    name = f"[{colour}]{expectation.severity.value}[/] {plain(expectation.rule)}({columns})"
    reason = plain(expectation.reason or "")
    if result.problem is not None:
        return name, "", "", plain(result.problem), reason
    seen = ", ".join(map(str, result.unexpected)) or str(result.observed)
    failed = f"{result.failed:,} ({result.share:.1%})" if result.failed else ""
    return name, failed, ", ".join(map(str, result.failed_rows)), plain(seen), reason


def _counted(found: tuple[Finding, ...]) -> str:
    counts = {severity: sum(f.severity is severity for f in found) for severity in reversed(Severity)}
    return ", ".join(f"[{COLOURS[s]}]{n} {s.value}[/]" for s, n in counts.items() if n and s is not Severity.INFO)


def _when(seconds: float) -> str:
    """Local time; the day only where it is not today."""
    moment, now = datetime.fromtimestamp(seconds).astimezone(), datetime.now().astimezone()
    return moment.strftime("%H:%M:%S" if moment.date() == now.date() else "%Y-%m-%d %H:%M")


def _duration(run: RunSummary, before: str = "") -> str:
    if run.ended is None:
        return f"{before}{time.time() - run.started:.0f} s so far" if not before else ""
    return f"{before}{run.ended - run.started:.1f} s"
