"""A schema of pandera as a suite."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cellops.data.expectations.carried import left_out, tell
from cellops.data.expectations.parser import argument
from cellops.data.expectations.registry import build
from cellops.errors import ExpectationError
from cellops.records.contract import Expectation, Suite
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pandera.pandas as pa

VALUES = "expect_column_values_to_"
LEAST = 2


def from_pandera(schema: "pa.DataFrameSchema", *, findings: list[Finding] | None = None) -> Suite:
    """Read a schema of pandera.

    Types lose their width in bits, as everywhere in expectations. Checks that are functions, columns that may be absent
    or are named by a pattern, conversions and the index have no counterpart.

    Parameters
    ----------
    schema
        A `DataFrameSchema`; of a `DataFrameModel`, give `Model.to_schema()`.
    findings
        Takes what could not be carried over.

    Returns
    -------
    Suite
        Of the name of the schema.

    Raises
    ------
    ExpectationError
        When it is no schema, or, without `findings`, when anything could not be carried over.
    """
    if not hasattr(schema, "columns") or not hasattr(schema, "ordered"):
        fact = "This is no DataFrameSchema of pandera"
        raise ExpectationError(fact, received=type(schema).__name__, remedy="Of a model, give Model.to_schema()")
    found: list[Finding] = []
    kept: list[Expectation] = []
    for one in (*_of_table(schema), *(each for column in schema.columns.values() for each in _of_column(column))):
        if isinstance(one, Finding):
            found.append(one)
            continue
        try:
            build(one)
            kept.append(one)
        except ExpectationError as error:
            found.append(left_out(f"{', '.join(one.columns) or 'the table'}, {one.rule}", error.fact))
    name = str(schema.name or "schema")
    tell(found, findings, name)
    return Suite(name=name, expectations=tuple(kept))


def _of_table(schema: Any) -> Iterator[Expectation | Finding]:
    names = [str(name) for name in schema.columns]
    if schema.strict is True and schema.ordered:
        yield _of((), "expect_table_columns_to_match_ordered_list", column_list=names)
    elif schema.strict is True:
        yield _of((), "expect_table_columns_to_match_set", column_set=names)
    elif schema.strict or schema.ordered:
        yield left_out("the table", "columns are filtered, or ordered where others may join them")
    if schema.unique:
        together = [schema.unique] if isinstance(schema.unique, str) else list(schema.unique)
        if len(together) < LEAST:
            yield _of(tuple(together), f"{VALUES}be_unique")
        else:
            yield _of(tuple(together), "expect_compound_columns_to_be_unique", ignore_row_if="never")
    for check in schema.checks:
        yield left_out(f"the table, check {check.name}", "it is a function of the table")
    for what in ("coerce", "index", "parsers"):
        if getattr(schema, what, None):
            yield left_out("the table", f"{what} has no counterpart")


def _of_column(column: Any) -> Iterator[Expectation | Finding]:
    name = str(column.name)
    if column.regex or not column.required:
        why = "columns are named by a pattern" if column.regex else "the column may be absent"
        yield left_out(f"column {name}", why)
        return
    yield _of((name,), "expect_column_to_exist")
    if column.dtype is not None:
        yield _of((name,), f"{VALUES}be_of_type", type_=_type(str(column.dtype)))
    if not column.nullable:
        yield _of((name,), f"{VALUES}not_be_null")
    if column.unique:
        yield _of((name,), f"{VALUES}be_unique")
    if column.coerce:
        yield left_out(f"column {name}", "its values are converted, and here they are only looked at")
    for check in column.checks:
        yield _checked(name, check)


def _type(dtype: str) -> str:
    if dtype.startswith("str"):
        return "str"
    return "datetime64" if dtype.startswith("datetime64") else dtype.lower()


def _checked(name: str, check: Any) -> Expectation | Finding:
    translate = _checks().get(str(check.name))
    if translate is None or check.groupby is not None or not check.ignore_na:
        return left_out(f"column {name}, check {check.name}", "there is no such rule")
    try:
        rule, arguments = translate(check.statistics)
        plain = {key: argument(_plain(value)) for key, value in arguments.items() if value is not None}
    except (ExpectationError, TypeError) as error:
        return left_out(f"column {name}, check {check.name}", str(error))
    severity = Severity.WARNING if check.raise_warning else Severity.ERROR
    return _of((name,), rule, **plain).replace(severity=severity, reason=check.description or check.title)


def _checks() -> dict[str, Any]:
    """For each built-in check its rule and arguments, from what the check was made with."""
    between = f"{VALUES}be_between"
    return {
        "greater_than": lambda s: (between, {"min_value": s["min_value"], "strict_min": True}),
        "greater_than_or_equal_to": lambda s: (between, {"min_value": s["min_value"]}),
        "less_than": lambda s: (between, {"max_value": s["max_value"], "strict_max": True}),
        "less_than_or_equal_to": lambda s: (between, {"max_value": s["max_value"]}),
        "in_range": lambda s: (
            between,
            {
                "min_value": s["min_value"],
                "max_value": s["max_value"],
                "strict_min": None if s["include_min"] else True,
                "strict_max": None if s["include_max"] else True,
            },
        ),
        "equal_to": lambda s: (f"{VALUES}be_in_set", {"value_set": [s["value"]]}),
        "not_equal_to": lambda s: (f"{VALUES}not_be_in_set", {"value_set": [s["value"]]}),
        "isin": lambda s: (f"{VALUES}be_in_set", {"value_set": _listed(s["allowed_values"])}),
        "notin": lambda s: (f"{VALUES}not_be_in_set", {"value_set": _listed(s["forbidden_values"])}),
        "unique_values_eq": lambda s: (
            "expect_column_distinct_values_to_equal_set",
            {"value_set": _listed(s["values"])},
        ),
        "str_matches": lambda s: (f"{VALUES}match_regex", {"regex": rf"\A(?:{_pattern(s['pattern'])})"}),
        "str_contains": lambda s: (f"{VALUES}match_regex", {"regex": _pattern(s["pattern"])}),
        "str_startswith": lambda s: (f"{VALUES}match_regex", {"regex": rf"\A{re.escape(s['string'])}"}),
        "str_endswith": lambda s: (f"{VALUES}match_regex", {"regex": rf"{re.escape(s['string'])}\Z"}),
        "str_length": lambda s: (
            ("expect_column_value_lengths_to_be_between", {k: s.get(k) for k in ("min_value", "max_value")})
            if s.get("exact_value") is None
            else ("expect_column_value_lengths_to_equal", {"value": s["exact_value"]})
        ),
    }


def _pattern(pattern: Any) -> str:
    if isinstance(pattern, re.Pattern):
        if pattern.flags & ~re.UNICODE:
            fact = "the flags of its pattern have no counterpart"
            raise TypeError(fact)
        return str(pattern.pattern)
    return str(pattern)


def _listed(values: Any) -> list[Any]:
    ordered = sorted(values, key=repr) if isinstance(values, set | frozenset) else list(values)
    return [_plain(value) for value in ordered]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _of(columns: tuple[str, ...], rule: str, **arguments: Any) -> Expectation:
    return Expectation(rule=rule, columns=columns, arguments=arguments)
