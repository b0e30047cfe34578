"""The rules on single values."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellops.data.expectations.rule import Bounds, ColumnRule, Judgement, ValueRule, require_type
from cellops.data.expectations.table import Column, Mask, Table, kind_of
from cellops.errors import ExpectationError
from cellops.records.base import Value


@dataclass(frozen=True)
class ValuesNotNull(ColumnRule):
    name = "expect_column_values_to_not_be_null"
    row_wise = True

    def judge(self, table: Table) -> Judgement:
        missing = table.column(self.column).missing
        return Judgement(len(missing), np.flatnonzero(missing))


@dataclass(frozen=True)
class ValuesBetween(Bounds, ValueRule):
    name = "expect_column_values_to_be_between"
    text = True

    def failed(self, column: Column) -> Mask:
        times = isinstance(self.min_value if self.min_value is not None else self.max_value, str)
        return self.outside(column.require("time") if times else column.require("number", "integer"))


@dataclass(frozen=True)
class ValuesInSet(ValueRule):
    value_set: list[Value]

    name = "expect_column_values_to_be_in_set"

    def __post_init__(self) -> None:
        require_type("value_set", self.value_set, list, 'For example: ["EWR", "JFK", "LGA"]')

    def failed(self, column: Column) -> Mask:
        column.require("text", "number", "integer", "boolean")
        allowed = set(self.value_set)
        return ~_each(column, lambda value: value in allowed)


@dataclass(frozen=True)
class ValuesMatchRegex(ValueRule):
    regex: str

    name = "expect_column_values_to_match_regex"

    def __post_init__(self) -> None:
        require_type("regex", self.regex, str, "Put it in quotes")
        try:
            re.compile(self.regex)
        except re.error as error:
            fact = f"regex is not a regular expression: {error}"
            raise ExpectationError(
                fact, received=self.regex, remedy="Correct it; see the module re of Python"
            ) from error

    def failed(self, column: Column) -> Mask:
        column.require("text")
        search = re.compile(self.regex).search
        return ~_each(column, lambda value: search(value) is not None)


@dataclass(frozen=True)
class ValuesUnique(ValueRule):
    """Every row whose value another row has too fails."""

    name = "expect_column_values_to_be_unique"
    row_wise = False

    def failed(self, column: Column) -> Mask:
        import pandas as pd

        return np.asarray(pd.Series(column.present).duplicated(keep=False), dtype=bool)


@dataclass(frozen=True)
class ValuesOfType(ValueRule):
    """`int`, `float`, `bool`, `str`, `datetime64`, or another name of numpy; the width in bits does not matter.

    Not for single rows: what arrives with a request is typed by the schema.
    """

    type_: str

    name = "expect_column_values_to_be_of_type"
    row_wise = False

    def __post_init__(self) -> None:
        require_type("type_", self.type_, str, 'For example: "int"')
        if self._kind() is None:
            fact = "type_ must name a type of numpy"
            raise ExpectationError(fact, received=self.type_, remedy="Use one of: int, float, bool, str, datetime64")

    def failed(self, column: Column) -> Mask:
        wanted = self._kind()
        if column.kinds <= {wanted}:
            return np.zeros(len(column.present), dtype=bool)
        if len(column.kinds) == 1:
            return np.ones(len(column.present), dtype=bool)
        return np.fromiter((kind_of(type(value)) != wanted for value in column.present), bool, len(column.present))

    def _kind(self) -> str | None:
        try:
            return kind_of(self.type_)
        except TypeError:
            return None


def _each(column: Column, holds: Callable[[Any], bool]) -> Mask:
    """Ask once for each distinct value, since text columns repeat theirs."""
    values = column.present.tolist()
    verdicts = {value: holds(value) for value in set(values)}
    return np.fromiter((verdicts[value] for value in values), bool, len(values))
