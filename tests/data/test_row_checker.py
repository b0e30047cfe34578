"""A row gets the verdict that it gets as a table, whatever stands in it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.expectations import RowChecker, check, parse
from cellops.data.expectations.registry import RULES
from cellops.data.expectations.row_checker import FEW
from cellops.data.expectations.rules.patterns import REMEMBERED, KnownTexts
from cellops.data.matrix import Matrix

BODY = """
expect_column_values_to_not_be_null("a")
expect_column_values_to_be_null("b")
expect_column_values_to_be_between("a", -1, 2.5)
expect_column_values_to_be_between("b", min_value=0, strict_min=True, mostly=0.9)
expect_column_values_to_be_between("c", "2013-01-02", "2014", strict_max=True)
expect_column_values_to_be_in_set("a", [0, 1.0, "x", True])
expect_column_values_to_be_in_set("b", ["x", "ab"])
expect_column_values_to_be_in_set("c", ["2013-01-02", "x"])
expect_column_values_to_not_be_in_set("a", [2, "ab", None])
expect_column_values_to_match_regex("b", "^[a-x]+$")
expect_column_values_to_not_match_regex("b", "[0-9]")
expect_column_values_to_match_regex_list("b", ["x", "b"])
expect_column_values_to_not_match_regex_list("b", ["x", "b"])
expect_column_value_lengths_to_be_between("b", 1, 2)
expect_column_value_lengths_to_equal("b", 1)
expect_column_values_to_match_strftime_format("b", "%Y-%m-%d")
expect_column_values_to_be_dateutil_parseable("b")
expect_column_values_to_be_json_parseable("b")
expect_column_pair_values_to_be_equal("a", "b")
expect_column_pair_values_to_be_equal("a", "c", ignore_row_if="either_value_is_missing")
expect_column_pair_values_a_to_be_greater_than_b("a", "b")
expect_column_pair_values_a_to_be_greater_than_b("b", "a", or_equal=True, ignore_row_if="neither")
expect_column_pair_values_to_be_in_set("a", "b", [[1, "x"], [None, "ab"]])
expect_select_column_values_to_be_unique_within_record(["a", "b", "c"])
expect_select_column_values_to_be_unique_within_record(["a", "b"], ignore_row_if="any_value_is_missing")
expect_multicolumn_values_to_be_equal(["a", "b", "c"], ignore_row_if="never")
expect_multicolumn_sum_to_equal(["a", "b"], sum_total=3)
"""
COLUMNS = ["a", "b", "c"]
SUITE = parse("s", BODY, {})
CHECKER = RowChecker(SUITE, COLUMNS)
numbers = st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 2.5, 2.6, float("nan"), float("inf"), 2**60, -0.0])
texts = st.sampled_from(["x", "ab", "", "a1", "2013-01-02", "[1]", "None"])
strange = st.sampled_from(
    [
        True,
        None,
        pd.NA,
        pd.NaT,
        Decimal("1.0"),
        np.float64(1),
        np.int32(2),
        np.str_("x"),
        [1],
        {},
        b"x",
        1j,
        datetime(2013, 1, 2),  # noqa: DTZ001 - a time without a zone
        datetime(2013, 6, 1, tzinfo=UTC),
        date(2013, 1, 2),
        np.datetime64("2013-01-02"),
        pd.Timestamp("2013-05-01"),
    ]
)
values = numbers | texts | strange


def expected(row: list[object]) -> tuple[int, ...]:
    """The places of the rules that a table of this one row breaks."""
    table = {}
    for name, value in zip(COLUMNS, row, strict=True):
        table[name] = np.empty(1, dtype=object)
        table[name][0] = value
    results = check(CHECKER.suite, table).results
    return tuple(place for place, result in enumerate(results) if not result.passed)


def test_every_rule_for_single_rows_is_asked():
    assert {e.rule for e in CHECKER.suite.expectations} == {name for name, rule in RULES.items() if rule.row_wise}


@settings(deadline=None)
@given(st.lists(values, min_size=3, max_size=3))
def test_a_row_of_anything_breaks_what_it_breaks_as_a_table(row):
    assert CHECKER.broken(row) == expected(row)
    assert CHECKER.broken(dict(zip(COLUMNS, row, strict=True))) == expected(row)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(numbers, texts | st.none(), numbers), min_size=1, max_size=3))
def test_each_row_of_a_frame_breaks_alone_what_its_row_breaks(rows):
    frame = pd.DataFrame(rows, columns=COLUMNS)
    for number, row in enumerate(frame.itertuples(index=False)):
        alone = check(CHECKER.suite, frame.iloc[[number]]).results
        broken = CHECKER.broken([value.item() if isinstance(value, np.generic) else value for value in row])
        assert broken == tuple(place for place, result in enumerate(alone) if not result.passed)


def test_a_row_that_lacks_a_column_or_has_none_breaks_the_rules_on_it():
    checker = RowChecker(parse("s", 'expect_column_values_to_not_be_null("a")', {}), ["a"])
    assert checker.broken({}) == (0,)
    assert checker.broken([]) == (0,)
    assert checker.broken({"a": 1, "other": 2}) == ()


def test_a_suite_without_rules_for_rows_is_broken_by_none():
    checker = RowChecker(parse("s", "expect_table_row_count_to_equal(3)", {}), ["a"])
    assert checker.broken([1]) == () == checker.broken({})


@pytest.mark.parametrize("name", ['a"]\nimport os', "row[0]", "", "ü", "{a}", "\x00"])
def test_names_and_texts_of_a_user_are_never_code(name):
    body = "expect_column_values_to_be_in_set(name, [name])\nexpect_column_values_to_match_regex(name, '^')"
    checker = RowChecker(parse("s", body.replace("(name", f"({name!r}").replace("[name", f"[{name!r}"), {}), [name])
    assert checker.broken({name: name}) == ()
    assert checker.broken({name: 1}) == (0, 1)


def test_columns_of_one_row_hold_as_the_row_does():
    checker = RowChecker(parse("s", 'expect_column_values_to_be_between("t", "2013")', {}), ["t"])
    assert checker.surely_hold({"t": np.array(["2013-05-01"], dtype="M8[ns]")}, 1)
    assert checker.surely_hold({"t": np.array(["NaT"], dtype="M8[us]")}, 1)
    assert not checker.surely_hold({"t": np.array(["2012-05-01"], dtype="M8[s]")}, 1)


RANGES = """
expect_column_values_to_be_between("a", -1, 2)
expect_column_values_to_be_between("b", min_value=0, strict_min=True)
expect_column_values_to_not_be_null("a")
"""
few = st.integers(-2, 3).map(float)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(few, few), min_size=1, max_size=60),
    st.sampled_from(["", 'expect_column_values_to_be_in_set("a", [0, 1, 2])']),
)
def test_rows_that_surely_hold_do_and_ranges_are_surely_held_by_all_that_do(rows, more):
    checker = RowChecker(parse("s", RANGES + more, {}), ["a", "b"])
    matrix = Matrix({"a": 0, "b": 1}, np.array(rows))
    columns = {name: matrix[name].copy() for name in matrix}
    passed = not check(checker.suite, columns).failures()

    assert checker.surely_hold(matrix, len(rows)) == (passed and (not more or len(rows) <= FEW))
    assert checker.surely_hold(columns, len(rows)) == (passed and len(rows) <= FEW)


def test_no_more_texts_are_remembered_than_are_of_use():
    known = KnownTexts(lambda text: text.startswith("x"))
    for number in range(REMEMBERED + 10):
        assert known.holds(f"x{number}")
        assert not known.holds(f"y{number}")
    assert len(known.texts) == REMEMBERED
    long = KnownTexts(lambda text: True)
    assert long.holds("x" * 1000)
    assert not long.texts


def test_a_time_beyond_the_year_9999_is_no_number():
    suite = parse("s", 'expect_column_pair_values_a_to_be_greater_than_b("a", "b")', {})
    columns = {"a": np.array(["10000-01-01"], dtype="M8[us]"), "b": np.array([1], dtype=object)}

    assert not RowChecker(suite, ["a", "b"]).surely_hold(columns, 1)


def test_a_text_at_which_the_reading_of_times_itself_fails_is_no_time():
    suite = parse("s", 'expect_column_values_to_be_dateutil_parseable("a")', {})
    texts = np.array(["2013-01-01", "12.5h999999999999999999999999999999"], dtype=object)

    assert check(suite, {"a": texts}).results[0].failed_rows == (1,)
