"""What follows from the evidence: a pure function, which may be asked after every request."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from cellops.records.rollout import (
    ALL,
    Comparison,
    Evidence,
    RolloutAction,
    RolloutRules,
    RolloutState,
    Shown,
    Strategy,
    Verdict,
)
from cellops.records.rollout_words import figure
from cellops.serving.rollout.comparisons import ANSWERS, ERRORS, LATENCY, QUALITY, Tested, differences, margin, tested
from cellops.serving.rollout.foreseen import foreseen
from cellops.stats.share_interval import share_interval

UNKNOWN = "unknown"


def judge(rules: RolloutRules, state: RolloutState, evidence: Evidence, now: float, *, whole: bool = True) -> Verdict:
    """Whether the challenger passes this stage, is rolled back, or neither yet.

    Parameters
    ----------
    rules
        What it may do worse, and how sure that must be.
    state
        The strategy, its stage and since when that lasts.
    evidence
        Of this stage alone.
    now
        Seconds since 1970, by the clock of `state.since`.
    whole
        Whether the intervals and the time that is left are wanted too: that takes a tenth of a second instead of a
        hundredth.

    Returns
    -------
    Verdict
        With an action in a canary only: what else there is, a person decides. Of a shadow, whose two answer the same
        requests and so are not independent, no test is made but how often their answers differ.
    """
    if state.challenger is None:
        return Verdict(action=None, why="There is no challenger")
    if state.strategy is Strategy.SHADOW:
        return _shadow(rules, evidence)
    stage = _Stage(rules, state, evidence, now - state.since, tested(rules, evidence), whole)
    if state.strategy is not Strategy.CANARY:
        return Verdict(action=None, why=stage.apart, comparisons=stage.comparisons)
    if state.paused:
        why = "It is paused: no test changes anything until it is resumed"
        return Verdict(action=None, why=why, comparisons=stage.comparisons)
    return stage.verdict


@dataclass
class _Stage:
    """One stage as it is now."""

    rules: RolloutRules
    state: RolloutState
    evidence: Evidence
    seconds: float
    tested: tuple[Tested, ...]
    whole: bool

    def __post_init__(self) -> None:
        level = 1 - self.rules.promotion_level if self.whole else None
        self.comparisons = tuple(each.comparison(level) for each in self.tested)

    @property
    def verdict(self) -> Verdict:
        worse = [each for each in self.comparisons if each.shown is Shown.WORSE]
        if worse:
            why = f"The challenger is worse than the margin allows: {_said(worse)}"
            return Verdict(action=RolloutAction.ROLLBACK, why=why, comparisons=self.comparisons)
        lacking = self._lacking
        if not lacking:
            why = f"The challenger is not worse than the margins allow: {_said(self.comparisons)}"
            return Verdict(action=self._passed, why=why, comparisons=self.comparisons)
        why, left = f"Not yet known: {'; '.join(lacking)}", self._left if self.whole else None
        if left is None:
            told = foreseen(self.rules, self.state.share) if self.whole else None
            return Verdict(action=None, why=why, comparisons=self.comparisons, foreseen=told)
        requests = self.evidence.champion.requests + self.evidence.challenger.requests
        return Verdict(
            action=None,
            why=why,
            comparisons=self.comparisons,
            requests_left=left * requests,
            seconds_left=left * self.seconds,
        )

    @property
    def apart(self) -> str:
        """What a person may conclude, where only a person decides."""
        level = self.rules.promotion_level / max(len(self.comparisons), 1)
        apart = [each for each in self.comparisons if each.differs <= level]
        return f"They differ: {_said(apart)}" if apart else "No difference is shown yet"

    @property
    def _passed(self) -> RolloutAction:
        """Where the next stage is all traffic, nothing is left to be compared with: that is a promotion."""
        stages = self.rules.stages
        following = stages[min(self.state.stage + 1, len(stages) - 1)]
        return RolloutAction.PROMOTE if following >= ALL else RolloutAction.ADVANCE

    @property
    def _needed(self) -> tuple[str, ...]:
        return (ERRORS, LATENCY, QUALITY) if self.rules.needs_labels else (ERRORS, LATENCY)

    @property
    def _lacking(self) -> list[str]:
        """What still stands between the challenger and the next stage."""
        rules, answered = self.rules, self.evidence.challenger.requests
        fine = {each.name for each in self.comparisons if each.shown is Shown.FINE}
        lacking = [f"{name} may be worse than the margin" for name in self._needed if name not in fine]
        if answered < rules.least_requests:
            lacking.append(f"the challenger has had {answered} of at least {rules.least_requests} requests")
        if self.seconds < rules.least_seconds:
            lacking.append(f"the stage has lasted {max(self.seconds, 0):.0f} of at least {rules.least_seconds:g} s")
        return lacking

    @property
    def _left(self) -> float | None:
        """How many times what was seen until now is still to come: until the first respect in which the challenger is
        worse is found so, or until the last is found not to be. None where that is not in sight.
        """
        known = {each.name: each for each in self.tested}
        bad = [each.missing for each in self.tested if each.heads_for_worse]
        if bad:
            factor = min(bad)
        elif known.keys() >= set(self._needed):
            least = (
                self.rules.least_requests / self.evidence.challenger.requests,
                self.rules.least_seconds / max(self.seconds, 1e-3),
            )
            factor = max(*least, *(known[name].missing for name in self._needed))
        else:
            return None
        return factor - 1 if math.isfinite(factor) else None


def _shadow(rules: RolloutRules, evidence: Evidence) -> Verdict:
    seen = [
        Comparison(
            name=name,
            champion=each.champion,
            challenger=each.challenger,
            difference=each.value,
            margin=margin(rules, name),
        )
        for name, each in differences(rules, evidence).items()
    ]
    if not evidence.compared:
        return Verdict(action=None, why="No answers of both are known yet", comparisons=tuple(seen))
    low, high = share_interval(evidence.differed, evidence.compared, 1 - rules.promotion_level)
    seen.append(Comparison(name=ANSWERS, difference=evidence.differed / evidence.compared, low=low, high=high))
    why = f"The answers differ in {evidence.differed:,} of {evidence.compared:,} requests"
    return Verdict(action=None, why=why, comparisons=tuple(seen))


def _said(comparisons: Iterable[Comparison]) -> str:
    return "; ".join(
        f"{each.name} {figure(each, each.challenger) or UNKNOWN} beside {figure(each, each.champion) or UNKNOWN}"
        for each in comparisons
    )
