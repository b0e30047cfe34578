"""The server as it starts and as it stops."""

from typing import TYPE_CHECKING

from cellops.screens.console import count, say, shown
from cellops.screens.rollout import in_short

if TYPE_CHECKING:
    from cellops.flows.serve import Changed, Served, Serving


def serving(ready: "Serving") -> None:
    say(f"Serving {', '.join(ready.names)} on {ready.url} (parity rows agree)", markup=False)
    if ready.admin_url is not None:
        say(f"Administration on {ready.admin_url}", markup=False)
    if ready.token_is_new:
        say(f"Token for this start: {ready.token}", markup=False)
    first = "" if ready.log == ready.log_folder else f", by way of {shown(ready.log_folder)}"
    say(f"Prediction log: {shown(ready.log)}{first}", markup=False)
    for state in ready.rollouts:
        say(in_short(state), markup=False)
    say("Stop with Ctrl-C.")


def changed(change: "Changed") -> None:
    if change.trouble:
        still = "answers as before" if change.before else "was not loaded"
        say(f"{change.name} {still}: {change.trouble}", markup=False)
    elif change.before == change.after:
        say(f"{change.name} is the same as before, {_version(change.after)}", markup=False)
    else:
        say(f"{change.name}: {_version(change.before)} → {_version(change.after)}", markup=False)


def served(done: "Served") -> None:
    answered, labels = count(done.requests, "request"), count(done.labels, "label")
    say(f"Stopped: answered {answered} with {count(done.rows, 'row')}, took {labels}")
    for finding in done.findings:
        say(f"{finding.where}: {finding.seen}. {finding.remedy}", markup=False)


def _version(digest: str | None) -> str:
    return digest[:12] if digest else "none"
