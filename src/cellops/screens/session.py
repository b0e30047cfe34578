"""A kernel session: what was captured, what it cost, what was found."""

from typing import TYPE_CHECKING

from cellops.screens.console import count, findings, say

if TYPE_CHECKING:
    from cellops.flows.session import Session


def status(session: "Session") -> None:
    overhead = sorted(session.overheads())
    cells = count(len(session.trail), "cell")
    median = f", {overhead[len(overhead) // 2] * 1000:.2f} ms each at the median" if overhead else ""
    where = session.notebook or "this session"
    say(f"Capturing {where}: {cells}{median}, {count(len(session.runs), 'run')}", markup=False)
    steps = dict.fromkeys(record.step for record in session.trail if record.step is not None)
    if steps:
        say(f"Steps: {', '.join(steps)}", markup=False)
    say(f"Journal: {session.journal.path}", markup=False)
    found = [*session.hidden_state(), *(finding for record in session.trail for finding in record.findings)]
    findings([*session.faults, *found])
    if not found and not session.faults:
        say("No findings.")
    say("[dim]Switch off: %unload_ext cellops[/]")
