"""What two arms are compared by: one shape for errors, quantiles and means, so that one judge reads them all."""

import math
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cellops.errors import InputError
from cellops.stats.tilts import Numbers

GRID, ZOOMS = 24, 5
"""An end is looked for among so many places, so many times ever closer: to a ten-millionth of where it may lie."""
HALVINGS = 12
"""Of the stretch between what both arms have seen: the evidence is flat where it is least."""


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

    def against_at_most(self, difference: Numbers) -> NDArray[np.float64]:
        """Evidence against the true difference being at most this; it falls with the difference."""

    def against_at_least(self, difference: Numbers) -> NDArray[np.float64]:
        """Evidence against the true difference being at least this; it rises with the difference."""

    def scaled(self, factor: float) -> Self:
        """What it would be after so many times as many rows of the same kind."""


class Arm(Protocol):
    """What is known of the mean of one arm."""

    @property
    def mean(self) -> NDArray[np.float64]: ...

    def evidence(self, mean: NDArray[np.float64], *, above: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of its mean, from 0 to 1, lying above or below this one, and the slope of that; convex in the mean."""


def between(first: Arm, second: Arm, difference: Numbers, *, above: bool) -> NDArray[np.float64]:
    r"""Evidence of the mean of the second lying further above that of the first than so, or less far.

    .. math:: \log E(d) = \min_\mu \; \log E_A(\mu) + \log E_B(\mu + d)

    The evidence against a pair of means is the product of that against each, as the arms are independent; that against
    a difference is the least of the pairs that have it. It is convex, so it is least where its slope is zero.
    """
    shape = np.broadcast_shapes(np.shape(difference), first.mean.shape, second.mean.shape)
    d = np.broadcast_to(np.asarray(difference, dtype=np.float64), shape)
    least, most = np.maximum(0.0, -d), np.minimum(1.0, 1.0 - d)

    def rises(mean: NDArray[np.float64]) -> NDArray[np.bool_]:
        return first.evidence(mean, above=not above)[1] + second.evidence(mean + d, above=above)[1] > 0

    seen = np.clip(np.sort(np.stack(np.broadcast_arrays(first.mean, second.mean - d)), axis=0), least, most)
    low, high = np.where(rises(seen[0]), least, seen[0]), np.where(rises(seen[1]), seen[1], most)
    for _ in range(HALVINGS):
        mean = (low + high) / 2
        rising = rises(mean)
        low, high = np.where(rising, low, mean), np.where(rising, mean, high)
    mean = (low + high) / 2
    return first.evidence(mean, above=not above)[0] + second.evidence(mean + d, above=above)[0]


def p_value(evidence: float, sides: int = 1) -> float:
    """The always-valid p-value of a logarithmic evidence, which was the larger one of so many sides.

    Examples
    --------
    >>> p_value(3.0) < 0.05 < p_value(2.9), p_value(-1.0)
    (True, 1.0)
    """
    return min(sides * math.exp(-max(float(evidence), 0.0)), 1.0)


def interval(difference: Difference, level: float) -> tuple[float, float]:
    r"""The confidence sequence of a difference, now: it holds at every moment at once as often as `level` says.

    .. math:: \{d : \log E_t(d) < \log (2 / \alpha) \text{ on either side}\}

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
    (-0.0047, 0.0468)
    """
    if not 0 < level < 1:
        fact = "A confidence level lies between 0 and 1"
        raise InputError(fact, received=level, remedy="Give for example 0.95")
    enough = math.log(2) - math.log1p(-level)
    ends = []
    for against, outside, far in (
        (difference.against_at_most, *difference.ends),
        (difference.against_at_least, *difference.ends[::-1]),
    ):
        # From outside, where the evidence is greatest, towards the first place that it does not refute.
        begin, end = outside, far
        for _ in range(ZOOMS):
            places = np.linspace(begin, end, GRID)
            refuted = int(np.count_nonzero(against(places) >= enough))
            if refuted == 0:
                break
            begin, end = float(places[refuted - 1]), float(places[min(refuted, GRID - 1)])
        ends.append(begin)
    return ends[0], ends[1]
