"""Rules that Great Expectations does not have, and columns that are not what they should be."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from cellops.data.expectations import check, parse
from cellops.data.profile import profile
from cellops.errors import ExpectationError
from cellops.stats.psi import psi

PSI = "expect_column_population_stability_index_to_be_less_than"


def judge(call: str, table, namespace=None):
    (result,) = check(parse("s", call, namespace or {}), table).results
    return result


def test_a_column_is_like_its_profile_and_one_that_has_moved_is_not():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=2000), "c": random.choice(list("abc"), 2000)})
    moved = pd.DataFrame({"x": frame["x"] + 1, "c": ["a"] * 2000})
    for name in frame:
        known = {"known": profile(frame).column(name)}
        same = judge(f'{PSI}("{name}", known, 0.1)', frame, known)
        assert same.passed
        assert same.observed == pytest.approx(0, abs=1e-12)
        assert judge(f'{PSI}("{name}", known)', moved, known).failed_rows == ()
        assert not judge(f'{PSI}("{name}", known)', moved, known).passed


def test_the_index_is_that_of_the_statistic():
    table = {"x": np.array([1.0, 2.0, 12.0, 25.0, np.nan])}
    result = judge(f'{PSI}("x", {{"bins": [0, 10, 20], "weights": [30, 10]}})', table)
    assert result.observed == pytest.approx(psi([3, 1], [2, 2]).value)


def test_the_divergence_is_that_of_scipy():
    table = {"x": np.array([1.0, 2.0, 12.0, 15.0, 19.0])}
    call = 'expect_column_kl_divergence_to_be_less_than("x", {"bins": [0, 10, 20], "weights": [0.7, 0.3]}, 1)'
    assert judge(call, table).observed == pytest.approx(scipy.stats.entropy([0.4, 0.6], [0.7, 0.3]))
    beyond = judge(call, {"x": np.array([1.0, 30.0])})
    assert not beyond.passed
    assert beyond.observed == "inf"


@pytest.mark.parametrize(
    ("within", "now", "passed"),
    [
        ("2 days", "2013-02-03", True),
        ("2 days", "2013-02-03T00:00:01", False),
        ("1 day", "2013-01-31", True),
        ("36 hours", "2013-02-02T12:00:00Z", True),
        ("1.5 weeks", "2013-02-11", True),
    ],
)
def test_the_latest_time_is_within_a_span_of_now(within, now, passed):
    table = {"d": np.array(["2013-01-01", "2013-02-01", "NaT"], dtype="M8[ns]")}
    assert judge(f'expect_column_max_to_be_within("d", "{within}", now="{now}")', table).passed is passed


def test_without_a_now_it_is_the_time_of_the_check():
    call = 'expect_column_max_to_be_within("d", "1 hour")'
    assert judge(call, pd.DataFrame({"d": [pd.Timestamp.now(tz="Asia/Tokyo")]})).passed
    assert not judge(call, pd.DataFrame({"d": [pd.Timestamp("2013-01-01")]})).passed


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('expect_column_max_to_be_within("d", "two days")', "a number and a unit"),
        ('expect_column_max_to_be_within("d", "2 days", now="today")', "ISO 8601"),
        ('expect_column_max_to_be_within("d", "99999999999 weeks")', "longer than any time"),
        (f'{PSI}("x", {{"bins": [0, 10], "weights": [1, 2]}})', "partition_object must give"),
        (f'{PSI}("x", {{"values": ["a", "a"], "weights": [1, 2]}})', "partition_object must give"),
        ('expect_column_kl_divergence_to_be_less_than("x", {"values": ["a"], "weights": [2]}, 1)', "add up to 1"),
        ('expect_column_quantile_values_to_be_between("x", {"quantiles": [2], "value_ranges": [[0, 1]]})', "0 to 1"),
        ('expect_column_pair_values_to_be_in_set("a", "b", [[1]])', "must be two values"),
        ('expect_column_pair_values_to_be_equal("a", "b", ignore_row_if="never")', "ignore_row_if must be one of"),
        ('expect_compound_columns_to_be_unique(["a"])', "two columns or more"),
        ('expect_compound_columns_to_be_unique("a")', "column_list must be of type list"),
        ('expect_column_values_to_match_regex_list("a", ["("])', "not a regular expression"),
        ('expect_column_values_to_match_regex_list("a", [])', "no regular expression"),
        ('expect_column_values_to_match_strftime_format("a", "%Q")', "cannot be read back"),
        ('expect_column_value_z_scores_to_be_less_than("a", "3")', "threshold must be a number"),
        ('expect_table_row_count_to_equal(True)', "value must be of type int"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(call, said):
    with pytest.raises(ExpectationError) as caught:
        parse("s", call, {})
    assert said in caught.value.fact


def test_each_bad_column_fails_its_own_rules_alone():
    columns = {
        "n": [1, 2],
        "mixed": ["x", 3],
        "beyond": [np.inf, -np.inf],
        "nested": [[1], {}],
        "half": ["\ud800", "b"],
    }
    frame = {name: pd.Series(values, dtype=object).to_numpy() for name, values in columns.items()}
    body = """
expect_column_values_to_be_between("n", 0, 5)
expect_column_values_to_match_regex("mixed", "x")
expect_column_mean_to_be_between("beyond", 0, 1)
expect_column_unique_value_count_to_be_between("nested", 0)
expect_column_values_to_match_regex("half", ".")
expect_column_stdev_to_be_between("absent", 0, 1)
expect_column_max_to_be_between("beyond", 0)
"""
    results = check(parse("s", body, {}), frame).results
    assert [result.passed for result in results] == [True, False, False, False, True, False, True]
    problems = [result.problem for result in results if result.problem]
    assert ["mixed holds" in problems[0], "infinities of both signs" in problems[1]] == [True, True]
    assert ["cannot be applied" in problems[2], "no column absent" in problems[3]] == [True, True]
