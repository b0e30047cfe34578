"""Importance: shares of how much the answers of a real model depend on each input, in bounded time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from cellops.errors import IntegrityError
from cellops.packaging import importance as module
from cellops.packaging.build import build_package
from cellops.packaging.consistency import require_consistent
from cellops.packaging.contract import build_contract
from cellops.packaging.layout import contract_part
from cellops.packaging.load import read_contract
from cellops.packaging.predictor import SklearnPredictor
from cellops.records.contract import Contract
from cellops.records.package import Provenance
from cellops.records.run import Environment


def numbers(rows: int = 1500) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(rows, 4))
    return pd.DataFrame(values, columns=["strong", "weak", "none", "constant"]).assign(constant=1.0)


def shares(model: Any, inputs: pd.DataFrame, target: pd.Series) -> dict[str, float]:
    schema = build_contract(model.fit(inputs, target), (inputs, target)).schema
    return module.importance(SklearnPredictor(model, schema), schema, inputs)


def test_a_number_hangs_on_inputs_as_its_coefficients_say() -> None:
    inputs = numbers()
    found = shares(LinearRegression(), inputs, (3 * inputs["strong"] + inputs["weak"]).rename("y"))
    assert list(found) == list(inputs)
    assert found["strong"] == pytest.approx(0.75, abs=0.03)
    assert found["weak"] == pytest.approx(0.25, abs=0.03)
    assert found["none"] < 1e-6
    assert found["constant"] == 0
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC()], ids=["probabilities", "labels alone"])
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_hang_on_inputs_in_the_order_that_labels_say(model: Any, classes: int) -> None:
    inputs = numbers()
    target = pd.cut(3 * inputs["strong"] + inputs["weak"], classes, labels=False).astype(str).rename("y")
    found = shares(model, inputs, target)
    by_labels = permutation_importance(model, inputs, target, n_repeats=3, random_state=0).importances_mean
    assert sorted(found, key=lambda name: -found[name])[:2] == ["strong", "weak"]
    assert list(inputs.columns[np.argsort(-by_labels)])[:2] == ["strong", "weak"]
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)


def test_a_model_that_answers_always_the_same_depends_on_nothing() -> None:
    inputs = numbers(100)
    assert set(shares(LinearRegression(), inputs, pd.Series(2.0, index=inputs.index, name="y")).values()) == {0.0}


def test_the_same_model_has_the_same_shares(
    cancer_model: Any, diabetes_model: Any, flights_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 1e6)
    for trained in (cancer_model, diabetes_model, flights_model):
        inputs, schema = trained.training[0], trained.contract().schema
        first, second = (module.importance(SklearnPredictor(trained.model, schema), schema, inputs) for _ in range(2))
        assert first == second
        assert set(first) == set(inputs.columns)


class Picky(ClassifierMixin, BaseEstimator):
    """A classifier that takes no rows whose two first columns differ, and waits before each answer."""

    def __init__(self, clock: Callable[[], None] | None = None, strict: bool = False) -> None:
        self.clock, self.strict = clock, strict

    def fit(self, inputs: pd.DataFrame, target: pd.Series) -> "Picky":
        self.classes_, self.feature_names_in_ = np.unique(target), np.array(inputs.columns, dtype=object)
        return self

    def predict(self, inputs: pd.DataFrame) -> Any:
        if self.clock:
            self.clock()
        if self.strict and not inputs["one"].equals(inputs["copy"]):
            message = "the copy is another one"
            raise RuntimeError(message)
        return self.classes_[(inputs["other"] > 0).astype(int)]


def test_inputs_that_a_model_refuses_permuted_have_no_entry() -> None:
    inputs = numbers(200).set_axis(["one", "copy", "other", "constant"], axis=1).assign(copy=lambda held: held["one"])
    target = (inputs["other"] > 0).rename("y").astype(int)
    assert shares(Picky(strict=True), inputs, target) == {"other": 1.0, "constant": 0.0}


class Strange(RegressorMixin, BaseEstimator):
    """A model whose answers are what a function makes of its inputs."""

    def __init__(self, answer: Callable[[pd.DataFrame], Any]) -> None:
        self.answer = answer

    def fit(self, inputs: pd.DataFrame, target: pd.Series) -> "Strange":
        self.feature_names_in_ = np.array(inputs.columns, dtype=object)
        return self

    def predict(self, inputs: pd.DataFrame) -> Any:
        return self.answer(inputs)


def of_many_rows(inputs: pd.DataFrame) -> pd.Series:
    if len(inputs) < 20:
        message = "too few rows for a batch"
        raise ValueError(message)
    return inputs["strong"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (of_many_rows, {}),
        (
            lambda inputs: inputs["strong"] + np.where(inputs["strong"] == inputs["weak"], 0, np.inf),
            {"none": 0, "constant": 0},
        ),
        (lambda inputs: inputs["strong"] * (np.nan if len(inputs) > 200 else 1), {}),
        (lambda inputs: inputs["strong"].head(200), {"strong": 1, "weak": 0, "none": 0, "constant": 0}),
        (lambda inputs: np.sign(inputs["strong"]) * 1e308, {"strong": 1, "weak": 0, "none": 0, "constant": 0}),
    ],
    ids=["few rows raise", "infinite", "missing in large tables", "too few answers", "huge"],
)
def test_a_strange_model_costs_no_more_than_its_shares(
    answer: Callable[[pd.DataFrame], Any], expected: dict[str, float]
) -> None:
    inputs = numbers(200).assign(weak=lambda held: held["strong"])
    found = shares(Strange(answer), inputs, inputs["strong"].rename("y"))
    assert found == expected


def test_many_inputs_are_dealt_out_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, seen = numbers(200), []
    monkeypatch.setattr(module, "MOST_CELLS", 2 * inputs.size)

    def answer(given: pd.DataFrame) -> pd.Series:
        seen.append(len(given))
        return given["strong"]

    assert shares(Strange(answer), inputs, inputs["strong"].rename("y"))["strong"] == 1
    assert max(seen) == 2 * len(inputs)


@pytest.mark.parametrize(
    ("durations", "known"),
    [
        ([100.0] * 20, []),
        ([0.1] * 5 + [6.0] * 20, ["one", "copy"]),
        ([0.01] * 20, ["one", "copy", "other", "constant"]),
    ],
    ids=["too slow", "slow", "fast"],
)
def test_a_slow_model_has_shares_of_some_inputs_or_none(
    durations: list[float], known: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = numbers(100).set_axis(["one", "copy", "other", "constant"], axis=1)
    target = (inputs["other"] > 0).rename("y").astype(int)
    model = Picky().fit(inputs, target)
    schema = build_contract(model, (inputs, target)).schema
    ends = np.cumsum([0.0, *durations]).tolist()

    def wait() -> None:
        del ends[0]

    model.clock = wait
    monkeypatch.setattr(module, "time", type("Clock", (), {"perf_counter": staticmethod(lambda: ends[0])}))
    monkeypatch.setattr(module, "MOST_AT_ONCE", 100)
    assert list(module.importance(SklearnPredictor(model, schema), schema, inputs)) == known


def test_the_package_carries_it_and_one_from_before_is_read(
    flights_folder: Path, flights_contract: Contract, recorded: tuple[Environment, Provenance], tmp_path: Path
) -> None:
    given = flights_contract.replace(importance={"distance": 0.75, "carrier": 0.25})
    package = build_package(flights_folder, given, *recorded, tmp_path / "flights", name="flights")
    assert contract_part("importance") in {path.relative_to(package).as_posix() for path in package.rglob("*.json")}
    assert read_contract(package).contract == given
    before = flights_contract.to_dict()
    before.pop("importance")
    before["profile"].pop("relations")
    for column in before["profile"]["columns"]:
        column.pop("text")
    assert Contract.from_json(msgspec.json.encode(before)).importance == {}


@pytest.mark.parametrize(
    "shares", [{"nowhere": 0.5}, {"distance": -0.1}, {"distance": 1.5}, {"distance": 1.0, "carrier": 1.0}]
)
def test_shares_that_cannot_be_are_refused(flights_contract: Contract, shares: dict[str, float]) -> None:
    with pytest.raises(IntegrityError, match="importance"):
        require_consistent(flights_contract.replace(importance=shares))
