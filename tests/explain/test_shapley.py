"""Shapley values against their definition, against closed forms and against themselves when sampled."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from cellops.errors import LimitError
from cellops.explain.mixtures import MOST_ROWS
from cellops.explain.shapley import attribution, seed_of

Columns = dict[str, NDArray]
Model = Callable[[Columns], NDArray]
ROWS = 20


def drawn(inputs: int, rows: int, seed: int = 5) -> Columns:
    random = np.random.default_rng(seed)
    return {f"x{place}": random.normal(size=rows) for place in range(inputs)}


def first(columns: Columns) -> Columns:
    return {name: values[:1] for name, values in columns.items()}


def tangled(columns: Columns) -> NDArray:
    """Every input works together with all others, and most with its neighbours."""
    values = np.column_stack(list(columns.values()))
    return np.sin(values.sum(axis=1)) + (values[:, 1:] * values[:, :-1]).sum(axis=1)


def by_definition(row: Columns, background: Columns, model: Model) -> NDArray:
    """The mean change over all orders in which inputs can take their values, from every row of the background."""
    names = list(background)
    rows = len(background[names[0]])
    changes = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        now = {name: values.copy() for name, values in background.items()}
        before = model(now)
        for name in order:
            now[name] = np.repeat(row[name], rows)
            after = model(now)
            changes[name] += float((after - before).mean()) / len(orders)
            before = after
    return np.array(list(changes.values()))


@pytest.mark.parametrize("inputs", [1, 2, 5])
def test_they_are_those_of_the_definition(inputs: int) -> None:
    row, background = first(drawn(inputs, 1, seed=1)), drawn(inputs, ROWS)
    found = attribution(row, background, tangled, evaluations=2**inputs * ROWS)
    assert found.errors is None
    assert found.contributions == pytest.approx(by_definition(row, background, tangled), abs=1e-12)
    assert found.base == pytest.approx(tangled(background).mean())
    assert found.value == pytest.approx(tangled(row)[0])
    assert found.adds_up
    assert found.evaluations == (2**inputs - 2) * ROWS + ROWS + 1


@pytest.mark.parametrize("inputs", [4, 40])
def test_of_a_linear_model_they_are_the_weighted_distances_from_the_mean(inputs: int) -> None:
    weights = np.linspace(-2, 3, inputs)
    row, background = first(drawn(inputs, 1, seed=2)), drawn(inputs, ROWS)

    def linear(columns: Columns) -> NDArray:
        return np.column_stack(list(columns.values())) @ weights

    found = attribution(row, background, linear, evaluations=10_000)
    expected = [w * (row[name][0] - background[name].mean()) for w, name in zip(weights, background, strict=True)]
    assert found.contributions == pytest.approx(np.array(expected))
    assert (found.errors is None) == (inputs == 4)


def test_strings_times_and_missing_values_are_inputs_as_they_are() -> None:
    row: Columns = {
        "carrier": np.array(["UA"], dtype=object),
        "gust": np.array([np.nan]),
        "left": np.array(["2013-01-01"], dtype="datetime64[ns]"),
        "known": np.array([None], dtype=object),
    }
    background: Columns = {
        "carrier": np.array(["UA", "AA", None], dtype=object),
        "gust": np.array([1.0, np.nan, 3.0]),
        "left": np.array(["2013-01-01", "NaT", "2013-02-01"], dtype="datetime64[ns]"),
        "known": np.array([True, False, None], dtype=object),
    }
    kinds = {name: values.dtype for name, values in background.items()}

    def model(columns: Columns) -> NDArray:
        assert {name: values.dtype for name, values in columns.items()} == kinds
        late = (columns["carrier"] == "UA") * 2.0 + np.isnan(columns["gust"]) * 3.0
        return late * (columns["left"] == np.datetime64("2013-01-01")) + np.equal(columns["known"], None) * 1.0

    found = attribution(row, background, model, evaluations=48)
    assert found.contributions == pytest.approx(by_definition(row, background, model))


def test_sampled_ones_are_near_the_exact_ones_by_their_errors_and_add_up() -> None:
    inputs = 8
    background = drawn(inputs, ROWS)
    exact, sampled = [], []
    for seed in range(30):
        row = first(drawn(inputs, 1, seed))
        exact.append(attribution(row, background, tangled, evaluations=2**inputs * ROWS).contributions)
        sampled.append(attribution(row, background, tangled, evaluations=2**inputs * ROWS - 1))
    assert all(found.adds_up and found.errors is not None for found in sampled)
    scores = np.array([(found.contributions - true) / found.errors for found, true in zip(sampled, exact, strict=True)])
    # 240 of them: their spread is that of a standard normal one, if the errors are what they say.
    assert 0.8 < scores.std() < 1.2
    assert abs(scores.mean()) < 0.2
    assert np.abs(scores).max() < 5


def test_one_question_has_one_answer_and_another_row_other_orders() -> None:
    background, row = drawn(12, ROWS), first(drawn(12, 1))
    found, again = (attribution(row, background, tangled, evaluations=5000) for _ in range(2))
    assert found.contributions.tolist() == again.contributions.tolist()
    assert seed_of(row) != seed_of(row | {"x0": row["x0"] + 1e-12})
    assert seed_of({"x": np.array(["1"], dtype=object)}) != seed_of({"x": np.array([1])})


@pytest.mark.parametrize(("inputs", "rows", "allowed"), [(3, 20, 160), (11, 20, 5000), (60, 100, 9000), (300, 7, 9000)])
def test_the_model_is_asked_no_more_than_allowed_and_not_for_all_at_once(inputs: int, rows: int, allowed: int) -> None:
    asked = []

    def model(columns: Columns) -> NDArray:
        asked.append(len(columns["x0"]))
        return tangled(columns)

    found = attribution(first(drawn(inputs, 1, 9)), drawn(inputs, rows), model, evaluations=allowed)
    assert sum(asked) == found.evaluations <= allowed
    assert max(asked) <= MOST_ROWS
    assert found.adds_up


def test_a_part_of_the_background_is_taken_where_all_of_it_is_too_much() -> None:
    background = drawn(60, 100)
    found = attribution(first(drawn(60, 1, 9)), background, tangled, evaluations=9000)
    assert 10 <= found.background < 100
    part = {name: values[: found.background] for name, values in background.items()}
    assert found.base == pytest.approx(tangled(part).mean())


def test_too_few_evaluations_are_refused_before_the_model_is_asked() -> None:
    def never(_columns: Columns) -> NDArray:
        raise AssertionError

    with pytest.raises(LimitError, match="and 1000 are allowed"):
        attribution(first(drawn(60, 1)), drawn(60, 100), never, evaluations=1000)


def test_walks_end_when_errors_are_small() -> None:
    background, row = drawn(12, ROWS), first(drawn(12, 1, 3))
    found = attribution(row, background, lambda columns: columns["x3"] + columns["x5"], evaluations=50_000)
    assert found.evaluations == 5 * 2 * 11 * ROWS + ROWS + 1
    wild = attribution(first(drawn(20, 1, 3)), drawn(20, ROWS), tangled, evaluations=1_000_000)
    assert wild.errors is not None
    assert wild.errors.max() <= 0.01 * tangled(drawn(20, ROWS)).std()
    assert found.evaluations < wild.evaluations < 1_000_000


def test_answers_that_are_not_finite_do_not_add_up() -> None:
    background, row = drawn(2, ROWS), first(drawn(2, 1, 3))
    found = attribution(row, background, lambda columns: columns["x0"] * np.nan, evaluations=1000)
    assert not found.adds_up
