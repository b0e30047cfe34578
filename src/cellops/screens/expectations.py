"""Expectations on a table: the verdict, and a line for each that failed."""

import sys
from typing import TYPE_CHECKING

from cellops.errors import printable
from cellops.screens.console import COLOURS, console, count, plain, say

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
    table = Table("expectation", "failed", "in row", "seen", "reason", box=None, pad_edge=False)
    for failure in failures:
        table.add_row(*_failure(failure))
    console().print(table)


def findings_of_suite(found: "Sequence[Finding]") -> None:
    """What of a suite could not be carried over, beside the output, which may go to a file."""
    for finding in found:
        print(printable(f"{finding.where}: {finding.seen}. {finding.remedy}"), file=sys.stderr)


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
