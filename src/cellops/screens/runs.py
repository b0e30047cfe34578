"""Runs: in one line, in a table, and one whole."""

import shlex
import time
from collections.abc import Mapping
from datetime import datetime

from cellops.errors import printable
from cellops.records.cell import place
from cellops.records.finding import Finding, Severity, merged, serious
from cellops.records.gate import GateResult, not_passed
from cellops.records.recorded import RecordedRun
from cellops.records.run import RunStatus, RunSummary
from cellops.screens.basis import basis
from cellops.screens.console import COLOURS, command, console, count, findings, plain, say
from cellops.screens.gates import gates
from cellops.settings import Settings, without_credentials

MARKS = {
    RunStatus.FINISHED: "[green]✓[/] finished",
    RunStatus.FAILED: "[red]✗[/] failed",
    RunStatus.KILLED: "[yellow]■[/] killed",
    RunStatus.RUNNING: "[cyan]…[/] running",
}
PROOFS = {
    "identical": "[green]✓[/] identical",
    "within tolerance": "[green]≈[/] within tolerance",
    "diverged": "[red]✗[/] diverged",
}
MOST_METRICS = 3
LONGEST_NAME = 60


def run_line(run: RunSummary) -> str:
    """A run in one line, with the verb that shows more."""
    word = {RunStatus.FINISHED: "finished", RunStatus.FAILED: "failed", RunStatus.KILLED: "killed"}
    parts = [f"run {run.name} {word.get(run.status, 'is running')}{_duration(run, ' in ')}"]
    parts += [f"{name} {value:.4g}" for name, value in list(run.metrics.items())[:MOST_METRICS]]
    grave = serious(run.findings)
    parts += [count(grave, "finding")] if grave else []
    return printable(" · ".join([*parts, command(f"show {run.run[:8]}")]))


def runs(found: list[RunSummary]) -> None:
    from rich.table import Table

    if not found:
        console().print("No runs yet. In a notebook: %load_ext cellops, then a cell that begins with %%mlops run")
        return
    proofs = ["proof"] if any(run.proof for run in found) else []
    gated = ["gates"] if any(run.gates for run in found) else []
    columns = ("run", "name", "status", *proofs, *gated, "started", "took", "metrics", "findings")
    table = Table(*columns, box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for run in found:
        status = MARKS[run.status] + ("" if run.synced else " [dim](not synced)[/]")
        metrics = plain(", ".join(f"{n} {v:.4g}" for n, v in list(run.metrics.items())[:MOST_METRICS]))
        name, took = plain(run.name), _duration(run)
        proof = [PROOFS.get(run.proof or "", plain(run.proof or ""))] if proofs else []
        passed = [_passed(run.gates)] if gated else []
        table.add_row(
            run.run[:8], name, status, *proof, *passed, _when(run.started), took, metrics, _counted(run.findings)
        )
    console().print(table)


def run(found: RunSummary, settings: Settings, whole: RecordedRun | None = None, *, everything: bool = False) -> None:
    """One run with all that is told of it; what it stands on, where its whole record is at hand."""
    say(f"[bold]{plain(found.name)}[/]  {found.run}  {MARKS[found.status]}")
    facts = {
        "started": _when(found.started) + _duration(found, ", took "),
        "notebook": found.notebook,
        "step": found.step,
        "experiment": found.experiment,
        "seed": found.seed,
        "MLflow": _where(found, settings),
        "models": ", ".join(found.models),
        "proof": found.proof,
        "failed": None if whole is None else _error(whole),
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
    if whole is not None:
        basis(whole)
    gates(found.gates)
    findings(found.findings)
    if settings.tracking_uri.startswith("sqlite"):
        say(
            f"[dim]In a browser: {plain(shlex.join(['mlflow', 'ui', '--backend-store-uri', settings.tracking_uri]))}[/]"
        )


def _error(run: RecordedRun) -> str | None:
    """What ended a run that failed, as its cell said it."""
    own = (record for record in run.trail if record.run == run.run and record.error is not None)
    record = next(own, None) if run.closed.status is RunStatus.FAILED else None
    if record is None or record.error is None:
        return None
    line = "" if record.error.line is None else f", line {record.error.line}"
    return f"{place(record.execution_count)}{line}: {record.error.type}: {record.error.message}"


def _where(found: RunSummary, settings: Settings) -> str | None:
    """The run's id in MLflow, and its store unless the line for the browser names that."""
    if found.mlflow_run_id is None or settings.tracking_uri.startswith("sqlite"):
        return found.mlflow_run_id
    return f"{found.mlflow_run_id} in {without_credentials(settings.tracking_uri)}"


def _values(title: str, values: Mapping[str, object]) -> None:
    if values:
        say(f"[bold]{title}[/]")
    widest = min(max(map(len, values), default=0), LONGEST_NAME)
    for name, value in values.items():
        shown = '""' if value == "" else value
        say(f"  {name:<{widest}}  {shown}", markup=False)


def _counted(found: tuple[Finding, ...]) -> str:
    said = merged(found)
    counts = {severity: sum(f.severity is severity for f in said) for severity in reversed(Severity)}
    return ", ".join(f"[{COLOURS[s]}]{count(n, s.value)}[/]" for s, n in counts.items() if n and s is not Severity.INFO)


def _passed(gates: tuple[GateResult, ...]) -> str:
    """How many of its gates a run has passed."""
    if not gates:
        return ""
    missed = len(not_passed(gates))
    return f"[red]✗[/] {missed} of {len(gates)}" if missed else f"[green]✓[/] {len(gates)}"


def _when(seconds: float) -> str:
    """Local time; the day only where it is not today."""
    moment, now = datetime.fromtimestamp(seconds).astimezone(), datetime.now().astimezone()
    return moment.strftime("%H:%M:%S" if moment.date() == now.date() else "%Y-%m-%d %H:%M")


def _duration(run: RunSummary, before: str = "") -> str:
    if run.ended is None:
        return f"{before}{time.time() - run.started:.0f} s so far" if not before else ""
    if any(finding.code == "kernel-gone" for finding in run.findings):
        return ""  # nobody saw its end
    return f"{before}{run.ended - run.started:.1f} s"
