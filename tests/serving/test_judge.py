"""What follows from the evidence of a rollout."""

import numpy as np
import pytest

from cellops.errors import InputError
from cellops.records.rollout import (
    Evidence,
    RolloutAction,
    RolloutRules,
    RolloutState,
    Shown,
    SlotEvidence,
    SlotPackage,
    Strategy,
    Verdict,
)
from cellops.serving.rollout.judge import judge
from cellops.serving.rollout.tally import SlotTally

RULES = RolloutRules(error_margin=0.01)
PACKAGE = SlotPackage(path="fares", version="1", digest="5d1f")
CANARY = RolloutState(model="fares", strategy=Strategy.CANARY, champion=PACKAGE, challenger=PACKAGE, share=5)


def arm(requests: int, *, errors: int = 0, slower: float = 1.0, wrong: float | None = None) -> SlotEvidence:
    """An arm whose seconds and losses are spread as evenly as they can be."""
    tally = SlotTally()
    for place, share in enumerate((np.arange(requests) * 0.618034) % 1):
        tally.count(0.01 * slower * (1 + float(share)), error=place < errors)
        if wrong is not None:
            tally.learn(float(share < wrong))
    return tally.evidence()


def judged(champion: SlotEvidence, challenger: SlotEvidence, rules: RolloutRules = RULES, **state: object) -> Verdict:
    return judge(rules, CANARY.replace(**state), Evidence(champion=champion, challenger=challenger), 600.0)


def shown(verdict: Verdict) -> dict[str, Shown]:
    return {each.name: each.shown for each in verdict.comparisons}


@pytest.mark.parametrize(
    ("challenger", "respect"),
    [(arm(200, errors=60), "errors"), (arm(300, slower=2.0), "latency"), (arm(600, wrong=0.6), "quality")],
    ids=["errors", "latency", "quality"],
)
def test_one_that_is_worse_in_any_respect_is_rolled_back(challenger: SlotEvidence, respect: str) -> None:
    verdict = judged(arm(3000, errors=3, wrong=0.2), challenger)
    assert verdict.action is RolloutAction.ROLLBACK
    assert shown(verdict)[respect] is Shown.WORSE
    assert respect in verdict.why


@pytest.mark.parametrize(
    ("stage", "action"), [(0, RolloutAction.ADVANCE), (1, RolloutAction.ADVANCE), (2, RolloutAction.PROMOTE)]
)
def test_one_that_is_not_worse_passes_and_is_promoted_from_the_last_stage_that_compares(
    stage: int, action: RolloutAction
) -> None:
    verdict = judged(arm(6000, errors=6), arm(2000, errors=2), stage=stage)
    assert verdict.action is action
    assert set(shown(verdict).values()) == {Shown.FINE}


def test_little_evidence_decides_nothing_and_says_when_it_will() -> None:
    verdict = judged(arm(400), arm(150))
    assert verdict.action is None
    assert "150 of at least 200 requests" in verdict.why
    assert verdict.requests_left is not None
    assert verdict.seconds_left is not None
    more = 1 + verdict.requests_left / 550
    later = judged(arm(int(400 * more * 1.05)), arm(int(150 * more * 1.05)))
    assert later.action is RolloutAction.ADVANCE


def test_a_stage_lasts_as_long_as_it_must() -> None:
    verdict = judged(arm(6000), arm(2000), since=590.0)
    assert verdict.action is None
    assert "10 of at least 60 s" in verdict.why
    assert verdict.seconds_left == pytest.approx(50.0)


def test_labels_can_be_waited_for() -> None:
    rules = RULES.replace(needs_labels=True)
    assert judged(arm(6000), arm(2000), rules).action is None
    labelled = judged(arm(6000, wrong=0.3), arm(3000, wrong=0.1), rules)
    assert labelled.action is RolloutAction.ADVANCE


def test_a_pause_holds_even_one_that_is_worse() -> None:
    verdict = judged(arm(3000), arm(200, errors=200), paused=True)
    assert verdict.action is None
    assert shown(verdict)["errors"] is Shown.WORSE


def test_one_that_only_fails_has_no_seconds_and_is_rolled_back() -> None:
    verdict = judged(arm(500), arm(30, errors=30))
    assert verdict.action is RolloutAction.ROLLBACK
    assert set(shown(verdict)) == {"errors"}


def test_people_decide_on_what_is_not_a_canary() -> None:
    verdict = judged(arm(3000, wrong=0.5), arm(3000, wrong=0.3), strategy=Strategy.AB)
    assert verdict.action is None
    assert verdict.why == "They differ: quality 30.00% beside 50.00%"
    assert judged(arm(500), arm(500), strategy=Strategy.AB).why == "No difference is shown yet"


def test_a_shadow_is_compared_by_its_answers_alone() -> None:
    evidence = Evidence(champion=arm(500), challenger=arm(500, errors=400), compared=500, differed=50)
    verdict = judge(RULES, CANARY.replace(strategy=Strategy.SHADOW), evidence, 600.0)
    answers = verdict.comparisons[-1]
    assert (verdict.action, answers.name, answers.difference) == (None, "answers", 0.1)
    assert answers.low is not None
    assert answers.high is not None
    assert 0.05 < answers.low < 0.1 < answers.high < 0.2
    assert all(each.low is None for each in verdict.comparisons[:-1])


def test_nothing_is_known_at_the_start() -> None:
    assert judged(SlotEvidence(), SlotEvidence()).action is None
    assert judge(RULES, CANARY.replace(challenger=None), Evidence(), 0.0).why == "There is no challenger"
    assert judge(RULES, CANARY, Evidence(champion=arm(1), challenger=arm(1)), 0.0).action is None


def test_a_brief_look_comes_to_the_same() -> None:
    for challenger in (arm(2000), arm(200, errors=100), arm(20)):
        evidence = Evidence(champion=arm(6000), challenger=challenger)
        brief = judge(RULES, CANARY, evidence, 600.0, whole=False)
        whole = judge(RULES, CANARY, evidence, 600.0)
        assert (brief.action, brief.why) == (whole.action, whole.why)
        assert all(each.low is None for each in brief.comparisons)


def test_evidence_of_several_processes_adds_up() -> None:
    both = arm(300, errors=3, wrong=0.3).merged(arm(200, errors=1, wrong=0.2))
    assert (both.requests, both.errors, both.labelled) == (500, 4, 500)
    assert sum(both.latency.values()) == 496
    assert SlotEvidence.from_json(both.to_json()) == both


@pytest.mark.parametrize("stages", [(), (5, 25), (25, 5, 100), (5, 5, 100), (0, 100)])
def test_stages_that_do_not_rise_to_all_traffic_are_refused(stages: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="rising percentages"):
        RolloutRules(stages=stages)
