"""A kernel session: what was captured, what it cost, what was found."""

from typing import TYPE_CHECKING

from cellops.records.finding import Finding
from cellops.screens.console import count, findings, say

if TYPE_CHECKING:
    from cellops.flows.session import Session


def status(session: "Session") -> None:
    overhead = sorted(session.overheads())
    cells = count(len(session.trail), "cell")
    median = f", {overhead[len(overhead) // 2] * 1000:.2f} ms each at the median" if overhead else ""
    where = session.notebook or "this session"
    say(f"Capturing {where}: {cells}{median}, {count(len(session.runs), 'run')}", markup=False)
    say(f"Journal: {session.journal.path}", markup=False)
    found = [*session.hidden_state(), *(finding for record in session.trail for finding in record.findings)]
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
