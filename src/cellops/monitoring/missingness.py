"""How the share of missing values moved, on its own: a column may lose values and be the same in those it has."""

from math import hypot

from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.records.profile import ColumnProfile
from cellops.stats.chi_squared import chi_squared
from cellops.stats.proportion import proportion

MISSING = "missing"
DIFFERENCE = "difference_of_shares"
LEVEL = 0.95


def missingness(reference: ColumnProfile, current: ColumnProfile) -> StatisticResult:
    r"""Two-proportion test of missing values.

    .. math:: d = m_{cur} / n_{cur} - m_{ref} / n_{ref}

    Returns
    -------
    StatisticResult
        `value` is the distance of the shares, from 0 to 1, with the p-value of `chi_squared` over missing and present
        values, and the effect `difference_of_shares`, negative where fewer are missing than before. Not computed:
        "constant" when all values are missing, or none, "not enough data" when a side has no rows.

    References
    ----------
    Newcombe, Interval estimation for the difference between independent proportions, Stat. Med. 17 (1998), method 10.
    """
    sides = [(side.rows - side.missing, side.missing) for side in (reference, current)]
    test = chi_squared(*sides)
    before, after = (proportion(MISSING, side.missing, side.rows, level=LEVEL) for side in (reference, current))
    if not test.computed or before is None or after is None:
        return test.replace(statistic=MISSING)
    effect = difference(before, after)
    return test.replace(statistic=MISSING, value=abs(effect.value), effect=effect)


def difference(before: Measure, after: Measure) -> Measure:
    """The difference of two shares, from their Wilson intervals.

    Examples
    --------
    >>> before, after = proportion("missing", 2, 100), proportion("missing", 9, 100)
    >>> effect = difference(before, after)
    >>> round(effect.low, 3), round(effect.value, 3), round(effect.high, 3)
    (0.005, 0.07, 0.144)
    """
    low, high = hypot(_to_low(after), _to_high(before)), hypot(_to_high(after), _to_low(before))
    value = after.value - before.value
    return Measure(
        name=DIFFERENCE,
        value=value,
        low=max(-1.0, value - low),
        high=min(1.0, value + high),
        level=LEVEL,
        method="Newcombe",
    )


def _to_low(share: Measure) -> float:
    return share.value - (share.value if share.low is None else share.low)


def _to_high(share: Measure) -> float:
    return (share.value if share.high is None else share.high) - share.value
