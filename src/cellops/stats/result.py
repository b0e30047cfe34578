"""The answer of a drift statistic: a figure, or the reason why there is none."""

import numpy as np

from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult

NOT_ENOUGH_DATA = "not enough data"
CONSTANT = "constant"
ALL_MISSING = "all missing"
INFINITE = "infinite values"
GRID = "known from a grid only"


def computed(
    statistic: str,
    value: float,
    reference_rows: float,
    current_rows: float,
    *,
    p_value: float | None = None,
    method: str = "",
    error: float = 0.0,
    effect: Measure | None = None,
) -> StatisticResult:
    """A result. A distance that rounding pushed below zero is zero."""
    return StatisticResult(
        statistic=statistic,
        value=max(float(value), 0.0),
        p_value=None if p_value is None else float(np.clip(p_value, 0.0, 1.0)),
        method=method,
        reference_rows=int(reference_rows),
        current_rows=int(current_rows),
        error=float(error),
        effect=effect,
    )


def refused(statistic: str, reason: str, reference_rows: float, current_rows: float) -> StatisticResult:
    """No result, and why."""
    return StatisticResult(
        statistic=statistic,
        computed=False,
        reason=reason,
        reference_rows=int(reference_rows),
        current_rows=int(current_rows),
    )
