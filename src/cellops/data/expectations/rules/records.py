"""The rules on several values of one row."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np

from cellops.data.expectations.column import NUMBERS, Column, Mask
from cellops.data.expectations.rule import (
    CLOSER,
    COLUMN_LIST,
    Bind,
    Judgement,
    Rule,
    require_list,
    require_number,
    require_one_of,
)
from cellops.data.expectations.rules.pairs import NUMBER, equal
from cellops.data.expectations.table import Table
from cellops.errors import ExpectationError

IGNORED = ("all_values_are_missing", "any_value_is_missing", "never")
EXAMPLE = 'For example: column_list=["flight", "day"]'
LEAST = 2


@dataclass(frozen=True)
class RecordRule(Rule):
    """A rule on the values of several columns; rows are left out by which of them are missing."""

    column_list: list[str]

    domain = COLUMN_LIST
    ignore_row_if = IGNORED[0]

    def __post_init__(self) -> None:
        require_list("column_list", self.column_list, str, EXAMPLE)
        if len(self.column_list) < LEAST:
            fact = "column_list must name two columns or more"
            raise ExpectationError(fact, received=self.column_list, remedy=EXAMPLE)
        require_one_of("ignore_row_if", self.ignore_row_if, IGNORED)

    def judge(self, table: Table) -> Judgement:
        columns = [table.column(name) for name in self.column_list]
        kept = self._kept(columns, table.rows)
        if kept is None:
            return Judgement(table.rows, np.flatnonzero(self.failed(columns, slice(None))))
        rows = np.flatnonzero(kept)
        return Judgement(len(rows), rows[self.failed(columns, rows)])

    def _kept(self, columns: Sequence[Column], rows: int) -> Mask | None:
        """The rows that are judged; None for all of them."""
        if self.ignore_row_if == "never" or not any(column.missing_count for column in columns):
            return None
        if self.ignore_row_if == "any_value_is_missing":
            return ~reduce(np.logical_or, [column.missing for column in columns], np.zeros(rows, dtype=bool))
        return ~reduce(np.logical_and, [column.missing for column in columns], np.ones(rows, dtype=bool))

    @abstractmethod
    def failed(self, columns: Sequence[Column], rows: Any) -> Mask:
        """True for each of these rows that breaks the rule."""


@dataclass(frozen=True)
class CompoundUnique(RecordRule):
    """No two rows have the same values in all of these columns; two missing values are the same."""

    ignore_row_if: str = IGNORED[0]

    name = "expect_compound_columns_to_be_unique"

    def failed(self, columns: Sequence[Column], rows: Any) -> Mask:
        import pandas as pd

        codes = pd.DataFrame({number: column.coded[0][rows] for number, column in enumerate(columns)})
        return np.asarray(codes.duplicated(keep=False))


@dataclass(frozen=True)
class UniqueWithinRecord(RecordRule):
    """No two of these columns have the same value in one row; two missing values are the same."""

    ignore_row_if: str = IGNORED[0]

    name = "expect_select_column_values_to_be_unique_within_record"
    row_wise = True

    def failed(self, columns: Sequence[Column], rows: Any) -> Mask:
        same = [_same(a, b)[rows] for a, b in combinations(columns, 2)]
        return np.asarray(reduce(np.logical_or, same))

    def row_test(self, values: Sequence[str], bind: Bind) -> str:
        if self.ignore_row_if == "any_value_is_missing":
            return CLOSER
        types = bind((str, int, float))
        alike_ = " and ".join(f"type({value}) in {types} and {value} == {value}" for value in values)
        return f"{alike_} and len({{{', '.join(values)}}}) == {len(values)}"


@dataclass(frozen=True)
class RecordEqual(RecordRule):
    """All of these columns have the same value in one row; missing values are the same."""

    ignore_row_if: str = IGNORED[0]

    name = "expect_multicolumn_values_to_be_equal"
    row_wise = True

    def failed(self, columns: Sequence[Column], rows: Any) -> Mask:
        same = [_same(columns[0], other)[rows] for other in columns[1:]]
        return ~np.asarray(reduce(np.logical_and, same))

    def row_test(self, values: Sequence[str], bind: Bind) -> str:
        types = bind((str, int, float))
        first, *others = values
        same = " and ".join(f"type({other}) is type({first}) and {other} == {first}" for other in others)
        return f"type({first}) in {types} and {same}"


@dataclass(frozen=True)
class RecordSum(RecordRule):
    """The numbers of these columns add up to `sum_total` in each row; with a missing one they do not."""

    sum_total: float
    ignore_row_if: str = IGNORED[0]

    name = "expect_multicolumn_sum_to_equal"
    row_wise = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("sum_total", self.sum_total, "For example: sum_total=1")

    def failed(self, columns: Sequence[Column], rows: Any) -> Mask:
        for column in columns:
            column.refuse_other_than(*NUMBERS)
        total = reduce(np.add, [column.full[rows] for column in columns])
        absent = reduce(np.logical_or, [column.missing[rows] for column in columns])
        return np.asarray((total != self.sum_total) | absent)

    def row_test(self, values: Sequence[str], bind: Bind) -> str:
        numbers = " and ".join(NUMBER.format(value) for value in values)
        return f"{numbers} and {' + '.join(values)} == {bind(self.sum_total)}"


def _same(a: Column, b: Column) -> Mask:
    missing = a.missing & b.missing
    return equal(a, b) | missing
