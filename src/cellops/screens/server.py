"""The server as it starts and as it stops."""

from typing import TYPE_CHECKING

from cellops.screens.console import count, say, shown

if TYPE_CHECKING:
    from cellops.flows.serve import Served, Serving


def serving(ready: "Serving") -> None:
    say(f"Serving {', '.join(ready.names)} on {ready.url} (parity rows agree)", markup=False)
    if ready.token_is_new:
        say(f"Token for this start: {ready.token}", markup=False)
    say(f"Prediction log: {shown(ready.log)}", markup=False)
    say("Stop with Ctrl-C.")


def served(done: "Served") -> None:
    answered, labels = count(done.requests, "request"), count(done.labels, "label")
    say(f"Stopped: answered {answered} with {count(done.rows, 'row')}, took {labels}")
    for finding in done.findings:
        say(f"{finding.where}: {finding.seen}. {finding.remedy}", markup=False)
