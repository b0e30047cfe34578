"""The rules on how large a value, or how long a text may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cellops.data.expectations.bounds import Bounds
from cellops.data.expectations.column import NUMBERS, Column, Mask
from cellops.data.expectations.rule import Bind, ColumnRule, ValueRule, require_number


@dataclass(frozen=True)
class ValuesBetween(Bounds, ValueRule):
    """Each value lies between the bounds, which are numbers or ISO 8601 times."""

    name = "expect_column_values_to_be_between"
    times = True
    convex = True

    def __post_init__(self) -> None:
        ColumnRule.__post_init__(self)
        Bounds.__post_init__(self)

    def failed(self, column: Column) -> Mask:
        return self.outside(column.require("time") if self.of_times else column.require("number", "integer"))

    def value_test(self, value: str, bind: Bind) -> str:
        if self.of_times:
            return f"type({value}) is {bind(datetime)} and {value}.tzinfo is None and {self.inside_test(value, bind)}"
        inside = (self.inside_test(value, bind, held) for held in (float, int))
        return "{} if type({value}) is float else type({value}) is int and {}".format(*inside, value=value)

    def number_test(self, values: Sequence[str], bind: Bind) -> str:
        return self.row_test(values, bind) if self.of_times else self.inside_test(values[0], bind, float)


@dataclass(frozen=True)
class LengthsBetween(Bounds, ValueRule):
    """Each text has a number of characters between the bounds."""

    name = "expect_column_value_lengths_to_be_between"

    def __post_init__(self) -> None:
        ColumnRule.__post_init__(self)
        Bounds.__post_init__(self)

    def failed(self, column: Column) -> Mask:
        column.refuse_other_than("text")
        codes, distinct = column.coded
        lengths = np.array([*map(len, distinct.tolist())], dtype=np.intp)
        return np.append(self.outside(lengths), np.zeros(1, dtype=bool))[codes]

    def value_test(self, value: str, bind: Bind) -> str:
        return f"type({value}) is str and {self.inside_test(f'(size := len({value}))', bind, int)}"


@dataclass(frozen=True)
class LengthsEqual(ValueRule):
    """Each text has this number of characters."""

    value: float

    name = "expect_column_value_lengths_to_equal"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("value", self.value, "For example: value=3")

    def failed(self, column: Column) -> Mask:
        column.refuse_other_than("text")
        return column.where(lambda text: len(text) != self.value)

    def value_test(self, value: str, bind: Bind) -> str:
        return f"type({value}) is str and len({value}) == {bind(self.value)}"


@dataclass(frozen=True)
class ZScoresBelow(ValueRule):
    """Each value lies less than `threshold` standard deviations from the mean; above it alone, if not double-sided.

    Where there is no standard deviation above zero, nothing fails, as in Great Expectations.
    """

    threshold: float
    double_sided: bool = True

    name = "expect_column_value_z_scores_to_be_less_than"
    row_wise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("threshold", self.threshold, "For example: threshold=5")

    def failed(self, column: Column) -> Mask:
        values = column.require(*NUMBERS)
        with np.errstate(all="ignore"):
            numbers = column.numbers.astype(np.float64, copy=False)
            spread = numbers.std(ddof=1) if len(numbers) > 1 else 0.0
            if not spread > 0:
                return np.zeros(len(values), dtype=bool)
            scores = (values - numbers.mean()) / spread
            far: Mask = np.abs(scores) >= abs(self.threshold) if self.double_sided else scores >= self.threshold
            return far
