"""What rules say of servers: their actions and defaults, as they are written, read and carried."""

import numpy as np
import pytest

from cellops.data.expectations import (
    RowChecker,
    broken_rows,
    from_great_expectations,
    parse,
    to_great_expectations,
    written,
)
from cellops.errors import ExpectationError
from cellops.records.contract import Action, Suite

IMPUTE = 'expect_column_values_to_be_between("distance", 1, 5000, action="impute", default="median")'


def test_an_action_and_its_default_are_read_written_and_carried_to_great_expectations():
    body = f'{IMPUTE}\nexpect_column_values_to_not_be_null("hour", action="warn")'
    suite = parse("trips", body, {})
    assert [(e.action, e.default) for e in suite.expectations] == [(Action.IMPUTE, "median"), (Action.WARN, None)]
    assert written(suite) == body
    assert from_great_expectations(to_great_expectations(suite)) == suite
    assert Suite.from_json(suite.to_json()) == suite


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('be_between("a", 1, 2, action="drop")', "no such action"),
        ('be_between("a", 1, 2, action="impute")', "needs a default"),
        ('be_between("a", 1, 2, action="impute", default=[1])', "needs a default"),
        ('be_between("a", 1, 2, default=1)', "nothing puts it in"),
        ('be_unique("a", action="warn")', "whole table"),
    ],
)
def test_an_action_that_no_server_could_take_is_refused(call, said):
    with pytest.raises(ExpectationError, match=said):
        parse("trips", f"expect_column_values_to_{call}", {})


def test_a_rule_on_two_columns_does_not_know_which_of_them_to_impute():
    call = 'expect_column_pair_values_a_to_be_greater_than_b("a", "b", action="impute", default=1)'
    with pytest.raises(ExpectationError, match="which of its columns"):
        parse("trips", call, {})


def test_every_broken_row_is_given_and_mostly_is_no_matter():
    (rule,) = parse("t", 'expect_column_values_to_be_between("a", 0, 1, mostly=0.1)', {}).expectations
    assert broken_rows(rule, {"a": np.array([0.5, 2, np.nan, *[3.0] * 9])}).tolist() == [1, *range(3, 12)]


def test_without_an_action_the_severity_decides_and_a_declared_one_is_for_each_row():
    body = [
        'expect_column_values_to_be_between("a", 0, 1)',
        'expect_column_values_to_be_between("a", 0, 1, severity="warning")',
        'expect_column_values_to_be_between("a", 0, 1, mostly=0.9)',
        'expect_column_values_to_be_between("a", 0, 1, mostly=0.9, action="reject")',
    ]
    checker = RowChecker(parse("t", "\n".join(body), {}), ["a"])
    actions = [rule.on_breach for rule in checker.suite.expectations]
    assert actions == [Action.REJECT, Action.WARN, Action.WARN, Action.REJECT]
    assert checker.broken([2.0]) == (0, 1, 2, 3)
