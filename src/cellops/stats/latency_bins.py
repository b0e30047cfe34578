"""Seconds in bins, each a fiftieth wider than the one before: counts of them add up, whoever counted."""

import math

WIDTH = 1.02
"""The upper end of a bin over its lower one."""
LEAST, MOST = 1e-6, 1e6
"""Seconds; what is beyond counts as this."""


def bin_of(seconds: float) -> int:
    """The bin `i` with `WIDTH ** (i - 1) < seconds <= WIDTH ** i`.

    Examples
    --------
    >>> bin_of(1.0), bin_of(1.02), bin_of(0.01)
    (0, 1, -232)
    """
    return math.ceil(math.log(min(max(seconds, LEAST), MOST)) / math.log(WIDTH) - 1e-9)


def seconds_of(bin_: int) -> float:
    """The upper end of a bin.

    Examples
    --------
    >>> round(seconds_of(-232), 4)
    0.0101
    """
    return float(WIDTH**bin_)
