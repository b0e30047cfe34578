"""What two arms are compared by: one shape for errors, quantiles and means, so that one judge reads them all."""

import math
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cellops.errors import InputError

STEPS = 24
"""Halvings, after which an end is known to a ten-millionth of where it may lie."""


class Difference(Protocol):
    """How much the challenger lies above the champion. Evidence is logarithmic, and may be looked at at any time:
    where the hypothesis holds it ever exceeds `log(1 / level)` no more often than the level.
    """

    @property
    def champion(self) -> float: ...

    @property
    def challenger(self) -> float: ...

    @property
    def value(self) -> float:
        """The difference as it was seen."""

    @property
    def ends(self) -> tuple[float, float]:
        """Between these every difference lies that the evidence can speak of."""

    def against_at_most(self, difference: float) -> NDArray[np.float64]:
        """Evidence against the true difference being at most this."""

    def against_at_least(self, difference: float) -> NDArray[np.float64]:
        """Evidence against the true difference being at least this."""

    def scaled(self, factor: float) -> Self:
        """What it would be after so many times as many rows of the same kind."""


def p_value(evidence: float) -> float:
    """The always-valid p-value of a logarithmic evidence.

    Examples
    --------
    >>> p_value(3.0) < 0.05 < p_value(2.9), p_value(-1.0)
    (True, 1.0)
    """
    return math.exp(-max(float(evidence), 0.0))


def interval(difference: Difference, level: float) -> tuple[float, float]:
    r"""The confidence sequence of a difference, now: it holds at every moment at once as often as `level` says.

    .. math:: \{d : \log E_t(d) < \log (1 / \alpha)\}

    Parameters
    ----------
    difference
        Of two arms.
    level
        Confidence, from 0 to 1.

    Returns
    -------
    tuple of float
        Its lower and its upper end.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.

    References
    ----------
    Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Ann. Statist.
    49 (2021), eq. 1; Wasserman, Ramdas and Balakrishnan, Universal inference, PNAS 117 (2020), for the composite null.

    Examples
    --------
    >>> from cellops.stats.share_difference import ShareDifference
    >>> low, high = interval(ShareDifference(10, 1000, 30, 1000), 0.95)
    >>> round(low, 4), round(high, 4)
    (-0.0086, 0.0533)
    """
    if not 0 < level < 1:
        fact = "A confidence level lies between 0 and 1"
        raise InputError(fact, received=level, remedy="Give for example 0.95")
    enough, (least, most) = -math.log1p(-level), difference.ends
    inside = min(max(difference.value, least), most)
    outside_low, inside_low, outside_high, inside_high = least, inside, most, inside
    if difference.against_at_most(least) < enough:
        inside_low = outside_low
    if difference.against_at_least(most) < enough:
        inside_high = outside_high
    for _ in range(STEPS):
        low, high = (outside_low + inside_low) / 2, (outside_high + inside_high) / 2
        if difference.against_at_most(low) < enough:
            inside_low = low
        else:
            outside_low = low
        if difference.against_at_least(high) < enough:
            inside_high = high
        else:
            outside_high = high
    return outside_low, outside_high
