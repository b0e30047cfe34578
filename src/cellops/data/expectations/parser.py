"""Read the body of an `expect` cell. Nothing in it is executed: it is parsed, and names are looked up."""

import ast
import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from cellops.data.expectations.actions import action_of, require_action
from cellops.data.expectations.registry import arguments, build, rule_type
from cellops.data.expectations.rule import COLUMN_LIST, Rule, require_list, require_type
from cellops.data.expectations.rules.distribution import partition_of
from cellops.errors import ExpectationError
from cellops.records.base import Value
from cellops.records.contract import Argument, Expectation, Suite
from cellops.records.finding import Severity
from cellops.records.profile import ColumnProfile

DEEPEST = 2
"""How often lists and dictionaries of an argument may stand in each other."""
MOST_TOLD = 4
"""Further lines of a suite that an error says what is wrong with."""
COMMON = ("mostly", "severity", "reason", "action", "default")
"""Arguments that every rule takes, by name."""


def parse(name: str, body: str, namespace: Mapping[str, object]) -> Suite:
    """Read expectations, one call a statement.

    Parameters
    ----------
    name
        The name of the suite.
    body
        Calls of rules in the vocabulary of Great Expectations. Arguments are literals, lists of them, or names.
        Besides its own arguments every rule takes `mostly` (the least share of rows that must satisfy it),
        `severity` ("info", "warning" or "error"), `reason`, and for servers `action` ("reject", "warn" or "impute")
        with `default`.
    namespace
        What names stand for.

    Raises
    ------
    ExpectationError
        With the line in `data["line"]`: for what is no call of a rule, an unknown rule, name or argument. Where there
        are several, the first is told whole and the others are named; `data["lines"]` has all of their lines.

    Examples
    --------
    >>> suite = parse("trips", 'expect_column_values_to_be_between("distance", 1, longest)', {"longest": 5000})
    >>> suite.expectations[0].columns, suite.expectations[0].arguments
    (('distance',), {'min_value': 1, 'max_value': 5000})
    """
    try:
        statements = ast.parse(body).body
    except SyntaxError as error:
        fact = f"Line {error.lineno}: {error.msg}"
        raise ExpectationError(fact, remedy="Write one expectation a line, as a call", line=error.lineno) from error
    if not statements:
        fact = f"{name} has no expectations"
        raise ExpectationError(fact, remedy='Write one a line, such as expect_column_to_exist("distance")')
    found, refused = list[Expectation](), list[ExpectationError]()
    for statement in statements:
        try:
            found.append(_located(statement, namespace))
        except ExpectationError as error:
            refused.append(error)
    if refused:
        raise _together(refused)
    return Suite(name=name, expectations=tuple(found))


def _together(refused: list[ExpectationError]) -> ExpectationError:
    """One error for all lines that cannot be read, so that a person mends them in one go."""
    first, *others = refused
    if not others:
        return first
    lines = [error.data["line"] for error in refused]
    fact = "; ".join([first.fact, *(error.fact for error in others[:MOST_TOLD])])
    more = len(others) - MOST_TOLD
    fact += f"; and {more} more" if more > 0 else ""
    return ExpectationError(fact, received=first.received, remedy=first.remedy, line=lines[0], lines=lines)


def _located(statement: ast.stmt, namespace: Mapping[str, object]) -> Expectation:
    try:
        return _expectation(statement, namespace)
    except ExpectationError as error:
        fact, line = f"Line {statement.lineno}: {error.fact}", statement.lineno
        raise ExpectationError(fact, received=error.received, remedy=error.remedy, line=line) from None


def _expectation(statement: ast.stmt, namespace: Mapping[str, object]) -> Expectation:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        fact = "This is not the call of a rule"
        raise ExpectationError(
            fact, received=ast.unparse(statement), remedy='Write for example expect_column_to_exist("distance")'
        )
    given = _arguments(call, arguments(rule_type(call.func.id)), namespace)
    common = {key: given.pop(key) for key in COMMON if key in given}
    columns = _columns(rule_type(call.func.id), given)
    expectation = Expectation(rule=call.func.id, columns=columns, arguments=given, **_common(common))
    build(expectation)
    require_action(expectation)
    return expectation


def _columns(kind: type[Rule], given: dict[str, Any]) -> tuple[str, ...]:
    """Take the columns out of what was given."""
    named = [given.pop(argument) for argument in kind.domain if argument in given]
    if kind.domain == COLUMN_LIST and named:
        require_list("column_list", named[0], str, 'For example: column_list=["flight", "day"]')
        return tuple(named[0])
    for argument, column in zip(kind.domain, named, strict=False):
        require_type(argument, column, str, "Put the name in quotes")
    return tuple(named)


def _arguments(call: ast.Call, names: tuple[str, ...], namespace: Mapping[str, object]) -> dict[str, Any]:
    if len(call.args) > len(names):
        fact = f"The rule takes {len(names)} arguments without a name and {len(call.args)} are given"
        raise ExpectationError(fact, remedy=f"Its arguments are: {', '.join((*names, *COMMON))}")
    given = {name: _value(node, namespace) for name, node in zip(names, call.args, strict=False)}
    for keyword in call.keywords:
        if keyword.arg not in (*names, *COMMON):
            near = get_close_matches(keyword.arg or "", (*names, *COMMON), n=1)
            fact = f"The rule has no argument {keyword.arg or '**'}"
            hint = f"Did you mean {near[0]}?" if near else f"Its arguments are: {', '.join((*names, *COMMON))}"
            raise ExpectationError(fact, remedy=hint)
        if keyword.arg in given:
            fact = f"The argument {keyword.arg} is given twice"
            raise ExpectationError(fact, remedy="Remove one of them")
        given[keyword.arg] = _value(keyword.value, namespace)
    return given


def _common(given: dict[str, Any]) -> dict[str, Any]:
    mostly, severity, reason = given.get("mostly", 1.0), given.get("severity", "error"), given.get("reason")
    if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 < mostly <= 1:
        fact = "mostly must be a share above 0 and up to 1"
        raise ExpectationError(fact, received=mostly, remedy="For example: mostly=0.99")
    if severity not in list(Severity):
        fact = "There is no such severity"
        raise ExpectationError(fact, received=severity, remedy=f"Use one of: {', '.join(Severity)}")
    require_type("reason", reason or "", str, "Put it in quotes")
    held = {"mostly": float(mostly), "severity": Severity(severity), "reason": reason}
    return held | {"action": action_of(given.get("action")), "default": given.get("default")}


def _value(node: ast.expr, namespace: Mapping[str, object]) -> Argument:
    match node:
        case ast.Constant(value=value):
            return argument(value)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)):
            return _scalar(-number if isinstance(sign, ast.USub) else number)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return [_value(element, namespace) for element in elements]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            names = [_value(key, namespace) for key in keys if key is not None]
            return argument(dict(zip(map(str, names), (_value(value, namespace) for value in values), strict=True)))
        case ast.Name(id=name) if name in namespace:
            return argument(namespace[name])
        case ast.Name(id=name):
            near = get_close_matches(name, namespace, n=1)
            fact = f"There is no variable {name}"
            raise ExpectationError(fact, remedy=f"Did you mean {near[0]}?" if near else "Define it in a cell above")
        case _:
            fact = "An argument must be a literal, a list of literals or a variable"
            raise ExpectationError(
                fact, received=ast.unparse(node), remedy="Compute it in a cell above, and give its name here"
            )


def argument(value: object, depth: int = 0) -> Argument:
    """What a person or a variable gives, as JSON can hold it. Sets have no order of their own, so they are sorted."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    value = partition_of(value) if isinstance(value, ColumnProfile) else value
    if depth > DEEPEST:
        return _scalar(value)
    if isinstance(value, dict):
        return {str(key): argument(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [argument(element, depth + 1) for element in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_scalar, value), key=lambda element: (type(element).__name__, repr(element)))
    return _scalar(value)


def _scalar(value: object) -> Value:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        fact = "An argument cannot be NaN or infinite"
        raise ExpectationError(fact, received=value, remedy="Leave out a bound that does not bind")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    fact = f"An argument cannot be of type {type(value).__name__}"
    raise ExpectationError(fact, received=value, remedy="Use numbers, texts, True, False, None or lists of these")
