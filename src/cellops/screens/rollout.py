"""A rollout: where its traffic goes, what the evidence says, and when it will be decided."""

from datetime import datetime

from cellops.records import rollout_words as words
from cellops.records.rollout import Comparison, RolloutState, RolloutView, Shown, Verdict
from cellops.screens.console import console, count, plain, say

BAR = 41
"""Characters of a bar, in the middle of which both are equal."""
LAST = 5
"""Decisions that are shown."""
COLOURS = {Shown.WORSE: "red", Shown.FINE: "green", Shown.OPEN: "yellow"}


def rollout(view: RolloutView) -> None:
    """State, evidence and verdict."""
    from rich.table import Table

    _state(view.state)
    evidence = view.evidence
    if view.state.challenger is not None:
        lasted = words.lasting(max(view.now - view.state.since, 0))
        first, second = (count(arm.requests, "request") for arm in (evidence.champion, evidence.challenger))
        say(f"[dim]In {lasted}: {first} to the champion, {second} to the challenger[/]")
    if view.verdict.comparisons:
        table = Table(box=None, pad_edge=False)
        for heading in ("", "champion", "challenger", "difference", "", "margin", ""):
            table.add_column(heading, no_wrap=True)
        for each in view.verdict.comparisons:
            table.add_row(*_row(each))
        console().print(table)
    _verdict(view.verdict)
    for decision in view.state.decisions[-LAST:]:
        when = datetime.fromtimestamp(decision.when).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        say(f"[dim]{when}[/] {plain(words.decided(decision))}")


def in_short(state: RolloutState) -> str:
    """A rollout in one line, for whoever starts a server."""
    if state.challenger is None:
        over = f", ended by {state.decisions[-1].action}" if state.decisions else ""
        return f"Rollout of {state.model}{over}: {words.named(state.champion)} answers"
    part = "is shown" if state.strategy == "shadow" else "takes"
    return f"Rollout of {state.model}: {words.strategy(state)}, {words.named(state.challenger)} {part} {state.share:g}%"


def bar(comparison: Comparison, width: int = BAR) -> str:
    """The interval of a difference, between no difference in the middle and its margin.

    Examples
    --------
    >>> seen = Comparison(name="errors", difference=0.002, low=-0.001, high=0.004, margin=0.005)
    >>> bar(seen, 21)
    '┈┈┈┈┈┈┈┈┈━┼━━●━━━¦┈┈┈'
    """
    low, high, value = comparison.low, comparison.high, comparison.difference
    if low is None or high is None or value is None:
        return ""
    reach = 1.35 * comparison.margin if comparison.margin else max(abs(low), abs(high), 1e-9)
    middle = width // 2

    def place(figure: float) -> int:
        return min(max(round(middle + figure / reach * middle), 0), width - 1)

    drawn = ["━" if place(low) <= at <= place(high) else "┈" for at in range(width)]
    drawn[middle] = "┼"
    if comparison.margin:
        drawn[place(comparison.margin)] = "¦"
    drawn[place(value)] = "●"
    return "".join(drawn)


def _state(state: RolloutState) -> None:
    say(f"[bold]{plain(state.model)}[/] {words.strategy(state)}")
    other = state.challenger
    mine = f"{words.champion_share(state):g}%"
    say(f"  champion   {'' if other is None else mine:<5}{plain(words.named(state.champion))}")
    if other is not None:
        say(f"  challenger {f'{state.share:g}%':<5}{plain(words.named(other))}")


def _row(each: Comparison) -> tuple[str, ...]:
    colour = COLOURS[each.shown]
    margin = "" if each.margin is None else f"{each.margin:+.2%}"
    figures = words.figure(each, each.champion), words.figure(each, each.challenger)
    shown = f"[{colour}]{words.shown(each)}[/]"
    return plain(each.name), *figures, words.difference(each), f"[{colour}]{bar(each)}[/]", margin, shown


def _verdict(verdict: Verdict) -> None:
    action = f"[bold]{verdict.action}[/]: " if verdict.action is not None else ""
    say(f"{action}{plain(verdict.why)}")
    if left := words.left(verdict):
        say(f"[dim]{left}[/]")
