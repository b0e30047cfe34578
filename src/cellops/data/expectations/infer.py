"""A suite that a table suggests, for a person to edit: what is likely meant, not all that happens to be true."""

import math
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np

from cellops.data.expectations.column import Column
from cellops.data.expectations.outward import LARGEST, outward
from cellops.data.expectations.shapes import shape_of
from cellops.data.expectations.table import Table, Tabular
from cellops.errors import InputError
from cellops.records.contract import Expectation, Suite
from cellops.records.finding import Severity

FEW = 20
"""Categories up to which a set of them is proposed."""
ROWS_EACH = 10
"""Rows for each category, on average, from which the set is likely complete."""
LEAST_ROWS = 20
"""Rows from which keys, forms and orders are more than chance."""
MOST_TIMES = 6
"""Columns of times up to which each pair is looked at."""


def infer(name: str, table: Tabular) -> Suite:
    """Propose expectations: types, keys, values that are always there, ranges, categories, forms and orders.

    Ranges are widened and rounded outward. Sets are proposed for few categories, of which each was seen more than once.
    Columns that hold values of several types, or none, are left out. Every expectation says its reason.

    Parameters
    ----------
    name
        The name of the suite.
    table
        A frame of pandas or polars, a table of Arrow, or columns by name as numpy arrays of one length.

    Returns
    -------
    Suite
        The table itself satisfies it.

    Examples
    --------
    >>> hours = {"hour": np.arange(24.0)}
    >>> [(e.rule, e.arguments) for e in infer("trips", hours).expectations if "between" in e.rule]
    [('expect_column_values_to_be_between', {'min_value': 0, 'max_value': 26})]
    """
    view = Table(table)
    names = [one for one in view.names if isinstance(one, str) and view.names.count(one) == 1]
    found = [_columns_there(names)] if names else []
    for one in names:
        try:
            found += _of_column(view.column(one))
        except (TypeError, ValueError, ArithmeticError, InputError):
            continue
    found += _orders(view, names)
    return Suite(name=name, expectations=tuple(found))


def _columns_there(names: list[str]) -> Expectation:
    rule = "expect_table_columns_to_match_set"
    given: dict[str, Any] = {"column_set": names, "exact_match": False}
    return Expectation(rule=rule, columns=(), arguments=given, reason="these columns are there; others may join them")


def _of_column(column: Column) -> Iterator[Expectation]:
    if not column.count or len(column.kinds) > 1:
        return
    (kind,) = column.kinds
    proposed = {"text": _texts, "number": _numbers, "integer": _numbers, "time": _times, "boolean": _booleans}.get(kind)
    if proposed is None:
        return
    if not column.missing_count:
        yield _on(column, "values_to_not_be_null", f"none of {column.rows:,} is missing")
    yield from proposed(column)


def _booleans(column: Column) -> Iterator[Expectation]:
    yield _on(column, "values_to_be_of_type", "true or false", type_="bool")


def _texts(column: Column) -> Iterator[Expectation]:
    yield _on(column, "values_to_be_of_type", "every value is text", type_="str")
    if _is_key(column):
        yield _on(column, "values_to_be_unique", f"{column.rows:,} rows, as many values")
    shape = shape_of(column.distinct) if column.distinct_count >= LEAST_ROWS else None
    if _is_category(column):
        values = sorted(column.distinct)
        yield _on(column, "values_to_be_in_set", f"{len(values)} categories in {column.count:,} rows", value_set=values)
    elif shape is not None:
        yield _on(column, "values_to_match_regex", shape.reason, regex=shape.regex)


def _numbers(column: Column) -> Iterator[Expectation]:
    yield _on(column, "values_to_be_in_type_list", "every value is a number", type_list=["int", "float"])
    whole = column.kinds == {"integer"}
    if whole and _is_key(column):
        yield _on(column, "values_to_be_unique", f"{column.rows:,} rows, as many values")
        return
    low, high = column.numbers.min(), column.numbers.max()
    if not (math.isfinite(low) and math.isfinite(high)):
        return
    if {low, high} == {0, 1} and column.distinct_count == 2 and column.count >= LEAST_ROWS:  # noqa: PLR2004 - no and yes
        yield _on(column, "values_to_be_in_set", "0 and 1 alone", value_set=[0, 1])
        return
    least, most = outward(float(low), float(high))
    if whole and max(abs(least), abs(most)) < LARGEST:
        least, most = math.floor(least), math.ceil(most)
    seen = f"from {low:,g} to {high:,g} in {column.count:,} rows"
    yield _on(column, "values_to_be_between", seen, min_value=least, max_value=most)


def _times(column: Column) -> Iterator[Expectation]:
    yield _on(column, "values_to_be_of_type", "every value is a time", type_="datetime64")
    first = column.numbers.min()
    year = f"{first.astype('datetime64[Y]').astype(int) + 1970:04d}-01-01"
    yield _on(column, "values_to_be_between", f"the first is {str(first)[:10]}", min_value=year)


def _is_key(column: Column) -> bool:
    return column.count == column.rows >= LEAST_ROWS and column.distinct_count == column.rows


def _is_category(column: Column) -> bool:
    few = column.distinct_count <= FEW and column.count >= ROWS_EACH * column.distinct_count
    return few and int(column.counts[column.counts > 0].min()) > 1


def _orders(table: Table, names: list[str]) -> Iterator[Expectation]:
    """Pairs of times of which one is never before the other, such as a start and an end."""
    times = []
    for name in names:
        try:
            column = table.column(name)
            times += [column] if column.count and column.kinds == {"time"} else []
        except (TypeError, ValueError, ArithmeticError, InputError):
            continue
    for later, earlier in permutations(times if len(times) <= MOST_TIMES else [], 2):
        both = ~later.missing & ~earlier.missing
        a, b = later.full[both], earlier.full[both]
        if len(a) >= LEAST_ROWS and bool((a >= b).all()) and bool((a > b).any()):
            yield Expectation(
                rule="expect_column_pair_values_a_to_be_greater_than_b",
                columns=(later.name, earlier.name),
                arguments={"or_equal": True, "ignore_row_if": "either_value_is_missing"},
                severity=Severity.WARNING,
                reason=f"so in all of {len(a):,} rows",
            )


def _on(column: Column, rule: str, reason: str, **arguments: Any) -> Expectation:
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in arguments.items()}
    return Expectation(rule=f"expect_column_{rule}", columns=(column.name,), arguments=plain, reason=reason)
