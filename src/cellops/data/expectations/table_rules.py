"""The rules on a whole column or table."""

from dataclasses import dataclass

import numpy as np

from cellops.data.expectations.rule import ColumnRule, Judgement, ObservedRule
from cellops.data.expectations.table import Table
from cellops.errors import InputError


@dataclass(frozen=True)
class ColumnExists(ColumnRule):
    name = "expect_column_to_exist"

    def judge(self, table: Table) -> Judgement:
        return Judgement(table.rows, holds=self.column in table)


@dataclass(frozen=True)
class RowCountBetween(ObservedRule):
    name = "expect_table_row_count_to_be_between"

    def observe(self, table: Table) -> float:
        return table.rows


@dataclass(frozen=True)
class MeanBetween(ObservedRule, ColumnRule):
    name = "expect_column_mean_to_be_between"

    def observe(self, table: Table) -> float:
        values = table.column(self.column).require("number", "integer")
        if not len(values):
            fact = f"Column {self.column} has no values, so it has no mean"
            raise InputError(fact, remedy="Look for why all of them are missing", column=self.column)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(values.mean(dtype=np.float64))
        if np.isnan(mean):
            fact = f"Column {self.column} has no mean, for it holds infinities of both signs"
            raise InputError(fact, remedy="Look for where they come from", column=self.column)
        return mean


@dataclass(frozen=True)
class UniqueShareBetween(ObservedRule, ColumnRule):
    """Distinct values over present values; 0 where there are none."""

    name = "expect_column_proportion_of_unique_values_to_be_between"

    def observe(self, table: Table) -> float:
        import pandas as pd

        values = table.column(self.column).present
        return len(pd.unique(values)) / len(values) if len(values) else 0.0
