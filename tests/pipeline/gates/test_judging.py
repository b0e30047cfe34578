"""A gate lets through what it can judge and what holds, and says of everything else why not."""

import pytest

from cellops.errors import TrackingError
from cellops.pipeline.gates.grammar import Gate
from cellops.pipeline.gates.judging import FindChampion, judge_all
from cellops.records.gate import Champion, GateFigure, GateOutcome, GateResult, Group
from cellops.records.run import RunClosed, RunOpened, RunStatus


def run(name: str = "one", status: RunStatus = RunStatus.FINISHED, **closed: object) -> tuple[RunOpened, RunClosed]:
    opened = RunOpened(run=name, session="s", name=name, started=0.0, order=1)
    return opened, RunClosed(run=name, status=status, ended=1.0).replace(**closed)


def judged(text: str, *runs: tuple[RunOpened, RunClosed], champion: FindChampion = lambda _: None) -> list[GateResult]:
    return list(judge_all([Gate(text)], runs, champion))


@pytest.mark.parametrize(
    ("text", "outcome", "said"),
    [
        ("auc >= 0.7", "passed", "0.704 >= 0.7"),
        ("auc >= 0.72", "missed", "0.704 >= 0.72 missed by 0.016"),
        ("0.6 < auc < 0.7", "missed", "0.704 < 0.7 missed by 0.004"),
        ("auc - 0.5 > 2 * loss", "missed", "0.204 > 0.5 missed by 0.3"),
        ("auc / zero > 0", "not judged", "its arithmetic gives no number"),
        ("big * big > 0", "not judged", "its arithmetic gives no number"),
        ("auc == 0.704", "passed", "0.704 == 0.704"),
        ("acu > 0.5", "not judged", "no run has the metric acu; did you mean auc?"),
        ("f1 > 0.5", "not judged", "no run has the metric f1; there are auc, big, loss, zero"),
        ("brier < 1", "not judged", "brier came out as NaN or infinite"),
    ],
)
def test_a_run_is_held_against_a_gate(text: str, outcome: str, said: str) -> None:
    metrics = {"auc": 0.704, "loss": 0.25, "zero": 0.0, "big": 1e300}
    (result,) = judged(text, run(metrics=metrics, not_finite=("brier",)))
    assert (result.outcome.value, result.said) == (outcome, said)


def test_every_run_that_has_the_metric_must_pass() -> None:
    runs = [run("a", metrics={"auc": 0.8}), run("b", metrics={"auc": 0.6}), run("c", metrics={"rows": 3.0})]
    results = judged("auc >= 0.7", *runs)
    assert [(result.name, result.passed) for result in results] == [("a", True), ("b", False)]


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.KILLED])
def test_a_run_that_did_not_finish_passes_nothing(status: RunStatus) -> None:
    results = judged("auc >= 0.7", run("a", metrics={"auc": 0.8}), run("b", status, metrics={"auc": 0.9}))
    assert [result.outcome for result in results] == [GateOutcome.PASSED, GateOutcome.NOT_JUDGED]
    assert results[1].said == f"the run has {status.lower()}"


def test_without_a_run_nothing_passes() -> None:
    (result,) = judged("auc >= 0.7")
    assert (result.outcome, result.run, result.said) == (GateOutcome.NOT_JUDGED, None, "the notebook opened no run")


def unreachable(_opened: RunOpened) -> Champion | None:
    fact = "The tracking store did not answer"
    raise TrackingError(fact, remedy="Ask again")


@pytest.mark.parametrize(
    ("find", "outcome", "said"),
    [
        (lambda _: None, "passed", "0.71, and there is no champion yet"),
        (
            lambda _: Champion(model="m", version="3", run="r", metrics={"auc": 0.714}),
            "passed",
            "0.71 >= 0.709 (champion m 3: 0.714)",
        ),
        (
            lambda _: Champion(model="m", version="3", run="r", metrics={"auc": 0.72}),
            "missed",
            "0.71 >= 0.715 missed by 0.005 (champion m 3: 0.72)",
        ),
        (
            lambda _: Champion(model="m", version="3", run="r", metrics={"f1": 0.72}),
            "not judged",
            "the champion, m 3, has no metric auc",
        ),
        (unreachable, "not judged", "the champion is not known: The tracking store did not answer"),
    ],
)
def test_a_run_is_compared_with_the_champion(find: FindChampion, outcome: str, said: str) -> None:
    (result,) = judged("auc >= champion - 0.005", run(metrics={"auc": 0.71}), champion=find)
    assert (result.outcome.value, result.said) == (outcome, said)


def test_the_champion_has_a_metric_by_the_name_that_mlflow_took() -> None:
    name = "min_group(recall, kind)"
    found = Champion(model="m", version="1", run="r", metrics={"min_group_recall_ kind_": 0.4})
    (result,) = judged(f"{name} >= champion", run(measured={name: 0.5}), champion=lambda _: found)
    assert result.passed


def test_a_gate_of_groups_names_the_group_and_counts_those_that_are_not_judged() -> None:
    name = "min_group(recall, carrier)"
    groups = (
        Group(name="HA", rows=61, counted=40, value=0.41),
        Group(name="B6", rows=900, value=0.6),
        Group(name="OO", rows=3, reason="x"),
    )
    figure = GateFigure(name=name, value=0.41, groups=groups, extremes=("HA",))
    (result,) = judged(f"{name} >= 0.5", run(measured={name: 0.41}, groups=(figure,)))
    assert result.said == "0.41 >= 0.5 missed by 0.09 (HA, 40 of 61 rows; 2 groups judged, 1 not)"
    (result,) = judged(f"{name} >= 0.5", run(groups=(GateFigure(name=name, reason="no group counts"),)))
    assert (result.outcome, result.said) == (GateOutcome.NOT_JUDGED, f"there is no {name}: no group counts")
