"""The rules on values that occur more than once."""

from dataclasses import dataclass

import numpy as np

from cellops.data.expectations.bounds import ObservedColumnRule
from cellops.data.expectations.column import Column, Mask
from cellops.data.expectations.rule import ValueRule
from cellops.data.expectations.table import Table


@dataclass(frozen=True)
class ValuesUnique(ValueRule):
    """Every row whose value another row has too fails."""

    name = "expect_column_values_to_be_unique"
    row_wise = False

    def failed(self, column: Column) -> Mask:
        import pandas as pd

        if column.array is None:
            return np.append(column.counts > 1, np.zeros(1, dtype=bool))[column.coded[0]]
        return np.asarray(pd.Series(column.present).duplicated(keep=False), dtype=bool)


@dataclass(frozen=True)
class UniqueCountBetween(ObservedColumnRule):
    """The number of distinct values lies between the bounds."""

    name = "expect_column_unique_value_count_to_be_between"

    def observe(self, table: Table) -> float:
        return table.column(self.column).distinct_count


@dataclass(frozen=True)
class UniqueShareBetween(ObservedColumnRule):
    """Distinct values over present values lie between the bounds; 0 where there are none."""

    name = "expect_column_proportion_of_unique_values_to_be_between"

    def observe(self, table: Table) -> float:
        column = table.column(self.column)
        return column.distinct_count / column.count if column.count else 0.0
