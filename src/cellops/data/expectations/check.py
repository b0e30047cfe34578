"""Hold a table against a suite."""

from collections.abc import Collection
from typing import Any

import numpy as np

from cellops.data.expectations.registry import build, rule_type
from cellops.data.expectations.rule import Judgement, Rule
from cellops.data.expectations.table import Table, Tabular
from cellops.errors import ExpectationError, InputError
from cellops.records.base import Value
from cellops.records.contract import Expectation, Suite
from cellops.records.expectation import ExpectationResult, SuiteResult
from cellops.records.finding import Severity

SHOWN = 5
"""How many failed rows a result names."""


def check(suite: Suite, table: Tabular) -> SuiteResult:
    """Hold a table against every expectation of a suite.

    A rule that cannot be checked fails with its problem stated, and the others are checked all the same.

    Parameters
    ----------
    suite
        The expectations.
    table
        A frame of pandas or polars, a table of Arrow, or columns by name as numpy arrays of one length; missing is
        None in an object array, NaN or NaT.

    Returns
    -------
    SuiteResult
        One result an expectation, in their order; row numbers count from 0.

    Examples
    --------
    >>> from cellops.data.expectations import parse
    >>> suite = parse("trips", 'expect_column_values_to_be_between("distance", 1, 5000, mostly=0.5)', {})
    >>> result = check(suite, {"distance": np.array([200.0, -3.0, np.nan])}).results[0]
    >>> result.passed, result.checked, result.failed_rows, result.unexpected
    (True, 2, (1,), (-3.0,))
    """
    view = Table(table)
    with np.errstate(all="ignore"):  # infinities and NaN are what it looks for
        results = tuple(_result(expectation, view) for expectation in suite.expectations)
    passed = all(r.passed or r.expectation.severity is not Severity.ERROR for r in results)
    return SuiteResult(suite=suite.name, rows=view.rows, results=results, passed=passed)


def row_rules(suite: Suite, columns: Collection[str]) -> Suite:
    """The expectations of a suite that can be held against single rows made of these columns.

    Left out are rules on whole columns or tables and rules on columns that are not given. One row cannot break an
    expectation that allows for some failures (`mostly` below 1), so those no longer count as errors here. Where an
    action is declared, it is for each row that breaks the rule.
    """
    kept = [_of_rows(e) for e in suite.expectations if rule_type(e.rule).row_wise and set(e.columns) <= set(columns)]
    return suite.replace(expectations=tuple(kept))


def _of_rows(expectation: Expectation) -> Expectation:
    if expectation.action is not None:
        return expectation.replace(mostly=1.0)
    if expectation.mostly == 1.0 or expectation.severity is not Severity.ERROR:
        return expectation
    return expectation.replace(severity=Severity.WARNING)


def _result(expectation: Expectation, table: Table) -> ExpectationResult:
    try:
        rule = build(expectation)
        return _verdict(expectation, rule, rule.judge(table), table)
    except (ExpectationError, InputError) as error:
        return ExpectationResult(expectation=expectation, passed=False, checked=0, problem=error.text())
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        problem = f"The rule cannot be applied to this column: {error}"
        return ExpectationResult(expectation=expectation, passed=False, checked=0, problem=problem)


def _verdict(expectation: Expectation, rule: Rule, judgement: Judgement, table: Table) -> ExpectationResult:
    failed = len(judgement.failed_rows)
    if judgement.holds is None:
        allowed = (1 - expectation.mostly) * judgement.checked
        passed = failed <= allowed + 1e-9 * judgement.checked
    else:
        passed = judgement.holds
    first = judgement.failed_rows[:SHOWN]
    return ExpectationResult(
        expectation=expectation,
        passed=passed,
        checked=judgement.checked,
        failed=failed,
        share=failed / judgement.checked if failed else 0.0,
        failed_rows=tuple(first.tolist()),
        unexpected=tuple(_seen(table, rule.columns, row) for row in first) if failed else (),
        observed=_scalar(judgement.observed),
    )


def _seen(table: Table, columns: tuple[str, ...], row: int) -> Value:
    """What stood in a row: the value, or those of several columns as text."""
    values = [_scalar(table.value(column, row)) for column in columns]
    return values[0] if len(values) == 1 else ", ".join(map(str, values))


def _scalar(value: Any) -> Value:
    """A value as JSON can hold it; what it cannot hold (infinity, times, objects) as text."""
    if isinstance(value, np.datetime64):
        return str(value)
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float):
        return None if plain != plain else plain if abs(plain) != float("inf") else str(plain)  # noqa: PLR0124 - NaN
    return plain if plain is None or isinstance(plain, bool | int | str) else str(plain)
