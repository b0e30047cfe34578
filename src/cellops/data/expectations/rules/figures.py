"""The rules on one figure of a column: its least, largest, mean, median value and the like."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cellops.data.expectations.bounds import ObservedColumnRule
from cellops.data.expectations.column import NUMBERS, Column
from cellops.data.expectations.conversions import Values
from cellops.data.expectations.table import Table
from cellops.errors import InputError


@dataclass(frozen=True)
class FigureRule(ObservedColumnRule):
    """A figure of numbers, or of times where the bounds are times."""

    def read(self, table: Table, least: int = 1) -> tuple[Column, Values]:
        """The column and its values, of which there must be some."""
        column = table.column(self.column)
        column.refuse_other_than(*(("time",) if self.of_times else NUMBERS))
        if column.count < least:
            said = "no values" if not column.count else f"{column.count} value"
            fact = f"Column {self.column} has {said}, too few for {self.name}"
            raise InputError(fact, remedy="Look for why they are missing", column=self.column)
        return column, column.numbers


@dataclass(frozen=True)
class MinBetween(FigureRule):
    """The least value lies between the bounds, which are numbers or ISO 8601 times."""

    name = "expect_column_min_to_be_between"
    times = True

    def observe(self, table: Table) -> Any:
        return self.read(table)[1].min()


@dataclass(frozen=True)
class MaxBetween(FigureRule):
    """The largest value lies between the bounds, which are numbers or ISO 8601 times."""

    name = "expect_column_max_to_be_between"
    times = True

    def observe(self, table: Table) -> Any:
        return self.read(table)[1].max()


@dataclass(frozen=True)
class MeanBetween(FigureRule):
    """The mean of the values lies between the bounds."""

    name = "expect_column_mean_to_be_between"

    def observe(self, table: Table) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(self.read(table)[1].mean(dtype=np.float64))


@dataclass(frozen=True)
class MedianBetween(FigureRule):
    """The median of the values lies between the bounds."""

    name = "expect_column_median_to_be_between"

    def observe(self, table: Table) -> float:
        column, values = self.read(table)
        middle = (len(values) - 1) // 2
        low, high = column.ordered[middle], column.ordered[len(values) // 2]
        with np.errstate(over="ignore", invalid="ignore"):
            return float(low) if low == high else float(np.mean([low, high], dtype=np.float64))


@dataclass(frozen=True)
class StdevBetween(FigureRule):
    """The standard deviation of the values as a sample (n - 1) lies between the bounds."""

    name = "expect_column_stdev_to_be_between"

    def observe(self, table: Table) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(self.read(table, least=2)[1].std(ddof=1, dtype=np.float64))


@dataclass(frozen=True)
class SumBetween(FigureRule):
    """The sum of the values lies between the bounds; 0 where there are none."""

    name = "expect_column_sum_to_be_between"

    def observe(self, table: Table) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(self.read(table, least=0)[1].sum(dtype=np.float64))
