"""Figures over groups of evaluation rows are those of scikit-learn, group by group."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, mean_absolute_error, precision_score, recall_score, roc_auc_score

from cellops.packaging.groups import MOST_GROUPS, group_figure
from cellops.packaging.predictor import Predictions
from cellops.records.contract import Schema, Task
from cellops.records.gate import GateFigure

BINARY = Schema(inputs=(), task=Task.CLASSIFICATION, target="late", classes=(0, 1), probabilities=True)
NUMBERS = Schema(inputs=(), task=Task.REGRESSION, target="delay")


def measured(
    column: Any,
    *,
    figure: str = "recall",
    function: str = "min_group",
    smallest: int = 30,
    rows: int = 600,
    seed: int = 1,
) -> tuple[GateFigure, pd.DataFrame]:
    """The figure over the groups of a column, and the rows with truth and answers beside it."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, rows)
    chances = np.clip(truth * 0.3 + generator.random(rows) * 0.7, 0, 1)
    table = pd.DataFrame({"truth": truth, "label": (chances > 0.5).astype(int), "chance": chances})
    table["group"] = np.resize(np.asarray(column, dtype=object), rows)
    answers = Predictions(table["label"].to_numpy(), np.column_stack([1 - chances, chances]))
    series = pd.Series(np.resize(np.asarray(column, dtype=object), rows), name="group")
    found = group_figure(
        "name", function, figure, smallest, schema=BINARY, target=table["truth"], answers=answers, column=series
    )
    return found, table


@pytest.mark.parametrize(
    ("figure", "score"),
    [
        ("recall", lambda of: recall_score(of["truth"], of["label"])),
        ("precision", lambda of: precision_score(of["truth"], of["label"])),
        ("accuracy", lambda of: accuracy_score(of["truth"], of["label"])),
        ("roc_auc", lambda of: roc_auc_score(of["truth"], of["chance"])),
    ],
)
@pytest.mark.parametrize("function", ["min_group", "max_group", "gap_group"])
def test_the_figures_of_groups_are_those_of_scikit_learn(figure: str, score: Any, function: str) -> None:
    found, table = measured(["AA", "B6", "HA", "B6", "UA"], figure=figure, function=function)
    expected = {name: score(of) for name, of in table.groupby("group")}
    assert {group.name: group.value for group in found.groups} == pytest.approx(expected)
    assert {group.name: group.rows for group in found.groups} == table["group"].value_counts().to_dict()
    lowest, highest = min(expected.values()), max(expected.values())
    ends = {"min_group": [lowest], "max_group": [highest], "gap_group": [lowest, highest]}[function]
    assert [expected[name] for name in found.extremes] == pytest.approx(ends)
    assert found.value == pytest.approx(ends[-1] - ends[0] if function == "gap_group" else ends[0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 60))
def test_the_lowest_is_among_the_groups_that_are_large_enough(seed: int, smallest: int) -> None:
    names = list(np.random.default_rng(seed).choice(["a", "b", "c", "d"], 200, p=[0.5, 0.3, 0.15, 0.05]))
    found, table = measured(names, smallest=smallest, rows=200, seed=seed)
    counted = {name: of for name, of in table.groupby("group") if of["truth"].sum() >= smallest}
    expected = {name: recall_score(of["truth"], of["label"]) for name, of in counted.items()}
    assert found.value == (pytest.approx(min(expected.values())) if expected else None)
    assert {group.name for group in found.groups if group.reason} == {*table["group"]} - {*expected}


def test_small_groups_are_listed_with_the_reason() -> None:
    found, _ = measured(["a"] * 98 + ["b", "c"], rows=100)
    assert [(group.name, group.rows, group.reason) for group in found.groups[1:]] == [
        ("b", 1, "it rests on fewer than 30 rows"),
        ("c", 1, "it rests on fewer than 30 rows"),
    ]
    assert found.extremes == ("a",)
    found, _ = measured(["a"] * 98 + ["b", "c"], rows=100, function="gap_group")
    assert (found.value, found.extremes, len(found.groups)) == (None, (), 3)
    assert found.reason == "only one group counts, a: it rests on fewer than 30 rows"
    found, _ = measured(["a"], rows=100, function="gap_group")
    assert (found.value, found.reason) == (None, "only one group counts, a: there is no other")
    found, _ = measured(["a", "b", "c", "d"], rows=100)
    assert (found.value, found.reason) == (None, "no group counts: it rests on fewer than 30 rows")


def test_rows_without_a_value_are_a_group_and_those_without_a_label_are_left_out() -> None:
    target = pd.Series([1.0, 0.0, np.nan, 1.0] * 40)
    answers = Predictions(np.array([1, 0, 1, 0] * 40), None)
    column = pd.Series(["a", None, "a", "a"] * 40, name="kind")
    schema = BINARY.replace(probabilities=False, classes=(0.0, 1.0))
    found = group_figure("n", "min_group", "accuracy", 30, schema=schema, target=target, answers=answers, column=column)
    assert [(group.name, group.rows, group.value) for group in found.groups] == [("a", 80, 0.5), (None, 40, 1.0)]


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (pd.Categorical(["x", "y"] * 50), {"x", "y"}),
        (pd.array([1, 2] * 50, dtype="Int64"), {1, 2}),
        (np.array([True, False] * 50), {True, False}),
        (pd.to_datetime(["2026-01-01", "2026-01-02"] * 50), {"2026-01-01", "2026-01-02"}),
        (pd.array(["x", "y"] * 50, dtype="string"), {"x", "y"}),
    ],
)
def test_columns_of_all_kinds_have_groups(column: Any, names: set[Any]) -> None:
    target = pd.Series(np.arange(100.0))
    answers = Predictions(np.arange(100.0) + 1, None)
    series = pd.Series(column, name="kind")
    found = group_figure("n", "max_group", "mae", 30, schema=NUMBERS, target=target, answers=answers, column=series)
    assert {group.name for group in found.groups} == names
    assert found.value == pytest.approx(mean_absolute_error(target, answers.labels))


class Hostile:
    def __eq__(self, _other: object) -> bool:
        raise AssertionError

    def __hash__(self) -> int:
        raise AssertionError


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pd.Series([Hostile()] * 100, name="kind"), "kind holds objects of type Hostile"),
        (pd.Series([[1]] * 100, name="kind"), "kind holds objects of type list"),
        (pd.Series(["a"] * 99, name="kind"), "differ in length"),
    ],
)
def test_a_column_that_makes_no_groups_is_a_reason(column: "pd.Series[Any]", reason: str) -> None:
    target, answers = pd.Series(np.arange(100.0)), Predictions(np.arange(100.0), None)
    found = group_figure("n", "min_group", "mae", 30, schema=NUMBERS, target=target, answers=answers, column=column)
    assert found.value is None
    assert reason in found.reason


def test_a_column_that_tells_every_row_apart_makes_no_groups() -> None:
    rows = MOST_GROUPS + 1
    target, answers = pd.Series(np.arange(float(rows))), Predictions(np.arange(float(rows)), None)
    found = group_figure(
        "n",
        "min_group",
        "mae",
        1,
        schema=NUMBERS,
        target=target,
        answers=answers,
        column=pd.Series(range(rows), name="id"),
    )
    assert found.reason == f"id has {rows} groups, and {MOST_GROUPS} are the most"


@pytest.mark.parametrize(("figure", "counted"), [("recall", 20), ("precision", 35), ("roc_auc", 20), ("accuracy", 100)])
def test_a_figure_rests_on_the_rows_that_it_speaks_of(figure: str, counted: int) -> None:
    target = pd.Series([1] * 20 + [0] * 80)
    chances = np.array([0.9] * 15 + [0.1] * 5 + [0.6] * 20 + [0.2] * 60)
    answers = Predictions((chances > 0.5).astype(int), np.column_stack([1 - chances, chances]))
    column = pd.Series(["a"] * 100, name="kind")
    for smallest, judged in ((counted, True), (counted + 1, False)):
        found = group_figure(
            "n", "min_group", figure, smallest, schema=BINARY, target=target, answers=answers, column=column
        )
        assert [(group.rows, group.counted, group.value is not None) for group in found.groups] == [
            (100, counted, judged)
        ]


def test_a_figure_that_the_model_does_not_have_is_a_reason() -> None:
    target = pd.Series([0] * 50 + [1] * 50)
    answers = Predictions(target.to_numpy(), None)
    column = pd.Series(["a"] * 100, name="kind")
    schema = BINARY.replace(probabilities=False)
    found = group_figure("n", "min_group", "brier", 30, schema=schema, target=target, answers=answers, column=column)
    assert found.reason == "no group counts: the model has no brier"
