from collections.abc import Sequence

import numpy as np
from scipy.special import digamma, polygamma

from cellops.records.drift import StatisticResult
from cellops.stats.distribution import Distribution
from cellops.stats.gap import gap_effect
from cellops.stats.gaps import few_and_many, largest_gap
from cellops.stats.result import ALL_MISSING, CONSTANT, GRID, NOT_ENOUGH_DATA, computed, refused
from cellops.stats.samples import Values, distribution
from cellops.stats.squared_gaps import anderson_darling_tail
from cellops.stats.ties import by_variance, tied, tied_p_value
from cellops.stats.union import rows_of_both
from cellops.stats.weighed_gaps import weighed_along, weighed_gaps

LEAST_ROWS = 4
"""Rows of both sides together from which the statistic has a known variance."""
LIMIT_DEVIATION = float(np.sqrt(2 * (np.pi**2 - 9) / 3))
"""Standard deviation of the limiting distribution, whose mean is 1."""


def anderson_darling(reference: Values, current: Values) -> StatisticResult:
    r"""Anderson-Darling test of two samples: squared gaps that weigh the more the further out in the tails they are.

    .. math:: A^2 = \frac{n m}{n + m} \int \frac{(F - G)^2}{H (1 - H)} \, dH

    with H the distribution function of all N = n + m rows, read at midranks. It is the k-sample statistic of Scholz and
    Stephens for k = 2 before they standardise it; what `scipy.stats.anderson_ksamp` gives is
    :math:`(A^2 - 1) / \sigma_N`. The p-value is that of the limiting distribution at the figure as far from its mean in
    standard deviations, and where many rows are equal that given these ties, which spread the statistic out. It is not
    cut off at 0.1 % and 25 %, as tables of its percentage points are.

    Parameters
    ----------
    reference, current
        Values, or exact sketches of those that are there; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 up, and `p_value`; symmetric. The effect is the largest gap between the two, with
        interval "Dvoretzky-Kiefer-Wolfowitz". Not computed: "all missing" when a side has no values, "not enough data"
        when there are fewer than four rows, "constant" when all are equal, "known from a grid only" when a sketch is
        not exact, for the ranks of its rows are not known.

    Raises
    ------
    InputError
        When values are not numbers, or a sketch is not one: values that do not ascend, or counts that do not rise.

    References
    ----------
    Scholz and Stephens, K-sample Anderson-Darling tests, J. Am. Stat. Assoc. 82 (1987), equations 4 and 7; Anderson and
    Darling, Asymptotic theory of certain goodness of fit criteria, Ann. Math. Statist. 23 (1952), for the limit.

    Examples
    --------
    >>> result = anderson_darling([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0])
    >>> round(result.value, 3), round(result.p_value, 3)
    (3.248, 0.011)
    """
    name, first, second = "anderson_darling", distribution(reference), distribution(current)
    rows = first.rows, second.rows
    if not all(rows):
        return refused(name, ALL_MISSING, *rows)
    if first.rank_error or second.rank_error:
        return refused(name, GRID, *rows)
    if first.ends == second.ends and first.distinct == 1:
        return refused(name, CONSTANT, *rows)
    if sum(rows) < LEAST_ROWS:
        return refused(name, NOT_ENOUGH_DATA, *rows)
    value = (1 / rows[0] + 1 / rows[1]) * _weighed(first, second)
    effect = gap_effect("largest_gap", largest_gap(first, second), *rows)
    if tied([first, second]):
        p_value = tied_p_value(first, second, as_in_the_limit(value, rows), by_variance)
    else:
        p_value = limiting(value, rows)
    return computed(name, value, *rows, p_value=p_value, method="asymptotic", effect=effect)


def _weighed(first: Distribution, second: Distribution) -> float:
    sides = few_and_many(first, second)
    if sides is not None:
        return weighed_along(sides[0], second if sides[0] is first else first)
    _, here, there = rows_of_both(first, second)
    return weighed_gaps(here, here + there)


def limiting(value: float, rows: Sequence[int]) -> float:
    """How likely a figure as large is in the limit, for k sides without ties."""
    return anderson_darling_tail(as_in_the_limit(value, rows), samples=len(rows)) if value > 0 else 1.0


def as_in_the_limit(value: float, rows: Sequence[int]) -> float:
    """The figure as many standard deviations from the mean of the limiting distribution, for k sides."""
    if sum(rows) == len(rows):  # one row a side, so that there is only one figure
        return 0.0
    mean = len(rows) - 1
    return float(mean + LIMIT_DEVIATION * np.sqrt(mean) * (value - mean) / deviation(rows))


def deviation(sides: Sequence[int]) -> float:
    r"""Standard deviation :math:`\sigma_N` of the statistic of k sides that do not differ, without ties."""
    rows, k = float(sum(sides)), len(sides)
    inverse = sum(1 / side for side in sides)
    h = float(digamma(rows) - digamma(1))
    # The double sum of the paper, which is the harmonic number of the second order less 2 h / N.
    g = float(np.pi**2 / 6 - polygamma(1, rows)) - 2 * h / rows
    a = (4 * g - 6) * (k - 1) + (10 - 6 * g) * inverse
    b = (2 * g - 4) * k**2 + 8 * h * k + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * k**2 + (4 * h - 4 * g + 6) * k + (2 * h - 6) * inverse + 4 * h
    d = (2 * h + 6) * k**2 - 4 * h * k
    variance = (a * rows**3 + b * rows**2 + c * rows + d) / ((rows - 1) * (rows - 2) * (rows - 3))
    return float(np.sqrt(variance))
