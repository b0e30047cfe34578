"""The rule on quantiles."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cellops.data.expectations.column import NUMBERS
from cellops.data.expectations.rule import ColumnRule, Judgement
from cellops.data.expectations.table import Table
from cellops.errors import ExpectationError, InputError

METHODS = ("nearest", "linear", "lower", "higher", "midpoint")
EXAMPLE = 'For example: {"quantiles": [0.1, 0.9], "value_ranges": [[0, 5], [10, None]]}'


@dataclass(frozen=True)
class QuantilesBetween(ColumnRule):
    """Each quantile lies in its range, whose ends are included; None is no bound.

    A quantile is the nearest value, unless `allow_relative_error` names another way: linear, lower, higher or midpoint.
    """

    quantile_ranges: dict[str, Any]
    allow_relative_error: bool | str = False

    name = "expect_column_quantile_values_to_be_between"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _complete(self.quantile_ranges):
            fact = "quantile_ranges must give as many value_ranges as quantiles from 0 to 1"
            raise ExpectationError(fact, received=self.quantile_ranges, remedy=EXAMPLE)
        if self.allow_relative_error not in (False, *METHODS):
            fact = f"allow_relative_error must be False or one of {', '.join(METHODS)}"
            raise ExpectationError(
                fact, received=self.allow_relative_error, remedy="Leave it out for the nearest value"
            )

    def judge(self, table: Table) -> Judgement:
        column = table.column(self.column)
        column.refuse_other_than(*NUMBERS)
        if not column.count:
            fact = f"Column {self.column} has no values, so it has no quantiles"
            raise InputError(fact, remedy="Look for why all of them are missing", column=self.column)
        method = self.allow_relative_error or METHODS[0]
        with np.errstate(invalid="ignore"):
            found = np.quantile(column.ordered, self.quantile_ranges["quantiles"], method=str(method)).tolist()  # type: ignore[call-overload]
        ranges = self.quantile_ranges["value_ranges"]
        inside = [
            (low is None or value >= low) and (high is None or value <= high)
            for value, (low, high) in zip(found, ranges, strict=True)
        ]
        return Judgement(table.rows, holds=all(inside), observed=", ".join(f"{value:g}" for value in found))


def _complete(given: object) -> bool:
    if not isinstance(given, dict) or set(given) != {"quantiles", "value_ranges"}:
        return False
    quantiles, ranges = given["quantiles"], given["value_ranges"]
    if not (isinstance(quantiles, list) and isinstance(ranges, list) and len(quantiles) == len(ranges) > 0):
        return False
    shares = all(_number(quantile) and 0 <= quantile <= 1 for quantile in quantiles)
    return shares and all(
        isinstance(bounds, list) and len(bounds) == 2 and all(b is None or _number(b) for b in bounds)  # noqa: PLR2004
        for bounds in ranges
    )


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
