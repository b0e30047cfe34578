"""Evaluation data that do not give every figure: the contract is built, and a finding says what is not there."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from cellops.packaging.contract import build_contract
from cellops.records.contract import Contract

ROWS = 80
INPUTS = pd.DataFrame({"a": np.linspace(0, 1, ROWS), "b": np.cos(np.arange(ROWS))})
LATE = pd.Series((INPUTS["a"] + INPUTS["b"] > 0.5).astype(int), name="late")
DELAY = pd.Series(INPUTS["a"] * 3 + np.sin(np.arange(ROWS)), name="delay")


def judged(model, target, rows, truth):
    """The figures and findings of a model that is evaluated on these rows."""
    findings = []
    contract = build_contract(model.fit(INPUTS, target), (INPUTS, target), (rows, truth), findings=findings)
    assert Contract.from_json(contract.to_json()) == contract
    names = {measure.name for measure in contract.performance.measures} if contract.performance else None
    return names, " ".join(finding.seen for finding in findings)


def test_nothing_is_noted_where_nothing_is_amiss():
    assert judged(LinearRegression(), DELAY, INPUTS, DELAY) == ({"mae", "rmse", "r2"}, "")


def test_a_single_row():
    assert judged(LinearRegression(), DELAY, INPUTS[:1], DELAY[:1]) == (
        {"mae", "rmse"},
        "The evaluation data give no r2",
    )
    names, seen = judged(LogisticRegression(), LATE, INPUTS[:1], LATE[:1])
    assert "roc_auc" not in names
    assert "no roc_auc" in seen


def test_a_single_class():
    names, seen = judged(LogisticRegression(), LATE, INPUTS[LATE == 1], LATE[LATE == 1])
    assert "accuracy" in names
    assert seen == "The evaluation data give no roc_auc"


def test_a_class_that_training_never_had():
    names, seen = judged(LogisticRegression(), LATE, INPUTS, LATE.replace({1: 2}))
    assert names is None
    assert seen == "There is no performance: Among the true values is a class that the model does not have (2)"


@pytest.mark.parametrize("dtype", ["float64", "Int64", "object"])
def test_rows_without_a_label_are_left_out(dtype):
    truth = LATE.astype(dtype).where(np.arange(ROWS) % 4 > 0)
    names, seen = judged(LogisticRegression(), LATE, INPUTS, truth)
    assert "roc_auc" in names
    assert seen == "20 evaluation rows have no label and are left out"


def test_no_rows_and_rows_that_do_not_belong_together():
    assert judged(LinearRegression(), DELAY, INPUTS[:0], DELAY[:0])[0] is None
    names, seen = judged(LinearRegression(), DELAY, INPUTS, DELAY[:5])
    assert names is None
    assert "differ in length" in seen


@pytest.mark.parametrize("truth", [DELAY * 1e308, DELAY.where(DELAY > 1, np.inf), DELAY * 0 + 1])
def test_figures_that_are_not_finite_are_absent_and_said(truth):
    names, seen = judged(LinearRegression(), DELAY, INPUTS, truth)
    assert names != {"mae", "rmse", "r2"}
    assert "The evaluation data give no r2" in seen or "There is no performance" in seen


@pytest.mark.parametrize("column", [1.0, np.where(np.arange(ROWS) == 0, 1.0, np.nan)], ids=["constant", "missing"])
def test_columns_without_information(column):
    inputs = INPUTS.assign(c=column)
    model = HistGradientBoostingClassifier(max_iter=2).fit(inputs, LATE)
    contract = build_contract(model, (inputs, LATE), (inputs, LATE))
    assert Contract.from_json(contract.to_json()) == contract


def test_a_column_of_missing_values_only():
    inputs = INPUTS.assign(c=pd.Series([None] * ROWS, dtype=object))
    contract = build_contract(DummyClassifier().fit(inputs, LATE), (inputs, LATE), (inputs, LATE))
    assert Contract.from_json(contract.to_json()) == contract
    assert set(contract.parity.inputs["c"]) == {None}
