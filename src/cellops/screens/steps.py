"""What becomes of the steps of a pipeline, a line each."""

from collections.abc import Iterable

from cellops.records.step_progress import StepProgress, StepState
from cellops.screens.console import plain, say

MARKS = {
    StepState.RUNNING: "[blue]▸[/]",
    StepState.AGAIN: "[yellow]↻[/]",
    StepState.REUSED: "[green]=[/]",
    StepState.DONE: "[green]✓[/]",
    StepState.FAILED: "[red]✗[/]",
}
WORDS = {
    StepState.RUNNING: "begins",
    StepState.AGAIN: "is tried again",
    StepState.REUSED: "is as it was: taken from what was kept",
    StepState.DONE: "is done",
    StepState.FAILED: "has failed",
}
EXPLAINED = {
    StepState.RUNNING: "[yellow]would be executed[/]",
    StepState.PERHAPS: "[yellow]may be executed[/]",
    StepState.REUSED: "[green]is as it was[/]",
}


def step(event: StepProgress) -> None:
    """One line for each thing that happens to a step."""
    time = f" after {event.seconds:.1f} s" if event.state in (StepState.DONE, StepState.FAILED) else ""
    say(f"{MARKS[event.state]} step [bold]{plain(event.step)}[/] {WORDS[event.state]}{time}{_reasons(event)}")


def explained(events: Iterable[StepProgress], gates: Iterable[str], notes: Iterable[str]) -> None:
    """Of each step whether it would be executed, the gates, and what is doubtful about them."""
    events = list(events)
    width = max((len(event.step) for event in events), default=0)
    for event in events:
        say(f"{plain(event.step):<{width}}  {EXPLAINED[event.state]}{_reasons(event)}")
    for gate in gates:
        say(f"gate {plain(gate)} would be evaluated")
    for note in notes:
        say(f"[yellow]{plain(note)}[/]")


def _reasons(event: StepProgress) -> str:
    return f": {plain('; '.join(event.reasons))}" if event.reasons else ""
