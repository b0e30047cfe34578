from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.data.expectations import check, parse, row_rules
from cellops.errors import ExpectationError
from cellops.records.finding import Severity

BETWEEN = "expect_column_values_to_be_between"


def judge(call: str, table):
    (result,) = check(parse("s", call, {}), table).results
    return result


@pytest.mark.parametrize(
    ("call", "passed", "checked", "failed_rows", "unexpected"),
    [
        (f'{BETWEEN}("n", 0, 10)', False, 4, (1, 4), (-1.0, 11.0)),
        (f'{BETWEEN}("n", 0, 10, mostly=0.5)', True, 4, (1, 4), (-1.0, 11.0)),
        (f'{BETWEEN}("n", 0, 10, mostly=0.51)', False, 4, (1, 4), (-1.0, 11.0)),
        (f'{BETWEEN}("n", -1, 10, strict_min=True, strict_max=True)', False, 4, (1, 3, 4), (-1.0, 10.0, 11.0)),
        (f'{BETWEEN}("n", max_value=11)', True, 4, (), ()),
        (f'{BETWEEN}("when", "2013-01-02")', False, 4, (0,), ("2013-01-01T00:00:00.000000",)),
        (f'{BETWEEN}("text", 0, 1)', False, 0, (), ()),
        ('expect_column_values_to_not_be_null("text")', False, 5, (3,), (None,)),
        ('expect_column_values_to_not_be_null("text", mostly=0.8)', True, 5, (3,), (None,)),
        ('expect_column_values_to_be_in_set("text", ["ab", "abc"])', False, 4, (2,), ("b",)),
        ('expect_column_values_to_be_in_set("n", [0, -1, 10, 11])', True, 4, (), ()),
        ('expect_column_values_to_match_regex("text", "a")', False, 4, (2,), ("b",)),
        ('expect_column_values_to_match_regex("text", "^ab$")', False, 4, (1, 2), ("abc", "b")),
        ('expect_column_values_to_be_unique("text")', False, 4, (0, 4), ("ab", "ab")),
        ('expect_column_values_to_be_unique("n")', True, 4, (), ()),
        ('expect_column_values_to_be_of_type("n", "float64")', True, 4, (), ()),
        ('expect_column_values_to_be_of_type("n", "int")', False, 4, (0, 1, 3, 4), (0.0, -1.0, 10.0, 11.0)),
        ('expect_column_values_to_be_of_type("whole", "int32")', True, 5, (), ()),
        ('expect_column_values_to_be_of_type("text", "str")', True, 4, (), ()),
        ('expect_column_values_to_be_of_type("mixed", "str")', False, 5, (1, 3), (1, 2.5)),
        ('expect_column_values_to_be_of_type("when", "datetime64")', True, 4, (), ()),
    ],
)
def test_verdicts_on_values_are_those_counted_by_hand(call, passed, checked, failed_rows, unexpected):
    table = pd.DataFrame(
        {
            "n": [0.0, -1.0, np.nan, 10.0, 11.0],
            "whole": [1, 2, 3, 4, 5],
            "text": ["ab", "abc", "b", None, "ab"],
            "mixed": ["x", 1, "y", 2.5, "z"],
            "when": pd.to_datetime(["2013-01-01", "2013-01-02", None, "2013-02-01", "2013-03-01"]).as_unit("us"),
        }
    )
    result = judge(call, table)
    assert (result.passed, result.checked, result.failed_rows, result.unexpected) == (
        passed,
        checked,
        failed_rows,
        unexpected,
    )


@pytest.mark.parametrize(
    ("call", "passed", "observed"),
    [
        ('expect_column_mean_to_be_between("n", 1, 2)', True, 2),
        ('expect_column_mean_to_be_between("n", 1, 2, strict_max=True)', False, 2),
        ('expect_column_mean_to_be_between("none", 1, 2)', False, None),
        ("expect_table_row_count_to_be_between(4)", True, 4),
        ("expect_table_row_count_to_be_between(max_value=3)", False, 4),
        ('expect_column_proportion_of_unique_values_to_be_between("n", 0.6, 0.7)', True, 2 / 3),
        ('expect_column_proportion_of_unique_values_to_be_between("none", 0.1)', False, 0),
        ('expect_column_to_exist("n")', True, None),
        ('expect_column_to_exist("m")', False, None),
    ],
)
def test_verdicts_on_the_whole_are_those_computed_by_hand(call, passed, observed):
    table = {"n": np.array([1.0, np.nan, 1.0, 4.0]), "none": np.full(4, np.nan)}
    result = judge(call, table)
    assert (result.passed, result.observed) == (passed, pytest.approx(observed) if observed else observed)


@pytest.mark.parametrize("dtype", ["category", "string", "object"])
def test_every_way_in_which_pandas_holds_text_is_text(dtype):
    table = pd.DataFrame({"c": pd.Series(["UA", None, "AA"], dtype=dtype)})
    assert judge('expect_column_values_to_be_in_set("c", ["UA"])', table).failed_rows == (2,)


def test_nullable_integers_and_times_with_a_zone_are_compared_as_what_they_are():
    table = pd.DataFrame(
        {
            "i": pd.Series([1, None, 9], dtype="Int64"),
            "t": pd.Series(pd.to_datetime(["2013-01-01T23:00-05:00", None, "2013-01-01T00:00-05:00"])),
        }
    )
    assert judge(f'{BETWEEN}("i", 0, 5)', table).unexpected == (9,)
    assert judge(f'{BETWEEN}("t", "2013-01-02")', table).failed_rows == (2,)


def test_a_rule_that_cannot_be_checked_fails_alone_and_says_why():
    suite = parse("s", f'{BETWEEN}("m", 0, 1)\n{BETWEEN}("mixed", 0, 1)\n{BETWEEN}("n", 0, 1)', {})
    missing, mixed, fine = check(suite, {"n": np.array([1.0]), "mixed": np.array(["1"], dtype=object)}).results
    assert "no column m" in missing.problem
    assert "mixed holds text" in mixed.problem
    assert fine.passed


@pytest.mark.parametrize("bounds", ["min_value=0", "max_value=0", "0, 1"])
def test_a_mean_that_is_no_number_fails(bounds):
    result = judge(f'expect_column_mean_to_be_between("n", {bounds})', {"n": np.array([np.inf, -np.inf])})
    assert not result.passed
    assert "infinities of both signs" in result.problem


@pytest.mark.parametrize(
    ("bound", "failed"),
    [
        ("2013", (0,)),
        ("2013-02", (0, 1)),
        ("2013-01-15T01:00+01:00", (0,)),
        ("2013-01-15T00:00:00.5Z", (0, 1)),
        ("0001-01-01", ()),
        ("9999-12-31", (0, 1, 2)),
    ],
)
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_bounds_are_times_of_any_iso_form_and_any_age(bound, failed, unit):
    times = np.array(["2012-12-31", "2013-01-15", "2013-03-01"], dtype=f"M8[{unit}]")
    assert judge(f'{BETWEEN}("t", "{bound}")', {"t": times}).failed_rows == failed


def test_only_the_first_failed_rows_are_kept_and_all_are_counted():
    result = judge(f'{BETWEEN}("n", 0, 1)', {"n": np.arange(100)})
    assert (result.failed, result.share, result.failed_rows) == (98, 0.98, (2, 3, 4, 5, 6))


def test_a_warning_does_not_fail_the_suite():
    result = check(parse("s", f'{BETWEEN}("n", 0, 1, severity="warning", reason="rare")', {}), {"n": np.array([7])})
    assert result.passed
    assert [r.expectation.reason for r in result.failures(Severity.WARNING)] == ["rare"]
    assert result.failures(Severity.ERROR) == ()


def test_row_rules_leave_out_the_whole_table_and_other_columns_and_lower_what_allows_for_failures():
    body = f"""
    {BETWEEN}("hour", 0, 24)
    {BETWEEN}("hour", 5, 23, mostly=0.9)
    {BETWEEN}("target", 0, 1)
    expect_column_mean_to_be_between("hour", 0, 24)
    expect_column_values_to_be_unique("hour")
    """.replace("\n    ", "\n")
    kept = row_rules(parse("s", body, {}), ["hour"]).expectations
    assert [(e.columns, e.mostly, e.severity) for e in kept] == [
        (("hour",), 1.0, Severity.ERROR),
        (("hour",), 0.9, Severity.WARNING),
    ]


def test_a_body_may_have_comments_blank_lines_calls_over_several_lines_and_names():
    body = """# distances in miles

expect_column_values_to_be_between(
    "distance", minimum, 5_000,  # the longest is to Honolulu
    reason="miles",
)
expect_column_values_to_be_in_set("origin", origins)
expect_column_values_to_be_between("x", -2.5, +3)
"""
    suite = parse("flights", body, {"minimum": np.int64(1), "origins": {"LGA", "EWR"}})
    assert suite.name == "flights"
    assert [e.arguments for e in suite.expectations] == [
        {"min_value": 1, "max_value": 5000},
        {"value_set": ["EWR", "LGA"]},
        {"min_value": -2.5, "max_value": 3},
    ]
    assert suite.expectations[0].reason == "miles"


@pytest.mark.parametrize(
    ("line", "fact", "remedy"),
    [
        ('expect_column_values_to_be_betwen("x", 1)', "no rule expect_column_values_to_be_betwen", BETWEEN + "?"),
        ('unrelated("x")', "no rule unrelated", "The rules are"),
        (f'{BETWEEN}("x", 1, maxvalue=2)', "no argument maxvalue", "max_value?"),
        (f'{BETWEEN}("x", 1, **more)', "no argument **", "arguments are"),
        (f'{BETWEEN}("x", 1, min_value=2)', "min_value is given twice", "Remove"),
        (f'{BETWEEN}("x", 1, 2, True, True, 6)', "takes 5 arguments", "column, min_value"),
        (f"{BETWEEN}(1, 1)", "column must be of type str", "quotes"),
        (f"{BETWEEN}(min_value=1)", "column", "arguments are"),
        (f'{BETWEEN}("x")', "must be numbers or", "min_value=0"),
        (f'{BETWEEN}("x", 0, "2013-01-01")', "must be numbers or", "min_value=0"),
        (f'{BETWEEN}("x", 2, 1)', "min_value is larger than max_value", "min_value=0"),
        (f'{BETWEEN}("x", "2013-02-01", "2013-01-01")', "min_value is larger", "min_value=0"),
        (f'{BETWEEN}("x", "low")', "must be numbers or", "min_value=0"),
        (f'{BETWEEN}("x", "now")', "must be numbers or", "min_value=0"),
        (f'{BETWEEN}("x", max_value="today")', "must be numbers or", "min_value=0"),
        (f'{BETWEEN}("x", "NaT")', "must be numbers or", "min_value=0"),
        (f'{BETWEEN}("x", 1, strict_min=1)', "strict_min must be of type bool", "Leave it out"),
        (f'{BETWEEN}("x", 1, mostly=1.5)', "mostly must be a share", "0.99"),
        (f'{BETWEEN}("x", 1, severity="fatal")', "no such severity", "warning"),
        (f'{BETWEEN}("x", 1, reason=3)', "reason must be of type str", "quotes"),
        (f'{BETWEEN}("x", __import__("os").getpid())', "must be a literal", "cell above"),
        (f'{BETWEEN}("x", limits.low)', "must be a literal", "cell above"),
        (f'{BETWEEN}("x", 0, 1e999)', "cannot be NaN or infinite", "Leave out"),
        (f'{BETWEEN}("x", -1e999, 0)', "cannot be NaN or infinite", "Leave out"),
        (f'{BETWEEN}("x", limit)', "no variable limit", "limits?"),
        (f'{BETWEEN}("x", limits)', "cannot be of type object", "Use numbers"),
        ('expect_column_values_to_match_regex("x", "(")', "not a regular expression", "Correct it"),
        ('expect_column_values_to_be_in_set("x", "EWR")', "value_set must be of type list", "EWR"),
        ('expect_column_values_to_be_of_type("x", "flaot")', "type_ must name a type", "float"),
        ("x = 1", "not the call of a rule", "expect_column_to_exist"),
        ('frame.expect_column_to_exist("x")', "not the call of a rule", "expect_column_to_exist"),
        ('expect_column_to_exist("x"', "never closed", "as a call"),
    ],
)
def test_an_error_says_line_fact_and_remedy_and_nothing_runs(line, fact, remedy):
    with pytest.raises(ExpectationError) as caught:
        parse("s", f'expect_column_to_exist("y")\n\n{line}', {"limits": object()})
    assert caught.value.data["line"] == 3
    assert caught.value.fact.startswith("Line 3: ")
    assert fact in caught.value.fact
    assert remedy in caught.value.remedy


def test_a_list_that_holds_itself_is_refused_and_a_set_is_sorted():
    endless: list[object] = [1]
    endless.append(endless)
    for name in ("endless", "nested"):
        with pytest.raises(ExpectationError, match="cannot be of type list"):
            parse("s", f'expect_column_values_to_be_in_set("x", {name})', {"endless": endless, "nested": [[1]]})
    given = {"mixed": {np.int64(2), "a", 1.5}}
    suite = parse("s", 'expect_column_values_to_be_in_set("x", mixed)', given)
    assert suite.expectations[0].arguments == {"value_set": [1.5, 2, "a"]}


def test_a_suite_without_expectations_is_refused():
    with pytest.raises(ExpectationError, match="no expectations"):
        parse("flights", "# none yet\n", {})


@given(st.text(max_size=80))
def test_no_text_does_more_than_raise_one_clear_error(text):
    with suppress(ExpectationError):
        parse("s", text, {})


scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=5)


@given(values=st.lists(scalars, max_size=20), low=st.integers(-5, 5))
def test_no_column_breaks_a_check(values, low):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    body = f'{BETWEEN}("c", {low}, 6)\nexpect_column_values_to_be_in_set("c", [{low}, "a"])'
    for result in check(parse("s", body, {}), {"c": column}).results:
        assert result.failed <= result.checked
        assert type(result).from_json(result.to_json()) == result


@given(st.lists(st.floats(-10, 10) | st.just(float("nan")), min_size=1, max_size=30))
def test_between_agrees_with_counting_one_by_one(values):
    result = judge(f'{BETWEEN}("c", -1, 1)', {"c": np.array(values)})
    wrong = [row for row, value in enumerate(values) if value < -1 or value > 1]
    assert (result.failed, list(result.failed_rows)) == (len(wrong), wrong[:5])


def test_nan_in_a_column_that_arrow_holds_for_pandas_is_missing() -> None:
    held = pa.table({"delay": [1.0, float("nan"), None, 7.0], "day": pa.array([1, None, 3, 4])})
    suite = parse(
        "t", 'expect_column_values_to_be_in_set("delay", [1])\nexpect_column_values_to_not_be_null("delay")', {}
    )

    of_pandas, of_arrow = check(suite, held.to_pandas(types_mapper=pd.ArrowDtype)), check(suite, held)

    assert of_pandas == of_arrow
    assert [result.failed_rows for result in of_pandas.results] == [(3,), (1, 2)]


def test_integers_that_no_float_holds_keep_their_digits_as_objects() -> None:
    keys = np.array([2**53, 2**53 + 1, None], dtype=object)
    suite = parse("t", f'expect_column_values_to_be_between("key", None, {2**53})', {})

    assert check(suite, {"key": keys}).results[0].failed_rows == (1,)
    assert check(suite, {"key": np.array([2**70, None], dtype=object)}).results[0].failed_rows == (0,)
