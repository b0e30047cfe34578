"""Performance figures against scikit-learn's, and the coverage of their intervals."""

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from cellops.errors import InputError
from cellops.records.contract import Measure, Performance, Task
from cellops.stats.mean import mean
from cellops.stats.performance import evaluate
from cellops.stats.proportion import proportion
from cellops.stats.regression import mae, r2, rmse
from cellops.stats.roc_auc import roc_auc

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 8).map(lambda n: n / 8)), min_size=2, max_size=80)


def two_classes(rows: int, seed: int = 0, separation: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    positive = random.random(rows) < 0.3
    return positive, random.normal(size=rows) + separation * positive


def covered(figure: Measure | None, truth: float) -> bool:
    return figure is not None and figure.low <= truth <= figure.high


@given(scored)
def test_roc_auc_equals_sklearn_with_ties(rows: list[tuple[bool, float]]) -> None:
    positive, scores = (np.array(side) for side in zip(*rows, strict=True))
    figure = roc_auc(positive, scores)
    if len(set(positive)) < 2:
        assert figure is None
        return
    assert figure.value == pytest.approx(sklearn.metrics.roc_auc_score(positive, scores), abs=1e-12)
    assert figure.low is None or 0 <= figure.low <= figure.value <= figure.high <= 1


def test_delong_equals_its_definition() -> None:
    positive, scores = two_classes(120)
    above, below = scores[positive], scores[~positive]
    wins = (above[:, None] > below).astype(float)
    variance = wins.mean(axis=1).var(ddof=1) / len(above) + wins.mean(axis=0).var(ddof=1) / len(below)
    reach = scipy.stats.norm.ppf(0.95) * np.sqrt(variance)
    figure = roc_auc(positive, scores, level=0.9)
    assert (figure.low, figure.high) == pytest.approx((figure.value - reach, figure.value + reach))


def test_delong_covers_the_truth() -> None:
    truth = scipy.stats.norm.cdf(1 / np.sqrt(2))
    hits = [covered(roc_auc(*two_classes(300, seed)), truth) for seed in range(300)]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.04)


def test_one_row_of_a_class_has_no_interval() -> None:
    figure = roc_auc([True, False, False], [0.9, 0.1, 0.2])
    assert (figure.value, figure.low, figure.high, figure.method) == (1.0, None, None, "")


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError):
        roc_auc([True, False], [0.1, float("nan")])


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_equals_scipy(drawn: tuple[int, int], level: float) -> None:
    figure = proportion("share", *drawn, level=level)
    interval = scipy.stats.binomtest(*drawn).proportion_ci(level, method="wilson")
    assert (figure.low, figure.high) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_wilson_refuses_more_successes_than_trials() -> None:
    with pytest.raises(InputError):
        proportion("share", 3, 2)
    assert proportion("share", 0, 0) is None


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_a_level_is_between_0_and_1(level: float) -> None:
    with pytest.raises(InputError):
        mean("loss", [1.0, 2.0], level=level)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=50))
def test_regression_equals_sklearn(rows: list[tuple[float, float]]) -> None:
    truth, predicted = np.array(rows).T
    assert mae(truth, predicted).value == pytest.approx(sklearn.metrics.mean_absolute_error(truth, predicted))
    assert rmse(truth, predicted).value == pytest.approx(sklearn.metrics.root_mean_squared_error(truth, predicted))
    if np.ptp(truth) > 1e-3:
        assert r2(truth, predicted).value == pytest.approx(sklearn.metrics.r2_score(truth, predicted), abs=1e-9)
    if np.ptp(truth) == 0:
        assert r2(truth, predicted) is None


def test_regression_intervals_cover_the_truth() -> None:
    hits = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        predicted = random.normal(size=400)
        truth = predicted + random.normal(scale=0.5, size=400)
        hits.append(
            (
                covered(mae(truth, predicted), 0.5 * np.sqrt(2 / np.pi)),
                covered(rmse(truth, predicted), 0.5),
                covered(r2(truth, predicted), 0.8),
            )
        )
    assert np.mean(hits, axis=0) == pytest.approx(0.95, abs=0.04)


def measures(performance: Performance) -> dict[str, float]:
    return {measure.name: measure.value for measure in performance.measures}


@pytest.mark.parametrize("classes", [(0, 1), (False, True), ("late", "on time")])
def test_two_classes_equal_sklearn(classes: tuple[object, object]) -> None:
    positive, scores = two_classes(500)
    chance = 1 / (1 + np.exp(-scores))
    names = np.array(classes, dtype=object)
    truth, labels = names[positive.astype(int)], names[(chance > 0.5).astype(int)]
    done = evaluate(Task.CLASSIFICATION, truth, labels, np.column_stack([1 - chance, chance]), classes)
    called = chance > 0.5
    assert done.positive == classes[1]
    assert done.rows == 500
    assert measures(done) == pytest.approx(
        {
            "roc_auc": sklearn.metrics.roc_auc_score(positive, chance),
            "accuracy": sklearn.metrics.accuracy_score(positive, called),
            "precision": sklearn.metrics.precision_score(positive, called),
            "recall": sklearn.metrics.recall_score(positive, called),
            "brier": sklearn.metrics.brier_score_loss(positive, chance),
            "log_loss": sklearn.metrics.log_loss(positive, chance),
        }
    )
    assert all(measure.low < measure.value < measure.high for measure in done.measures)


def test_three_classes_equal_sklearn() -> None:
    random = np.random.default_rng(0)
    chances = random.dirichlet([1, 1, 1], size=200)
    truth = random.integers(0, 3, size=200)
    done = evaluate(Task.CLASSIFICATION, truth, chances.argmax(axis=1), chances, [0, 1, 2])
    assert measures(done) == pytest.approx(
        {
            "accuracy": sklearn.metrics.accuracy_score(truth, chances.argmax(axis=1)),
            "brier": np.mean(np.sum((chances - np.eye(3)[truth]) ** 2, axis=1)),
            "log_loss": sklearn.metrics.log_loss(truth, chances),
        }
    )
    assert done.positive is None


def test_a_window_of_one_class_lacks_only_what_needs_both() -> None:
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    done = evaluate(Task.CLASSIFICATION, [0, 0, 0], [0, 0, 0], chances, [0, 1])
    assert set(measures(done)) == {"accuracy", "brier", "log_loss"}
    assert done.absent == {
        "roc_auc": "all rows are of one class",
        "precision": "no row was called 1",
        "recall": "no row is 1",
    }


def test_regression_has_its_three_figures() -> None:
    done = evaluate(Task.REGRESSION, [1.0, 2.0, 3.0], [1.1, 2.0, 2.7], None, [])
    assert set(measures(done)) == {"mae", "rmse", "r2"}
    assert done.absent == {}


floats = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(floats, floats), min_size=1, max_size=20))
def test_every_figure_is_finite_or_absent_with_its_reason(rows: list[tuple[float, float]]) -> None:
    truth, predicted = np.array(rows).T
    done = evaluate(Task.REGRESSION, truth, predicted, None, [])
    assert set(measures(done)) | set(done.absent) == {"mae", "rmse", "r2"}
    assert all(done.absent.values())
    for measure in done.measures:
        assert np.isfinite(measure.value)
        assert measure.low is None or np.isfinite([measure.low, measure.high]).all()
    assert Performance.from_json(done.to_json()) == done


@pytest.mark.parametrize("unit", [1e-250, 1e-160, 1.0, 1e160, 1e300])
def test_figures_of_any_scale_are_the_same_ones(unit: float) -> None:
    truth, predicted = np.array([[1.0, 2.0, 4.0, 3.0], [1.5, 2.0, 3.0, 3.0]]) * unit
    assert mae(truth, predicted).value == pytest.approx(0.375 * unit)
    assert rmse(truth, predicted).value == pytest.approx(np.sqrt(1.25 / 4) * unit)
    assert rmse(truth, predicted).high == pytest.approx(rmse(truth / unit, predicted / unit).high * unit)
    assert r2(truth, predicted).value == pytest.approx(0.75)


def test_what_is_beyond_the_largest_float_is_absent() -> None:
    done = evaluate(Task.REGRESSION, [1.7e308, 0.0], [-1.7e308, 0.0], None, [])
    assert done.measures == ()
    assert set(done.absent.values()) == {"it is beyond the largest float"}
    constant = evaluate(Task.REGRESSION, [1.0, 1.0], [1.0, 2.0], None, [])
    assert constant.absent == {"r2": "all true values are the same"}


def test_a_label_that_is_no_number_is_named_with_its_row() -> None:
    with pytest.raises(InputError) as caught:
        evaluate(Task.REGRESSION, np.array([1.0, "1.5", "late"], dtype=object), [1.0, 2.0, 3.0], None, [])
    assert (caught.value.received, caught.value.data["rows"]) == ("late", [2])


@pytest.mark.parametrize(
    ("task", "truth", "labels", "probabilities"),
    [
        (Task.CLASSIFICATION, [0, 2], [0, 1], None),
        (Task.CLASSIFICATION, ["0", "1"], [0, 1], None),
        (Task.CLASSIFICATION, [0, float("nan")], [0, 1], None),
        (Task.CLASSIFICATION, [0, 1, 1], [0, 1], None),
        (Task.CLASSIFICATION, [0, 1], [0, 1], [[0.5], [0.5]]),
        (Task.CLASSIFICATION, [0, 1], [0, 1], [[0.5, 1.5], [0.5, 0.5]]),
        (Task.REGRESSION, [1.0, float("nan")], [1.0, 2.0], None),
        (Task.REGRESSION, ["a", "b"], [1.0, 2.0], None),
    ],
)
def test_answers_that_do_not_fit_are_refused(task: Task, truth: list, labels: list, probabilities: list | None) -> None:
    with pytest.raises(InputError):
        evaluate(task, truth, labels, probabilities, [0, 1])


def test_classes_that_do_not_overlap_leave_room_for_some_that_do() -> None:
    figure = roc_auc([False] * 30 + [True] * 30, np.arange(60))
    assert (figure.value, figure.high, figure.method) == (1.0, 1.0, "Birnbaum-Klose")
    assert figure.low == pytest.approx(30 / (30 + 1.96**2), abs=1e-4)
