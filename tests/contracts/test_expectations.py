"""What holds for every rule, also for the next one."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from cellops.data.expectations import check, parse, row_rules
from cellops.data.expectations.registry import RULES, build
from cellops.records.contract import Suite

CALLS = {
    "expect_column_to_exist": '("hour")',
    "expect_column_values_to_not_be_null": '("carrier", mostly=0.7)',
    "expect_column_values_to_be_between": '("hour", 1, 20.5, strict_min=True)',
    "expect_column_values_to_be_in_set": '("carrier", ["UA", "AA"])',
    "expect_column_values_to_match_regex": '("carrier", "^[A-Z]{2}$")',
    "expect_column_values_to_be_unique": '("carrier")',
    "expect_column_values_to_be_of_type": '("hour", "float")',
    "expect_column_mean_to_be_between": '("hour", max_value=3)',
    "expect_table_row_count_to_be_between": "(1, 3)",
    "expect_column_proportion_of_unique_values_to_be_between": '("carrier", min_value=0.5)',
}
FRAME = pd.DataFrame({"hour": [1.0, 21.0, np.nan, 5.0], "carrier": ["UA", "xx", None, "UA"]})
COLUMNS = {"hour": FRAME["hour"].to_numpy(), "carrier": np.array(["UA", "xx", None, "UA"], dtype=object)}

every_rule = pytest.mark.parametrize("name", sorted(RULES))


def suite_of(name: str) -> Suite:
    return parse("s", name + CALLS[name], {})


@every_rule
def test_the_rule_is_a_frozen_dataclass_under_its_own_name(name):
    rule = RULES[name]
    assert rule.name == name
    assert rule.__dataclass_params__.frozen


@every_rule
def test_an_expectation_survives_json_and_builds_the_rule_that_was_written(name):
    suite = suite_of(name)
    again = Suite.from_json(suite.to_json())
    assert again == suite
    rule = build(again.expectations[0])
    given = again.expectations[0].arguments
    assert {k: v for k, v in dataclasses.asdict(rule).items() if k in given} == given


@every_rule
def test_frames_and_columns_get_the_same_verdict(name):
    assert check(suite_of(name), FRAME) == check(suite_of(name), COLUMNS)


@every_rule
@pytest.mark.parametrize(
    "table",
    [
        {"hour": np.empty(0), "carrier": np.empty(0, dtype=object)},
        {"hour": np.full(3, np.nan), "carrier": np.full(3, None, dtype=object)},
        {"hour": np.array([True, False, True]), "carrier": np.array([1, "x", [2]], dtype=object)},
        {"hour": np.array(["2013-01-01"] * 2, dtype="M8[ns]"), "carrier": np.array([np.inf, -np.inf])},
        {},
    ],
    ids=["no rows", "all missing", "mixed", "times", "no columns"],
)
def test_no_table_breaks_a_check_and_every_result_is_json(name, table):
    (result,) = check(suite_of(name), table).results
    assert type(result).from_json(result.to_json()) == result
    assert result.passed or result.failed or result.problem or result.checked == 0 or result.observed is not None


@pytest.mark.parametrize("name", sorted(name for name, rule in RULES.items() if rule.row_wise))
def test_a_rule_for_single_rows_finds_alone_what_it_finds_in_the_table(name):
    suite = suite_of(name)
    assert row_rules(suite, ["hour", "carrier"]).expectations
    strict = suite.replace(expectations=tuple(e.replace(mostly=1.0) for e in suite.expectations))
    (whole,) = check(strict, FRAME).results
    alone = [row for row in range(len(FRAME)) if not check(strict, FRAME.iloc[[row]]).passed]
    assert tuple(alone) == whole.failed_rows
