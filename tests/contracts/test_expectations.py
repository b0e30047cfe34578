"""What holds for every rule, also for the next one."""

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cellops.data.expectations import RowChecker, check, parse, row_rules
from cellops.data.expectations.registry import RULES, build
from cellops.records.contract import Suite

BINS = '{"bins": [0, 10, 30], "weights": [0.5, 0.5]}'
CALLS = {
    "expect_column_to_exist": '("hour")',
    "expect_table_row_count_to_be_between": "(1, 3)",
    "expect_table_row_count_to_equal": "(5)",
    "expect_table_column_count_to_be_between": "(1, 3)",
    "expect_table_column_count_to_equal": "(5)",
    "expect_table_columns_to_match_set": '(["hour", "carrier"], exact_match=False)',
    "expect_table_columns_to_match_ordered_list": '(["hour", "carrier", "late", "day", "text"])',
    "expect_column_values_to_not_be_null": '("carrier", mostly=0.7)',
    "expect_column_values_to_be_null": '("carrier", mostly=0.1)',
    "expect_column_proportion_of_non_null_values_to_be_between": '("carrier", 0.5, 0.9)',
    "expect_column_values_to_be_of_type": '("hour", "float")',
    "expect_column_values_to_be_in_type_list": '("hour", ["int", "str"])',
    "expect_column_values_to_be_between": '("hour", 1, 20.5, strict_min=True)',
    "expect_column_value_lengths_to_be_between": '("text", 4, 9)',
    "expect_column_value_lengths_to_equal": '("text", 10)',
    "expect_column_value_z_scores_to_be_less_than": '("hour", 1)',
    "expect_column_values_to_be_in_set": '("carrier", ["UA", "AA"])',
    "expect_column_values_to_not_be_in_set": '("hour", [21, 7, None])',
    "expect_column_values_to_match_regex": '("carrier", "^[A-Z]{2}$")',
    "expect_column_values_to_not_match_regex": '("carrier", "^[A-Z]{2}$")',
    "expect_column_values_to_match_regex_list": '("text", ["^2013", "x"], match_on="any")',
    "expect_column_values_to_not_match_regex_list": '("text", ["^2013", "x"])',
    "expect_column_values_to_match_strftime_format": '("text", "%Y-%m-%d")',
    "expect_column_values_to_be_dateutil_parseable": '("text")',
    "expect_column_values_to_be_json_parseable": '("text")',
    "expect_column_values_to_be_unique": '("carrier")',
    "expect_column_unique_value_count_to_be_between": '("carrier", 2, 4)',
    "expect_column_proportion_of_unique_values_to_be_between": '("carrier", min_value=0.5)',
    "expect_column_values_to_be_increasing": '("hour", strictly=True)',
    "expect_column_values_to_be_decreasing": '("day")',
    "expect_column_min_to_be_between": '("hour", 0, 5)',
    "expect_column_max_to_be_between": '("day", "2013-01-01", "2013-01-20")',
    "expect_column_mean_to_be_between": '("hour", max_value=3)',
    "expect_column_median_to_be_between": '("hour", 1, 6)',
    "expect_column_stdev_to_be_between": '("hour", 1, 6)',
    "expect_column_sum_to_be_between": '("late", 1, 60)',
    "expect_column_quantile_values_to_be_between": (
        '("hour", {"quantiles": [0.1, 0.9], "value_ranges": [[0, 5], [10, None]]})'
    ),
    "expect_column_distinct_values_to_be_in_set": '("carrier", ["UA", "AA"])',
    "expect_column_distinct_values_to_contain_set": '("carrier", ["UA", "xx"])',
    "expect_column_distinct_values_to_equal_set": '("carrier", ["UA", "xx"])',
    "expect_column_most_common_value_to_be_in_set": '("carrier", ["UA"])',
    "expect_column_kl_divergence_to_be_less_than": f'("hour", {BINS}, 0.3)',
    "expect_column_population_stability_index_to_be_less_than": f'("hour", {BINS})',
    "expect_column_max_to_be_within": '("day", "2 days", now="2013-02-03")',
    "expect_column_pair_values_to_be_equal": '("hour", "late")',
    "expect_column_pair_values_a_to_be_greater_than_b": '("hour", "late", or_equal=True)',
    "expect_column_pair_values_to_be_in_set": '("carrier", "late", [["UA", 1], [None, 5]])',
    "expect_compound_columns_to_be_unique": '(["carrier", "late"])',
    "expect_select_column_values_to_be_unique_within_record": '(["hour", "late"])',
    "expect_multicolumn_values_to_be_equal": '(["hour", "late"])',
    "expect_multicolumn_sum_to_equal": '(["hour", "late"], sum_total=10)',
}
DAYS = ["2013-01-01", "2013-01-03", None, "2013-01-02", "2013-02-01"]
FRAME = pd.DataFrame(
    {
        "hour": [1.0, 21.0, np.nan, 5.0, 9.0],
        "carrier": ["UA", "xx", None, "UA", "UA"],
        "late": [1, 1, 5, 5, 1],
        "day": pd.to_datetime(DAYS).as_unit("us"),
        "text": ["2013-01-01", "x", None, "[]", "2013-02-30"],
    }
)
COLUMNS = {name: FRAME[name].to_numpy() for name in ("hour", "late", "day")} | {
    name: np.array([None if pd.isna(v) else v for v in FRAME[name]], dtype=object) for name in ("carrier", "text")
}
COLUMNS = {name: COLUMNS[name] for name in FRAME}

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
    assert rule.columns == again.expectations[0].columns


@every_rule
def test_the_rule_says_in_one_line_what_it_demands(name):
    first = (RULES[name].__doc__ or "").splitlines()[0]
    assert first
    assert not first.startswith(f"{RULES[name].__name__}(")


def tables():
    yield COLUMNS
    yield FRAME.astype({"carrier": "category", "text": "string", "hour": "Float64", "late": "Int32"})
    yield pl.DataFrame({name: COLUMNS[name].tolist() for name in ("hour", "carrier", "late")}).with_columns(
        pl.Series("day", FRAME["day"].to_numpy()), pl.Series("text", COLUMNS["text"].tolist())
    )
    yield pa.Table.from_pandas(FRAME, preserve_index=False)


@every_rule
def test_every_kind_of_table_gets_the_same_verdict(name):
    expected = check(suite_of(name), FRAME)
    (result,) = expected.results
    assert result.problem is None
    for table in tables():
        assert check(suite_of(name), table) == expected


@every_rule
@pytest.mark.parametrize(
    "table",
    [
        dict.fromkeys(FRAME, np.empty(0)) | {"carrier": np.empty(0, dtype=object)},
        dict.fromkeys(FRAME, np.full(3, np.nan)) | {"carrier": np.full(3, None, dtype=object)},
        dict.fromkeys(FRAME, np.array([1, "x", [2]], dtype=object)) | {"hour": np.array([True, False, True])},
        dict.fromkeys(FRAME, np.array(["2013-01-01"] * 2, dtype="M8[ns]")),
        dict.fromkeys(FRAME, np.array([np.inf, -np.inf])),
        {},
        pd.DataFrame([[1, 2, 3]], columns=["hour", "hour", "carrier"]),
    ],
    ids=["no rows", "all missing", "mixed", "times", "infinities", "no columns", "twice the same name"],
)
def test_no_table_breaks_a_check_and_every_result_is_json(name, table):
    (result,) = check(suite_of(name), table).results
    assert type(result).from_json(result.to_json()) == result
    assert result.passed or result.failed or result.problem or result.checked == 0 or result.observed is not None


@pytest.mark.parametrize("name", sorted(name for name, rule in RULES.items() if rule.row_wise))
def test_a_rule_for_single_rows_finds_alone_what_it_finds_in_the_table(name):
    suite = suite_of(name)
    assert row_rules(suite, list(FRAME)).expectations
    strict = suite.replace(expectations=tuple(e.replace(mostly=1.0) for e in suite.expectations))
    (whole,) = check(strict, FRAME).results
    alone = [row for row in range(len(FRAME)) if not check(strict, FRAME.iloc[[row]]).passed]
    assert tuple(alone) == whole.failed_rows
    checker = RowChecker(suite, list(FRAME))
    rows = [[values[row] for values in map(np.ndarray.tolist, COLUMNS.values())] for row in range(len(FRAME))]
    assert [row for row, values in enumerate(rows) if checker.broken(values)] == alone
    assert [row for row, values in enumerate(rows) if checker.broken(dict(zip(FRAME, values, strict=True)))] == alone
