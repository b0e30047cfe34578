"""What the defaults of rules become when a model is packaged."""

from typing import Any

import pytest

from cellops.errors import ExpectationError, IntegrityError
from cellops.packaging.consistency import require_consistent
from cellops.packaging.defaults import resolved
from cellops.records.contract import Action, Contract, Expectation, Suite
from cellops.records.finding import Severity

NOT_NULL = "expect_column_values_to_not_be_null"
BETWEEN = "expect_column_values_to_be_between"


def imputing(column: str, default: Any, rule: str = NOT_NULL, **arguments: Any) -> Suite:
    made = Expectation(rule=rule, columns=(column,), arguments=arguments, action=Action.IMPUTE, default=default)
    return Suite(name="inputs", expectations=(made,))


def taken(column: str, default: Any, contract: Contract) -> Any:
    return resolved(imputing(column, default), contract).expectations[0].default


def test_words_become_what_stood_in_the_training_data(flights_model: Any, flights_contract: Contract) -> None:
    inputs = flights_model.training[0]
    for column in ("distance", "hour", "wind_gust"):
        median = taken(column, "median", flights_contract)
        below, upto = (inputs[column] < median).mean(), (inputs[column] <= median).mean()
        present = inputs[column].notna().mean()
        assert below <= present * 0.505
        assert upto >= present * 0.495
        assert (inputs[column] == median).any()
    assert type(taken("hour", "median", flights_contract)) is int
    assert taken("hour", "mode", flights_contract) == inputs["hour"].mode()[0]
    assert taken("carrier", "mode", flights_contract) == inputs["carrier"].mode()[0]


def test_a_rule_on_what_a_regression_predicts_knows_the_median_of_its_answers(diabetes_model: Any) -> None:
    contract = diabetes_model.contract(f'{NOT_NULL}("target", action="impute", default="median")')
    assert contract.suite is not None
    answers = diabetes_model.model.predict(diabetes_model.evaluation[0])
    assert contract.suite.expectations[0].default in answers


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        (imputing("distance", "near"), "where an integer is needed"),
        (imputing("distance", 1.5), "fraction"),
        (imputing("carrier", 3), "where a string is needed"),
        (imputing("carrier", "median"), "has no median"),
        (imputing("late", "mode"), "has no mode"),
        (imputing("late", True), "none of the model's classes"),
        (imputing("distance", 0, BETWEEN, min_value=1), "breaks its own rule"),
        (imputing("carrier", "UA", BETWEEN, min_value=1), "cannot be held against"),
    ],
)
def test_a_default_that_does_not_fit_is_refused(suite: Suite, said: str, flights_contract: Contract) -> None:
    with pytest.raises(ExpectationError, match=said):
        resolved(suite, flights_contract)


def test_a_package_with_a_default_that_does_not_fit_is_refused(flights_contract: Contract) -> None:
    require_consistent(flights_contract.replace(suite=imputing("late", 1)))
    with pytest.raises(IntegrityError, match=r"suite\.json contradicts itself"):
        require_consistent(flights_contract.replace(suite=imputing("distance", "median")))
    loose = Expectation(rule=NOT_NULL, columns=("distance",), severity=Severity.WARNING, default=3)
    with pytest.raises(IntegrityError, match="nothing puts it in"):
        require_consistent(flights_contract.replace(suite=Suite(name="inputs", expectations=(loose,))))
