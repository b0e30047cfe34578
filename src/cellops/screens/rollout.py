"""A rollout: where its traffic goes, what the evidence says, and when it will be decided."""

from datetime import datetime

from cellops.records.rollout import AUTOMATIC, Comparison, RolloutState, RolloutView, Shown, SlotPackage, Verdict
from cellops.screens.console import console, count, plain, say, shown

BAR = 41
"""Characters of a bar, in the middle of which both are equal."""
LAST = 5
"""Decisions that are shown."""
COLOURS = {Shown.WORSE: "red", Shown.FINE: "green", Shown.OPEN: "yellow"}
MINUTE, HOUR, DAY = 60, 3600, 86_400


def rollout(view: RolloutView) -> None:
    """State, evidence and verdict."""
    from rich.table import Table

    _state(view.state)
    evidence = view.evidence
    if view.state.challenger is not None:
        lasted = _time(max(view.now - view.state.since, 0))
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
        moved = f"{decision.before:g}% → {decision.after:g}%"
        who = "the test" if decision.who == AUTOMATIC else plain(decision.who)
        say(f"[dim]{when}[/] {decision.action} {moved} by {who}: {plain(decision.why)}")


def in_short(state: RolloutState) -> str:
    """A rollout in one line, for whoever starts a server."""
    if state.challenger is None:
        over = f", ended by {state.decisions[-1].action}" if state.decisions else ""
        return f"Rollout of {state.model}{over}: {_named(state.champion)} answers"
    part = "is shown" if state.strategy == "shadow" else "takes"
    return (
        f"Rollout of {state.model}: {state.strategy}{_stage(state)}, {_named(state.challenger)} {part} {state.share:g}%"
    )


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
    paused = " [yellow]paused[/]" if state.paused else ""
    say(f"[bold]{plain(state.model)}[/] {state.strategy}{_stage(state)}{paused}")
    other = state.challenger
    mine = 100 - state.share if state.strategy != "shadow" else 100
    say(f"  champion   {'' if other is None else f'{mine:g}%':<5}{plain(_named(state.champion))}")
    if other is not None:
        say(f"  challenger {f'{state.share:g}%':<5}{plain(_named(other))}")


def _stage(state: RolloutState) -> str:
    if state.strategy != "canary" or state.challenger is None:
        return ""
    return f", stage {state.stage + 1} of {len(state.rules.stages)}"


def _named(package: SlotPackage) -> str:
    return f"{package.version} ({shown(package.path)})"


def _row(each: Comparison) -> tuple[str, ...]:
    colour = COLOURS[each.shown]
    between = "" if each.low is None or each.high is None else f" ({each.low:+.2%} to {each.high:+.2%})"
    difference = "" if each.difference is None else f"{each.difference:+.2%}[dim]{between}[/]"
    margin = "" if each.margin is None else f"{each.margin:+.2%}"
    shown = "" if each.low is None or each.margin is None else f"[{colour}]{each.shown}[/]"
    figures = _figure(each, each.champion), _figure(each, each.challenger)
    return plain(each.name), *figures, difference, f"[{colour}]{bar(each)}[/]", margin, shown


def _figure(each: Comparison, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 1000:.3g} ms" if each.name == "latency" else f"{value:.2%}"


def _verdict(verdict: Verdict) -> None:
    action = f"[bold]{verdict.action}[/]: " if verdict.action is not None else ""
    say(f"{action}{plain(verdict.why)}")
    if verdict.seconds_left is not None and verdict.requests_left is not None:
        left = count(round(verdict.requests_left), "request")
        say(f"[dim]Decided in about {_time(verdict.seconds_left)} or {left} more, if all goes on as it went[/]")


def _time(seconds: float) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.0f} s"
