"""Suites of Great Expectations as their JSON holds them; the package itself is not needed to read them."""

import pytest

from cellops.data.expectations import from_great_expectations, to_great_expectations
from cellops.errors import ExpectationError
from cellops.records.finding import Severity

BETWEEN = "expect_column_values_to_be_between"


def test_suites_of_old_and_new_versions_are_read():
    kwargs = {"column": "age", "min_value": 18, "max_value": None, "mostly": 0.9, "result_format": "BASIC"}
    new = {"name": "people", "expectations": [{"type": BETWEEN, "kwargs": kwargs, "notes": ["adults", "only"]}]}
    old = {"expectation_suite_name": "people", "expectations": [{"expectation_type": BETWEEN, "kwargs": kwargs}]}
    for given in (new, old):
        suite = from_great_expectations(given)
        (expectation,) = suite.expectations
        assert suite.name == "people"
        assert (expectation.columns, expectation.arguments) == (("age",), {"min_value": 18})
        assert (expectation.mostly, expectation.severity) == (0.9, Severity.ERROR)
    assert from_great_expectations(new).expectations[0].reason == "adults\nonly"
    assert from_great_expectations(to_great_expectations(from_great_expectations(new))) == from_great_expectations(new)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"type": "expect_column_values_to_match_json_schema", "kwargs": {"column": "a"}}, "There is no rule"),
        ({"type": BETWEEN, "kwargs": {"column": "a", "min_value": 1, "row_condition": "b > 1"}}, "row_condition"),
        ({"type": BETWEEN, "kwargs": {"column": "a", "min_value": {"$PARAMETER": "low"}}}, "must be numbers"),
        ({"type": BETWEEN, "kwargs": {"column": "a", "min_value": 1, "mostly": "most"}}, "could not"),
        ({"type": "expect_column_values_to_be_of_type", "kwargs": {"column": "a", "type_": "VARCHAR"}}, "type"),
        ("expect_column_to_exist", "could not"),
        ({"type": BETWEEN}, "column"),
    ],
)
def test_what_cannot_be_carried_over_is_named_and_the_rest_is_kept(one, said):
    given = {"name": "s", "expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "a"}}, one]}
    found = []
    assert len(from_great_expectations(given, findings=found).expectations) == 1
    assert "expectation 2" in found[0].where
    assert said in found[0].seen
    with pytest.raises(ExpectationError, match="1 expectations of s could not be carried over"):
        from_great_expectations(given)


@pytest.mark.parametrize("given", [{}, [], {"expectations": 3}, "suite"])
def test_what_is_no_suite_is_refused(given):
    with pytest.raises(ExpectationError, match="no suite of Great Expectations"):
        from_great_expectations(given)


@pytest.mark.parametrize(
    "changed",
    [{"severity": "nope"}, {"severity": [1]}, {"kwargs": {"column": "a", "min_value": 1, "mostly": -3}}],
)
def test_a_severity_or_share_that_there_is_not_is_named(changed):
    findings = []
    given = {"expectations": [{"type": BETWEEN, "kwargs": {"column": "a", "min_value": 1}, "notes": 5} | changed]}

    assert from_great_expectations(given, findings=findings).expectations == ()
    assert "severity must be one of critical, warning, info" in findings[0].seen
