"""What terminal, notebook and decision record say of a rollout in the same words."""

from pathlib import PurePath

from cellops.records.rollout import ALL, AUTOMATIC, Comparison, Decision, RolloutState, SlotPackage, Strategy, Verdict

MINUTE, HOUR, DAY = 60, 3600, 86_400


def figure(comparison: Comparison, value: float | None) -> str:
    """A value of champion or challenger; empty where it is not known.

    >>> figure(Comparison(name="latency"), 0.0354), figure(Comparison(name="latency"), 1.02)
    ('35.4 ms', '1.02 s')
    >>> figure(Comparison(name="errors"), 0.0012), figure(Comparison(name="errors"), None)
    ('0.12%', '')
    """
    if value is None:
        return ""
    if comparison.name != "latency":
        return f"{value:.2%}"
    return f"{value * 1000:.3g} ms" if value < 0.9995 else f"{value:.3g} s"  # noqa: PLR2004 - 999.5 ms would be 1e+03


def difference(comparison: Comparison) -> str:
    """The difference with its interval, as far as they are known."""
    if comparison.difference is None:
        return ""
    known = comparison.low is not None and comparison.high is not None
    between = f" ({comparison.low:+.2%} to {comparison.high:+.2%})" if known else ""
    return f"{comparison.difference:+.2%}{between}"


def shown(comparison: Comparison) -> str:
    """What the evidence has shown; empty where there is no test."""
    return "" if comparison.low is None or comparison.margin is None else comparison.shown.value


def strategy(state: RolloutState) -> str:
    """How the traffic is divided.

    >>> state = RolloutState(model="fares", champion=SlotPackage(path="packages/fares", version="5d1f", digest="5d1f"))
    >>> strategy(state), strategy(state.replace(strategy=Strategy.CANARY, challenger=state.champion, paused=True))
    ('single', 'canary, stage 1 of 4, paused')
    """
    staged = state.strategy is Strategy.CANARY and state.challenger is not None
    stage = f", stage {state.stage + 1} of {len(state.rules.stages)}" if staged else ""
    return f"{state.strategy}{stage}{', paused' if state.paused else ''}"


def named(package: SlotPackage) -> str:
    """The version of a package and its folder.

    >>> named(SlotPackage(path="packages/fares-2014", version="5d1f", digest="5d1f"))
    '5d1f (fares-2014)'
    """
    return f"{package.version} ({PurePath(package.path).name})"


def champion_share(state: RolloutState) -> float:
    """Percent of the requests that the champion answers."""
    return ALL if state.strategy is Strategy.SHADOW else ALL - state.share


def decided(decision: Decision) -> str:
    who = "the test" if decision.who == AUTOMATIC else decision.who
    return f"{decision.action} {decision.before:g}% → {decision.after:g}% by {who}: {decision.why}"


def left(verdict: Verdict) -> str:
    """When it will be decided, or how much such a stage takes; empty where that is not in sight.

    >>> left(Verdict(action=None, why="", foreseen=(22_000, 87_000)))
    'Where both are as good, such a stage takes about 22,000 requests if none fails, 87,000 if 0.5% of them do'
    """
    if verdict.seconds_left is None or verdict.requests_left is None:
        if verdict.foreseen is None:
            return ""
        quiet, usual = verdict.foreseen
        such = "Where both are as good, such a stage takes about"
        return f"{such} {quiet:,} requests if none fails, {usual:,} if 0.5% of them do"
    requests = f"{round(verdict.requests_left):,} request{'' if round(verdict.requests_left) == 1 else 's'}"
    return f"Decided in about {lasting(verdict.seconds_left)} or {requests} more, if all goes on as it went"


def lasting(seconds: float) -> str:
    """Seconds in the largest unit of which there are two.

    >>> lasting(46.2), lasting(7300)
    ('46 s', '2.03 h')
    """
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.0f} s"
