"""Journals: carried over, kept, deleted."""

from pathlib import Path
from typing import TYPE_CHECKING

from cellops.records.finding import Severity
from cellops.screens.console import count, findings, say, shown

if TYPE_CHECKING:
    from cellops.flows.sync import SyncResult


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
