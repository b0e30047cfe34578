"""A range with round ends around what was seen."""

import math

HUGE = 1e300
"""Numbers beyond which there is no room for a margin."""
LARGEST = 1e15
"""Integers up to which a float has every digit."""
MARGIN = 0.1
"""What a range is widened by on each side, relative to itself, before it is rounded outward."""


def outward(low: float, high: float) -> tuple[float, float]:
    """A wider range with round ends, on the same side of zero, and within 0 to 1 for shares.

    Examples
    --------
    >>> outward(17.2, 4983.0), outward(0.01, 0.98), outward(-3.0, 4.0)
    ((0, 5500), (0, 1), (-3.7, 4.7))
    """
    if max(abs(low), abs(high)) > HUGE:
        return low, high
    span = high - low or abs(high) or 1.0
    unit = 10.0 ** math.floor(math.log10(span * MARGIN)) if span * MARGIN > 0 else 1.0
    least = math.floor((low - MARGIN * span) / unit) * unit
    most = math.ceil((high + MARGIN * span) / unit) * unit
    if low >= 0:
        least = max(least, 0.0)
        most = 1.0 if high <= 1 and low < 1 else most
    if high <= 0:
        most = min(most, 0.0)
    return min(_short(least), low), max(_short(most), high)


def _short(value: float) -> float:
    """The number without the last digits that binary fractions leave, as an integer where it is one."""
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < LARGEST else rounded
