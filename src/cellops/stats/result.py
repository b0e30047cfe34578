"""The answer of a drift statistic: a figure, or the reason why there is none."""

import numpy as np

from cellops.records.drift import StatisticResult

NOT_ENOUGH_DATA = "not enough data"
CONSTANT = "constant"
ALL_MISSING = "all missing"
INFINITE = "infinite values"


def computed(
    statistic: str,
    value: float,
    reference_rows: float,
    current_rows: float,
    *,
    p_value: float | None = None,
    error: float = 0.0,
) -> StatisticResult:
    """A result. A distance that rounding pushed below zero is zero."""
    return StatisticResult(
        statistic=statistic,
        value=max(float(value), 0.0),
        p_value=None if p_value is None else float(np.clip(p_value, 0.0, 1.0)),
        reference_rows=int(reference_rows),
        current_rows=int(current_rows),
        error=float(error),
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
