"""The rules on missing values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cellops.data.expectations.bounds import ObservedColumnRule
from cellops.data.expectations.rule import Bind, ColumnRule, Judgement
from cellops.data.expectations.table import Table


@dataclass(frozen=True)
class ValuesNotNull(ColumnRule):
    """Every row has a value."""

    name = "expect_column_values_to_not_be_null"
    row_wise = True
    convex = True

    def judge(self, table: Table) -> Judgement:
        column = table.column(self.column)
        return Judgement(column.rows, np.flatnonzero(column.missing) if column.missing_count else column.no_rows)

    def row_test(self, values: Sequence[str], bind: Bind) -> str:  # noqa: ARG002 - one shape
        (value,) = values
        return f"{value} is not None and {value} == {value}"

    def number_test(self, values: Sequence[str], bind: Bind) -> str:  # noqa: ARG002 - one shape
        return "True"


@dataclass(frozen=True)
class ValuesNull(ColumnRule):
    """No row has a value."""

    name = "expect_column_values_to_be_null"
    row_wise = True

    def judge(self, table: Table) -> Judgement:
        column = table.column(self.column)
        return Judgement(column.rows, np.flatnonzero(~column.missing) if column.count else column.no_rows)

    def row_test(self, values: Sequence[str], bind: Bind) -> str:  # noqa: ARG002 - one shape
        (value,) = values
        return f"{value} is None or {value} != {value}"


@dataclass(frozen=True)
class ShareOfPresentBetween(ObservedColumnRule):
    """Present values over rows lie between the bounds; 0 where there are no rows."""

    name = "expect_column_proportion_of_non_null_values_to_be_between"

    def observe(self, table: Table) -> float:
        column = table.column(self.column)
        return column.count / column.rows if column.rows else 0.0
