from cellops.errors import NotReadyError
from cellops.records.rollout import (
    AUTOMATIC,
    Comparison,
    Decision,
    Evidence,
    RolloutAction,
    RolloutState,
    RolloutView,
    SlotEvidence,
    SlotPackage,
    Strategy,
    Verdict,
)
from cellops.widgets.rollout import RolloutPanel

PACKAGE = SlotPackage(path="fares", version="1", digest="5d1f")
SEEN = Comparison(
    name="errors", champion=0.001, challenger=0.002, difference=0.001, low=-0.001, high=0.003, margin=0.005
)
VIEW = RolloutView(
    state=RolloutState(model="<b>", strategy=Strategy.CANARY, champion=PACKAGE, challenger=PACKAGE, share=5),
    evidence=Evidence(),
    verdict=Verdict(action=None, why="Not yet known", comparisons=(SEEN,)),
    now=0.0,
)
ENDED = VIEW.replace(state=VIEW.state.replace(challenger=None, share=0.0))


def test_it_is_followed_until_there_is_no_challenger() -> None:
    views, shown = iter([VIEW, VIEW, ENDED]), []
    panel = RolloutPanel(lambda: next(views))
    panel.follow(lambda seen: shown.append(seen.view.state.share), every=0.001).join(10)
    assert shown == [5, 0]


def test_a_server_that_goes_is_told() -> None:
    views = iter([VIEW])

    def ask() -> RolloutView:
        for view in views:
            return view
        fact = "No server answers"
        raise NotReadyError(fact, remedy="Start it")

    panel = RolloutPanel(ask)
    panel.follow(lambda _: None, every=0.001).join(10)
    assert "No longer followed: No server answers. Start it" in repr(panel)


def test_what_others_wrote_is_no_markup() -> None:
    text = RolloutPanel(lambda: VIEW)._repr_html_()
    assert "&lt;b&gt;" in text
    assert "+0.10% (-0.10% to +0.30%)" in text
    assert "<svg" in text


def test_it_says_who_has_which_part_and_when_it_will_be_decided() -> None:
    verdict = VIEW.verdict.replace(requests_left=400.4, seconds_left=7300.0)
    evidence = Evidence(champion=SlotEvidence(requests=1900), challenger=SlotEvidence(requests=1))
    moved = Decision(
        when=0.0, who=AUTOMATIC, action=RolloutAction.START, why="<i>", model="<b>", strategy=Strategy.CANARY,
        before=0, after=5, champion=PACKAGE,
    )  # fmt: skip
    view = VIEW.replace(evidence=evidence, verdict=verdict, now=46.0, state=VIEW.state.replace(decisions=(moved,)))
    text = RolloutPanel(lambda: view)._repr_html_()
    assert "canary, stage 1 of 4" in text
    assert "champion 95%, 1 (fares): 1,900 requests · challenger 5%, 1 (fares): 1 request in 46 s" in text
    assert "about 2.03 h or 400 requests more" in text
    assert "Last: start 0% → 5% by the test: &lt;i&gt;" in text
