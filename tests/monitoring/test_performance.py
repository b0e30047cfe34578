"""Performance of a window, where labels come late, and beside what the package promises."""

import numpy as np
import pandas as pd
import pytest

from cellops.monitoring.performance import is_worse, measure, worse_figures
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Measure, Parity, Performance, Schema, Task
from cellops.records.profile import Profile
from cellops.stats.performance import evaluate


def answers(rows: int, seed: int, skill: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = (random.random(rows) < 0.4).astype(float)
    chance = 1 / (1 + np.exp(-(random.normal(size=rows) + skill * (2 * truth - 1))))
    return truth, (chance > 0.5).astype(int), np.column_stack([1 - chance, chance])


def promise(skill: float = 1.5) -> Contract:
    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="late", classes=(0, 1), probabilities=True)
    performance = evaluate(Task.CLASSIFICATION, *answers(3000, 0, skill), [0, 1])
    empty = Profile(rows=3000, columns=())
    return Contract(schema=schema, profile=empty, parity=Parity(inputs={}, labels=[]), performance=performance)


def window(truth: object, labels: object, probabilities: object = None) -> Window:
    frame = pd.DataFrame(index=range(len(truth) if truth is not None else 0))
    return Window("2013-04", None, None, frame, labels=labels, probabilities=probabilities, truth=truth)


def test_a_model_that_holds_has_no_finding() -> None:
    performance, labelled, findings = measure(promise(), window(*answers(2000, 1, 1.5)))
    assert (labelled, findings) == (2000, ())
    assert performance.measure("roc_auc").method == "DeLong"


def test_a_model_that_became_worse_is_found_with_both_intervals() -> None:
    _, _, (finding,) = measure(promise(), window(*answers(2000, 1, 0.5)))
    assert finding.code == "performance-worse"
    assert finding.where == "window 2013-04"
    for name in ("roc_auc", "accuracy", "log_loss"):
        assert f"{name} 0." in finding.seen
    assert "promised" in finding.seen


@pytest.mark.parametrize(("rows", "found"), [(99, 0), (100, 1)])
def test_too_few_labels_are_not_judged(rows: int, found: int) -> None:
    performance, labelled, findings = measure(promise(), window(*answers(rows, 1, -2.0)))
    assert (performance.rows, labelled, len(findings)) == (rows, rows, found)


def test_a_model_that_became_better_has_no_finding() -> None:
    assert measure(promise(0.5), window(*answers(2000, 1, 1.5)))[2] == ()


def test_only_rows_with_a_label_count() -> None:
    truth, labels, chances = answers(1000, 1, 1.5)
    truth[::2] = np.nan
    performance, labelled, _ = measure(promise(), window(truth, labels, chances))
    assert (performance.rows, labelled) == (500, 500)
    expected = evaluate(Task.CLASSIFICATION, truth[1::2], labels[1::2], chances[1::2], [0, 1])
    assert performance == expected


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_every_way_of_missing_a_label(missing: object) -> None:
    performance, labelled, _ = measure(promise(), window(np.array([0, missing, 1], dtype=object), np.array([0, 0, 1])))
    assert (labelled, performance.measure("accuracy").value) == (2, 1.0)


@pytest.mark.parametrize(
    ("truth", "labels"), [(None, np.array([1])), (np.array([1.0]), None), (np.array([np.nan]), np.array([1]))]
)
def test_without_labels_there_is_no_performance(truth: object, labels: object) -> None:
    assert measure(promise(), window(truth, labels)) == (None, 0, ())


def test_labels_none_of_which_the_model_knows_are_a_finding() -> None:
    performance, labelled, (finding,) = measure(promise(), window(np.array([7.0, 7.0]), np.array([0, 1])))
    assert performance is None
    assert (labelled, finding.code) == (2, "performance-unreadable")
    assert "7.0" in finding.seen


@pytest.mark.parametrize("foreign", [7, "late", 1e400])
def test_a_label_that_the_model_does_not_know_costs_itself_alone(foreign: object) -> None:
    truth, labels, chances = answers(1000, 1, 1.5)
    mixed = truth.astype(object)
    mixed[:3] = [foreign, foreign, pd.NA]
    performance, labelled, (finding,) = measure(promise(), window(mixed, labels, chances))
    assert (performance.rows, labelled) == (997, 997)
    assert (finding.code, finding.seen.partition(" labels")[0]) == ("labels-not-counted", "2")
    assert repr(foreign) in finding.seen


def test_a_truth_of_a_regression_that_is_no_number_costs_itself_alone() -> None:
    schema = Schema(inputs=(), task=Task.REGRESSION, target="delay")
    contract = promise().replace(schema=schema, performance=None)
    truth = np.array([1.0, 2.0, "soon", np.inf], dtype=object)
    performance, labelled, (finding,) = measure(contract, window(truth, np.array([1.0, 3.0, 1.0, 1.0])))
    assert (performance.measure("mae").value, labelled) == (0.5, 2)
    assert "2 labels do not fit the model, such as 'soon'" in finding.seen


@pytest.mark.parametrize(
    ("name", "now", "then", "worse"),
    [
        ("accuracy", (0.5, 0.6), (0.7, 0.8), True),
        ("accuracy", (0.7, 0.8), (0.5, 0.6), False),
        ("accuracy", (0.5, 0.7), (0.7, 0.8), False),
        ("rmse", (0.7, 0.8), (0.5, 0.6), True),
        ("rmse", (0.5, 0.6), (0.7, 0.8), False),
        ("rmse", (None, None), (0.1, 0.2), False),
    ],
)
def test_worse_means_that_the_intervals_do_not_touch(
    name: str, now: tuple[float, float], then: tuple[float, float], worse: bool
) -> None:
    sides = [Measure(name=name, value=0.5, low=low, high=high) for low, high in (now, then)]
    assert is_worse(*sides) is worse


@pytest.mark.parametrize("separation", [1.0, 3.0, 5.0])
@pytest.mark.parametrize("promised_rows", [60, 100, 400])
def test_rows_of_the_same_kind_are_hardly_ever_called_worse(separation: float, promised_rows: int) -> None:
    """Half the answers are of a logistic model, half of a stump, whose losses are few and large."""
    alarms = 0
    for seed in range(100):
        random = np.random.default_rng(seed)

        def judged(rows: int, random: np.random.Generator = random, stump: bool = bool(seed % 2)) -> Performance:
            truth = random.integers(0, 2, rows)
            score = separation * (random.normal(size=rows) + separation * (truth - 0.5))
            chance = np.where(score > 0, 0.998, 0.002) if stump else 1 / (1 + np.exp(-score))
            return evaluate(Task.CLASSIFICATION, truth, chance > 0.5, np.column_stack([1 - chance, chance]), [0, 1])

        alarms += bool(worse_figures(judged(2000), judged(promised_rows)))
    assert alarms <= 4
