"""A suite as a schema of pandera."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cellops.data.expectations.bounds import time_of
from cellops.data.expectations.carried import left_out, tell
from cellops.errors import ExpectationError
from cellops.records.contract import Expectation, Suite
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pandera.pandas as pa

VALUES = "expect_column_values_to_"
TYPES = {"int": "int64", "float": "float64", "datetime64": "datetime64[ns]"}


def to_pandera(suite: Suite, *, findings: list[Finding] | None = None) -> "pa.DataFrameSchema":
    """Write a suite as a schema of pandera.

    The width of a type in bits, which expectations leave open, is that of numpy's default. A warning becomes a check
    that warns. Rules on figures, orders, pairs and rows, and shares below one, have no counterpart.

    Parameters
    ----------
    suite
        The expectations.
    findings
        Takes what could not be carried over.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        With the columns that the suite names.

    Raises
    ------
    ExpectationError
        When pandera is not installed, or, without `findings`, when anything could not be carried over.
    """
    try:
        import pandera.pandas as pa
    except ImportError as error:
        fact = "pandera is not installed"
        raise ExpectationError(fact, remedy='Run: pip install "cellops[pandera]"') from error
    found: list[Finding] = []
    columns: dict[str, dict[str, Any]] = {}
    table: dict[str, Any] = {}
    for place, one in enumerate(suite.expectations):
        why = _carry(one, pa, columns, table)
        if why is not None:
            found.append(left_out(f"expectation {place + 1}, {one.rule}", why))
    tell(found, findings, suite.name)
    made = {name: pa.Column(**{"nullable": True, **given}) for name, given in columns.items()}
    return pa.DataFrameSchema(made, name=suite.name, **table)


def _carry(one: Expectation, pa: Any, columns: dict[str, dict[str, Any]], table: dict[str, Any]) -> str | None:
    """Add an expectation to the columns or the table; say why it cannot be."""
    if one.mostly != 1.0:
        return "pandera demands all rows"
    check = _check(one, pa.Check)
    firm = one.severity is Severity.ERROR
    name = one.columns[0] if one.columns else ""
    if check is not None:
        given = columns.setdefault(name, {})
        given.setdefault("checks", []).append(check)
        return None
    if not firm:
        return "pandera warns for checks of values only"
    trait = _trait(one)
    if trait is not None:
        columns.setdefault(name, {}).update(trait)
        return None
    demand = _demand(one)
    if demand is None:
        return "pandera has no such check"
    for listed in (*one.columns, *one.arguments.get("column_list", ()), *one.arguments.get("column_set", ())):  # type: ignore[misc]
        columns.setdefault(str(listed), {})
    table.update(demand)
    return None


def _trait(one: Expectation) -> dict[str, Any] | None:
    """What the rule makes of its column."""
    match one.rule:
        case "expect_column_to_exist" if "column_index" not in one.arguments:
            return {}
        case "expect_column_values_to_not_be_null":
            return {"nullable": False}
        case "expect_column_values_to_be_unique":
            return {"unique": True}
        case "expect_column_values_to_be_of_type":
            type_ = str(one.arguments["type_"])
            return {"dtype": TYPES.get(type_, type_)}
        case _:
            return None


def _demand(one: Expectation) -> dict[str, Any] | None:
    """What the rule makes of the table."""
    match one.rule:
        case "expect_table_columns_to_match_ordered_list":
            return {"strict": True, "ordered": True}
        case "expect_table_columns_to_match_set" if one.arguments.get("exact_match", True):
            return {"strict": True}
        case "expect_compound_columns_to_be_unique" if one.arguments.get("ignore_row_if") == "never":
            return {"unique": list(one.columns)}
        case _:
            return None


def _check(one: Expectation, check: Any) -> Any:
    given = one.arguments
    options = {"description": one.reason, "raise_warning": one.severity is not Severity.ERROR}
    makers: dict[str, Callable[[], Any]] = {
        f"{VALUES}be_between": lambda: _between(given, check, options),
        f"{VALUES}be_in_set": lambda: check.isin(given["value_set"], **options),
        f"{VALUES}not_be_in_set": lambda: check.notin(given["value_set"], **options),
        f"{VALUES}match_regex": lambda: check.str_contains(given["regex"], **options),
        "expect_column_value_lengths_to_equal": lambda: check.str_length(exact_value=given["value"], **options),
        "expect_column_value_lengths_to_be_between": lambda: (
            None
            if given.get("strict_min") or given.get("strict_max")
            else check.str_length(given.get("min_value"), given.get("max_value"), **options)
        ),
        "expect_column_distinct_values_to_equal_set": lambda: check.unique_values_eq(given["value_set"], **options),
    }
    return makers[one.rule]() if one.rule in makers else None


def _between(given: dict[str, Any], check: Any, options: dict[str, Any]) -> Any:
    low, high = _bound(given.get("min_value")), _bound(given.get("max_value"))
    above, below = given.get("strict_min", False), given.get("strict_max", False)
    if high is None:
        return (check.gt if above else check.ge)(low, **options)
    if low is None:
        return (check.lt if below else check.le)(high, **options)
    return check.in_range(low, high, include_min=not above, include_max=not below, **options)


def _bound(bound: Any) -> Any:
    time = time_of(bound) if isinstance(bound, str) else None
    return bound if time is None else time.item()
