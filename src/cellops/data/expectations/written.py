"""A suite as the text of a cell: one expectation a line, as a person would write it."""

from dataclasses import fields
from typing import Any

from cellops.data.expectations.registry import build
from cellops.data.expectations.rule import COLUMN_LIST
from cellops.records.contract import Expectation, Suite
from cellops.records.finding import Severity

IN_ORDER = ("min_value", "max_value", "value_set", "regex", "value", "type_", "type_list", "strftime_format", "within")
"""Arguments that need no name where they follow the columns."""


def written(suite: Suite) -> str:
    """The expectations as the body of a cell, which `parse` reads as the same suite.

    Examples
    --------
    >>> from cellops.data.expectations import parse
    >>> suite = parse("trips", 'expect_column_values_to_be_between("distance", 1, None, reason="miles")', {})
    >>> print(written(suite))
    expect_column_values_to_be_between("distance", 1, reason="miles")
    """
    return "\n".join(map(_line, suite.expectations))


def _line(expectation: Expectation) -> str:
    given = [*_columns(expectation), *_arguments(expectation)]
    if expectation.mostly != 1.0:
        given.append(f"mostly={expectation.mostly!r}")
    if expectation.severity is not Severity.ERROR:
        given.append(f'severity="{expectation.severity.value}"')
    if expectation.reason is not None:
        given.append(f"reason={_literal(expectation.reason)}")
    if expectation.action is not None:
        given.append(f'action="{expectation.action.value}"')
    if expectation.default is not None:
        given.append(f"default={_literal(expectation.default)}")
    return f"{expectation.rule}({', '.join(given)})"


def _columns(expectation: Expectation) -> list[str]:
    if type(build(expectation)).domain == COLUMN_LIST:
        return [_literal(list(expectation.columns))]
    return [_literal(column) for column in expectation.columns]


def _arguments(expectation: Expectation) -> list[str]:
    rule = build(expectation)
    places = [field.name for field in fields(rule) if field.name not in rule.domain]  # type: ignore[arg-type]
    bound = [name for name in places if expectation.arguments.get(name) is not None]
    texts = []
    for number, name in enumerate(bound):
        unnamed = name in IN_ORDER and bound[: number + 1] == places[: number + 1]
        texts.append(f"{'' if unnamed else f'{name}='}{_literal(expectation.arguments[name])}")
    return texts


def _literal(value: Any) -> str:
    """A value as Python writes it, with texts in double quotes."""
    match value:
        case str():
            quoted = repr(value)
            return quoted if '"' in value or quoted.startswith('"') else f'"{quoted[1:-1]}"'.replace("\\'", "'")
        case list() | tuple():
            return f"[{', '.join(map(_literal, value))}]"
        case dict():
            return f"{{{', '.join(f'{_literal(key)}: {_literal(inner)}' for key, inner in value.items())}}}"
        case _:
            return repr(value)
