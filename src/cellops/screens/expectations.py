"""Expectations on a table: the verdict, and a line for each that failed."""

import sys
from typing import TYPE_CHECKING

from cellops.errors import printable
from cellops.records.summary import share
from cellops.screens.console import COLOURS, console, count, in_notebook, plain, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellops.records.expectation import ExpectationResult, SuiteResult
    from cellops.records.finding import Finding


def expectations(result: "SuiteResult") -> None:
    from rich.table import Table

    holding = sum(r.passed for r in result.results)
    total = len(result.results)
    verb = "holds" if total == 1 else "hold"
    say(f"{holding} of {count(total, 'expectation')} on {plain(result.suite)} {verb} ({count(result.rows, 'row')})")
    failures = result.failures()
    if not failures:
        return
    if in_notebook():  # a page breaks lines where it wants to, and a table of text with them
        for failure in failures:
            _paragraph(failure)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("", "expectation", "column", "failed", "in row", "seen", "reason"):
        table.add_column(name, overflow="fold")
    for failure in failures:
        table.add_row(*_failure(failure))
    console().print(table)


def findings_of_suite(found: "Sequence[Finding]") -> None:
    """What of a suite could not be carried over, beside the output, which may go to a file."""
    for finding in found:
        print(printable(f"{finding.where}: {finding.seen}. {finding.remedy}"), file=sys.stderr)


def _paragraph(result: "ExpectationResult") -> None:
    severity = result.expectation.severity
    say(f"[{COLOURS[severity]}]{severity.value}[/] {plain(result.told())}")
    seen = f"seen {', '.join(map(str, result.unexpected))}" if result.unexpected else ""
    below = ". ".join(filter(None, (seen, result.expectation.reason)))
    if below:
        say(f"  [dim]{plain(below)}[/]")


def _failure(result: "ExpectationResult") -> tuple[str, ...]:
    expectation = result.expectation
    colour = COLOURS[expectation.severity]
    names = plain(", ".join(expectation.columns))
    rule = f"[{colour}]{expectation.severity.value}[/]", plain(expectation.rule), names
    reason = plain(expectation.reason or "")
    if result.problem is not None:
        return *rule, "", "", plain(result.problem), reason
    seen = ", ".join(map(str, result.unexpected)) or str(result.observed)
    failed = f"{result.failed:,} ({share(result.failed, result.checked)})" if result.failed else ""
    return *rule, failed, ", ".join(map(str, result.failed_rows)), plain(seen), reason
