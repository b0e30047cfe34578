"""The rules on the set of the distinct values of a column."""

from dataclasses import dataclass
from typing import Any

from cellops.data.expectations.bounds import time_of
from cellops.data.expectations.column import Column
from cellops.data.expectations.rule import ColumnRule, Judgement, require_list, require_type
from cellops.data.expectations.rules.sets import ELEMENT, EXAMPLE
from cellops.data.expectations.table import Table
from cellops.errors import InputError
from cellops.records.base import Value

SHOWN = 10
"""Distinct values that a verdict names."""


@dataclass(frozen=True)
class DistinctRule(ColumnRule):
    """A rule on the distinct values and a set; times are given as ISO 8601."""

    value_set: list[Value]

    def __post_init__(self) -> None:
        super().__post_init__()
        require_list("value_set", self.value_set, ELEMENT, EXAMPLE)

    def sets(self, table: Table) -> tuple[set[Any], set[Any]]:
        """The distinct values that are there, and those of the rule."""
        column = table.column(self.column)
        return _found(column), _wanted(column, self.value_set)


@dataclass(frozen=True)
class DistinctInSet(DistinctRule):
    """Each distinct value is one of these."""

    name = "expect_column_distinct_values_to_be_in_set"

    def judge(self, table: Table) -> Judgement:
        found, wanted = self.sets(table)
        return Judgement(table.rows, holds=found <= wanted, observed=_said("not in the set", found - wanted))


@dataclass(frozen=True)
class DistinctContainSet(DistinctRule):
    """Each of these is among the distinct values."""

    name = "expect_column_distinct_values_to_contain_set"

    def judge(self, table: Table) -> Judgement:
        found, wanted = self.sets(table)
        return Judgement(table.rows, holds=wanted <= found, observed=_said("not in the column", wanted - found))


@dataclass(frozen=True)
class DistinctEqualSet(DistinctRule):
    """The distinct values are these."""

    name = "expect_column_distinct_values_to_equal_set"

    def judge(self, table: Table) -> Judgement:
        found, wanted = self.sets(table)
        said = [_said("not in the set", found - wanted), _said("not in the column", wanted - found)]
        return Judgement(table.rows, holds=found == wanted, observed="; ".join(filter(None, said)) or None)


@dataclass(frozen=True)
class MostCommonInSet(ColumnRule):
    """The most common value is one of these; where several are as common, that is enough only with `ties_okay`."""

    value_set: list[Value]
    ties_okay: bool = False

    name = "expect_column_most_common_value_to_be_in_set"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_list("value_set", self.value_set, ELEMENT, EXAMPLE)
        require_type("ties_okay", self.ties_okay, bool, "Leave it out where ties count as failures")

    def judge(self, table: Table) -> Judgement:
        column = table.column(self.column)
        if not column.count:
            fact = f"Column {self.column} has no values, so none is the most common"
            raise InputError(fact, remedy="Look for why all of them are missing", column=self.column)
        counts, values = column.counts, column.coded[1]
        common = set(values[counts == counts.max()].tolist())
        both = common & _wanted(column, self.value_set)
        holds = bool(both) if self.ties_okay else len(common) == len(both) == 1
        return Judgement(table.rows, holds=holds, observed=_listed(common))


def _found(column: Column) -> set[Any]:
    if column.kinds == {"time"}:
        return set(column.numbers.astype("datetime64[us]").tolist())
    return set(column.distinct)


def _wanted(column: Column, value_set: list[Value]) -> set[Any]:
    if column.kinds != {"time"}:
        return set(value_set)
    times = [(time_of(value) if isinstance(value, str) else None, value) for value in value_set]
    return {value if time is None else time.item() for time, value in times}


def _said(what: str, values: set[Any]) -> str | None:
    return f"{what}: {_listed(values)}" if values else None


def _listed(values: set[Any]) -> str:
    named = sorted(map(str, values))
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return ", ".join(named[:SHOWN]) + more
