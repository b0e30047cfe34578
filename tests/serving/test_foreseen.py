"""What is said of a stage before it has begun is what the judge then asks for."""

import pytest

from cellops.records.rollout import (
    Evidence,
    RolloutRules,
    RolloutState,
    SlotEvidence,
    SlotPackage,
    Strategy,
    Verdict,
)
from cellops.serving.rollout.foreseen import foreseen
from cellops.serving.rollout.judge import judge
from cellops.serving.rollout.tally import SlotTally

RULES = RolloutRules()
PACKAGE = SlotPackage(path="fares", version="1", digest="5d1f")
CANARY = RolloutState(model="fares", strategy=Strategy.CANARY, champion=PACKAGE, challenger=PACKAGE, share=5)
SECONDS = [0.01 * 1.1**place for place in range(20)]


def arm(requests: int, errors: float) -> SlotEvidence:
    tally = SlotTally()
    for place in range(requests):
        tally.count(SECONDS[place % len(SECONDS)], error=int(place * errors) != int((place + 1) * errors))
    return tally.evidence()


def judged(requests: float, share: float, errors: float = 0.0) -> Verdict:
    second = round(requests * share / 100)
    evidence = Evidence(champion=arm(round(requests) - second, errors), challenger=arm(second, errors))
    return judge(RULES, CANARY.replace(share=share), evidence, 600.0)


@pytest.mark.parametrize("share", [5, 50])
def test_as_many_requests_decide_and_half_as_many_do_not(share: float) -> None:
    told = foreseen(RULES, share)
    assert told is not None
    for requests, errors in zip(told, (0.0, 0.005), strict=True):
        assert judged(requests * 1.5, share, errors).action is not None
        assert judged(requests / 2, share, errors).action is None


def test_smaller_shares_and_margins_take_more() -> None:
    by_share = [foreseen(RULES, share) for share in (50, 25, 5, 1)]
    assert by_share == sorted(by_share)
    assert foreseen(RULES.replace(error_margin=0.02), 5) < foreseen(RULES, 5) < foreseen(RULES, 1)
    assert foreseen(RULES.replace(least_requests=10_000), 50) == (20_000, 20_000)


@pytest.mark.parametrize("share", [0, 100])
def test_where_nothing_is_compared_nothing_is_foreseen(share: float) -> None:
    assert foreseen(RULES, share) is None


def test_a_stage_that_begins_says_it_and_one_that_has_evidence_says_what_is_left() -> None:
    begun = judged(0, 5)
    assert (begun.foreseen, begun.requests_left) == (foreseen(RULES, 5), None)
    later = judged(2_000, 5)
    assert later.foreseen is None
    assert later.requests_left
