"""A rollout: how traffic is divided between champion and challenger, what they did, and who decided what on it."""

from enum import StrEnum
from itertools import pairwise
from math import isfinite
from typing import Annotated

import msgspec

from cellops.errors import InputError
from cellops.records.base import Record

AUTOMATIC = "automatic"
"""Who decided, where it was the test."""
ALL = 100.0
"""Percent."""

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Level = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Strategy(StrEnum):
    SINGLE = "single"
    CANARY = "canary"
    SHADOW = "shadow"
    AB = "ab"
    BLUE_GREEN = "blue-green"


class RolloutAction(StrEnum):
    START = "start"
    ADVANCE = "advance"
    """To the next stage."""
    PROMOTE = "promote"
    """The challenger becomes the champion."""
    ROLLBACK = "rollback"
    PAUSE = "pause"
    """The shares stay as they are, and no test changes them."""
    RESUME = "resume"
    SWITCH = "switch"
    """All traffic to the other package, at once."""


class RolloutRules(Record, frozen=True, kw_only=True):
    """When a challenger is good enough, and when it is not. All margins say how much worse it may be."""

    stages: tuple[Percent, ...] = (5, 25, 50, 100)
    """Percent of the traffic that the challenger takes, one after another; the last is all."""
    error_margin: Share = 0.005
    """Share of all requests: 0.005 is half a percent more errors than the champion."""
    latency_margin: Seconds = 0.2
    """Relative: 0.2 is a fifth slower than the champion."""
    latency_quantile: Level = 0.95
    """Of the seconds to an answer, at which the two are compared."""
    quality_margin: Share = 0.02
    """Of the mean loss, from 0 to 1: of a classifier the share of wrong answers."""
    needs_labels: bool = False
    """Whether nothing is promoted before labels have shown its quality. Else labels can only roll it back."""
    rollback_level: Level = 0.01
    """How often at most a challenger that is not worse than the margins is rolled back, over a whole rollout."""
    promotion_level: Level = 0.05
    """How often at most one that is worse by a margin or more passes a stage."""
    least_requests: Count = 200
    """That the challenger must have answered in a stage before it passes."""
    least_seconds: Seconds = 60.0
    """That a stage lasts before it is passed: an hour shows more kinds of traffic than a second."""

    def __post_init__(self) -> None:
        for name in ("latency_margin", "least_seconds"):
            if not isfinite(getattr(self, name)):
                fact = f"The rule {name} of a rollout is a finite number"
                raise InputError(fact, received=getattr(self, name), remedy=f"Leave it out, or give one for {name}")
        rising = all(before < after for before, after in pairwise((0.0, *self.stages)))
        if not rising or not self.stages or self.stages[-1] != ALL:
            fact = "The stages of a rollout are rising percentages above 0, of which the last is 100"
            received = ", ".join(f"{stage:g}" for stage in self.stages) or "none"
            raise InputError(fact, received=received, remedy="Give for example 5, 25, 50, 100")


class SlotEvidence(Record, frozen=True, kw_only=True):
    """What one package did since the stage began. Sums only: those of several processes are added up."""

    requests: Count = 0
    """That were answered or failed by it; not those that were refused for what was asked."""
    errors: Count = 0
    """Failed, too late, or answered with a fault of the server."""
    latency: dict[int, int] = {}
    """Requests that were answered, by the bin of their seconds (`stats.latency_bins`)."""
    labelled: Count = 0
    """Predictions whose truth is known."""
    loss: float = 0.0
    """Sum of their losses, each from 0 to 1."""
    surprise: float = 0.0
    """Sum of the squares of each loss less the mean of those before it (`stats.mean_evidence.surprise`)."""

    def merged(self, other: "SlotEvidence") -> "SlotEvidence":
        bins = self.latency.keys() | other.latency.keys()
        return SlotEvidence(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            latency={bin_: self.latency.get(bin_, 0) + other.latency.get(bin_, 0) for bin_ in sorted(bins)},
            labelled=self.labelled + other.labelled,
            loss=self.loss + other.loss,
            surprise=self.surprise + other.surprise,
        )


class Evidence(Record, frozen=True, kw_only=True):
    """What both packages did since the stage began."""

    champion: SlotEvidence = SlotEvidence()
    challenger: SlotEvidence = SlotEvidence()
    compared: Count = 0
    """Requests that both answered, as in a shadow."""
    differed: Count = 0
    """Those of them with different answers."""

    def merged(self, other: "Evidence") -> "Evidence":
        return Evidence(
            champion=self.champion.merged(other.champion),
            challenger=self.challenger.merged(other.challenger),
            compared=self.compared + other.compared,
            differed=self.differed + other.differed,
        )


class Shown(StrEnum):
    """What the evidence has shown of the challenger in one respect."""

    WORSE = "worse"
    """By more than the margin."""
    FINE = "not worse"
    """Than the margin allows."""
    OPEN = "open"


class Comparison(Record, frozen=True, kw_only=True):
    """Champion and challenger in one respect."""

    name: str
    """`errors`, `latency` or `quality`; in a shadow also `answers`."""
    champion: float | None = None
    """Share of errors, seconds at the quantile, or mean loss; None where it is not known."""
    challenger: float | None = None
    difference: float | None = None
    """Challenger less champion; of latency the ratio less one. Above zero the challenger is worse."""
    low: float | None = None
    high: float | None = None
    """Between these lies the true difference, at every moment at once, as often as `1 - promotion_level` says."""
    margin: float | None = None
    worse: float = 1.0
    """Always-valid p-value of the challenger being no worse than the margin: small, and it is worse."""
    fine: float = 1.0
    """Always-valid p-value of the challenger being worse by the margin or more: small, and it is not."""
    differs: float = 1.0
    """Always-valid p-value of the two being equal."""
    shown: Shown = Shown.OPEN


class Verdict(Record, frozen=True, kw_only=True):
    """What follows from the evidence now. Asking often does not make it wrong more often."""

    action: RolloutAction | None
    """None where there is nothing to do yet, or where only a person may decide."""
    why: str
    """In one sentence."""
    comparisons: tuple[Comparison, ...] = ()
    requests_left: float | None = None
    """Of both together, until there is an action, if all goes on as it went; None where none is in sight."""
    seconds_left: float | None = None
    foreseen: tuple[int, int] | None = None
    """Requests of both that such a stage takes where they are as good: without errors, and with 0.5% of them. Told
    where the evidence itself does not say yet how many are left."""


class SlotPackage(Record, frozen=True, kw_only=True):
    path: str
    version: str
    digest: str
    """SHA-256 of the package's manifest."""


class Decision(Record, frozen=True, kw_only=True):
    """One change of a rollout. The log of a rollout holds one a line."""

    when: float
    """Seconds since 1970."""
    who: str
    """The name of a token, a signal, or `automatic`."""
    action: RolloutAction
    why: str
    model: str
    strategy: Strategy
    before: Percent
    """Percent of the traffic that the challenger took."""
    after: Percent
    champion: SlotPackage
    """That answered before."""
    challenger: SlotPackage | None = None
    evidence: Evidence | None = None
    comparisons: tuple[Comparison, ...] = ()


class RolloutState(Record, frozen=True, kw_only=True):
    """How the traffic of a model is divided now; written down, so that a server that was killed goes on with it."""

    model: str
    strategy: Strategy = Strategy.SINGLE
    champion: SlotPackage
    challenger: SlotPackage | None = None
    share: Percent = 0.0
    """Percent of the traffic that the challenger takes; in a shadow, of what it is shown."""
    stage: Count = 0
    """Place in the stages, from 0."""
    since: float = 0.0
    """When this stage began, seconds since 1970."""
    paused: bool = False
    salt: str = ""
    """With a user's key this gives the package that answers them, at each server and after each start."""
    key: str = ""
    """The input or header that says of which user a request is; empty for the header X-User-Key."""
    off_peak: bool = False
    """Whether a shadow is asked only while the server has little to do."""
    rules: RolloutRules = RolloutRules()
    decisions: tuple[Decision, ...] = ()
    """The last of them, oldest first."""


class RolloutView(Record, frozen=True, kw_only=True):
    """What a server says of a rollout."""

    state: RolloutState
    evidence: Evidence
    verdict: Verdict
    now: float
    """Seconds since 1970, by the server's clock."""


class RolloutOrder(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a person asks of a server."""

    action: RolloutAction
    why: str = ""
    strategy: Strategy | None = None
    """These are for a start."""
    challenger: str | None = None
    """Version or digest of a package that the server has, or its path."""
    share: Percent | None = None
    key: str = ""
    """The input or header that says of which user a request is."""
    off_peak: bool = False
    """Whether a shadow is asked only while the server has little to do."""
    rules: RolloutRules | None = None
