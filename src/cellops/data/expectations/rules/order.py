"""The rules on the order of values, from row to row."""

from dataclasses import dataclass

import numpy as np

from cellops.data.expectations.column import NUMBERS, Column, Mask
from cellops.data.expectations.rule import ValueRule, require_type


@dataclass(frozen=True)
class OrderRule(ValueRule):
    """A rule on each value and the one before it; missing values are left out first, as in Great Expectations."""

    strictly: bool = False

    row_wise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_type("strictly", self.strictly, bool, "Leave it out where equal values may follow each other")


@dataclass(frozen=True)
class ValuesIncreasing(OrderRule):
    """No number or time is below the one before it; `strictly`: nor equal to it."""

    name = "expect_column_values_to_be_increasing"

    def failed(self, column: Column) -> Mask:
        return _fails(column, 1, strictly=self.strictly)


@dataclass(frozen=True)
class ValuesDecreasing(OrderRule):
    """No number or time is above the one before it; `strictly`: nor equal to it."""

    name = "expect_column_values_to_be_decreasing"

    def failed(self, column: Column) -> Mask:
        return _fails(column, -1, strictly=self.strictly)


def _fails(column: Column, direction: int, *, strictly: bool) -> Mask:
    column.refuse_other_than(*NUMBERS, *(("time",) if column.kinds == {"time"} else ()))
    values = column.numbers
    before, after = (values[:-1], values[1:]) if direction > 0 else (values[1:], values[:-1])
    failed = np.zeros(len(values), dtype=bool)
    if len(values):
        failed[1:] = after <= before if strictly else after < before
    return failed
