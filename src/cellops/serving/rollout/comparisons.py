"""Champion and challenger in each respect, as the evidence shows them."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellops.records.rollout import Comparison, Evidence, RolloutRules, Shown, SlotEvidence
from cellops.stats.difference import Difference, interval, p_value
from cellops.stats.mean_difference import MeanDifference
from cellops.stats.mean_evidence import Losses
from cellops.stats.quantile_ratio import QuantileRatio
from cellops.stats.share_difference import ShareDifference

ERRORS, LATENCY, QUALITY, ANSWERS = "errors", "latency", "quality", "answers"
RESPECTS = (ERRORS, LATENCY, QUALITY)
TIMES = [2 ** (quarter / 4) for quarter in range(81)]
"""As much evidence as there is: what a million times as much does not decide is not in sight."""


@dataclass(frozen=True)
class Tested:
    """One respect in which the two can be compared, and what decides it."""

    name: str
    difference: Difference
    margin: float
    worse_at: float
    """The logarithmic evidence at which it is worse."""
    fine_at: float
    """That at which it is not."""

    @property
    def heads_for_worse(self) -> bool:
        return self.difference.value > self.margin

    @property
    def missing(self) -> float:
        """How many times as much evidence of the same kind decides it; infinite where none in sight does."""
        found = bisect_left(TIMES, True, key=lambda factor: self._decided(self.difference.scaled(factor)))
        return TIMES[found] if found < len(TIMES) else math.inf

    def comparison(self, level: float | None) -> Comparison:
        """With the interval of this level; without one it is some ten times quicker."""
        difference = self.difference
        low, high = (None, None) if level is None else interval(difference, level)
        worse, fine = difference.against_at_most(self.margin), difference.against_at_least(self.margin)
        differs = float(np.maximum(difference.against_at_most(0.0), difference.against_at_least(0.0)))
        shown = Shown.WORSE if worse >= self.worse_at else Shown.FINE if fine >= self.fine_at else Shown.OPEN
        return Comparison(
            name=self.name,
            champion=difference.champion,
            challenger=difference.challenger,
            difference=difference.value,
            low=low,
            high=high,
            margin=self.margin,
            worse=p_value(float(worse)),
            fine=p_value(float(fine)),
            differs=p_value(differs, sides=2),
            shown=shown,
        )

    def _decided(self, later: Difference) -> bool:
        if self.heads_for_worse:
            return bool(later.against_at_most(self.margin) >= self.worse_at)
        return bool(later.against_at_least(self.margin) >= self.fine_at)


def tested(rules: RolloutRules, evidence: Evidence) -> tuple[Tested, ...]:
    """Those respects in which something is known of both."""
    found = differences(rules, evidence)
    return tuple(Tested(name, each, margin(rules, name), *levels(rules)) for name, each in found.items())


def levels(rules: RolloutRules) -> tuple[float, float]:
    """The logarithmic evidence at which a respect is worse, and that at which it is not.

    What is worse may be found so in any respect and stage, so the level of a rollback is divided among them. To pass,
    a challenger must do so in each, so the level of a promotion need not be.
    """
    chances = len(RESPECTS) * max(len(rules.stages) - 1, 1)
    return math.log(chances / rules.rollback_level), -math.log(rules.promotion_level)


def margin(rules: RolloutRules, name: str) -> float:
    """How much worse the challenger may be in a respect."""
    return {ERRORS: rules.error_margin, LATENCY: rules.latency_margin, QUALITY: rules.quality_margin}[name]


def differences(rules: RolloutRules, evidence: Evidence) -> Mapping[str, Difference]:
    first, second = evidence.champion, evidence.challenger
    found: dict[str, Difference] = {}
    if first.requests and second.requests:
        found[ERRORS] = ShareDifference(first.errors, first.requests, second.errors, second.requests)
    if first.latency and second.latency:
        start = min(*first.latency, *second.latency)
        bins = max(*first.latency, *second.latency) - start + 1
        before, after = (_counts(arm, start, bins) for arm in (first, second))
        found[LATENCY] = QuantileRatio(before, after, rules.latency_quantile, start)
    if first.labelled and second.labelled:
        arms = [Losses(arm.labelled, arm.loss, arm.surprise) for arm in (first, second)]
        found[QUALITY] = MeanDifference(*arms)
    return found


def _counts(arm: SlotEvidence, start: int, bins: int) -> NDArray[np.float64]:
    counts = np.zeros(bins)
    for bin_, requests in arm.latency.items():
        counts[bin_ - start] = requests
    return counts
