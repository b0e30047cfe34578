"""Gates, each with its figures in one line, and what went wrong as GitHub Actions shows it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cellops.records.gate import GateOutcome, GateResult
from cellops.screens.console import plain, say

if TYPE_CHECKING:
    from cellops.records.report import ExecutionReport

MARKS = {
    GateOutcome.PASSED: "[green]✓[/] gate",
    GateOutcome.MISSED: "[red]✗[/] gate",
    GateOutcome.NOT_JUDGED: "[red]?[/] gate",
}


def gates(results: Iterable[GateResult]) -> None:
    """One line for each gate and run."""
    for result in results:
        of = f" [dim]({plain(result.name)})[/]" if result.name else ""
        word = "not judged, " if result.outcome is GateOutcome.NOT_JUDGED else ""
        say(f"{MARKS[result.outcome]} {plain(result.gate)}: {word}{plain(result.said)}{of}")


def annotated(report: "ExecutionReport") -> None:
    """The errors of an execution as commands to GitHub Actions."""
    from cellops.flows.reports import annotations

    for line in annotations(report):
        print(line)
