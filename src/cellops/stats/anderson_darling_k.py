from collections.abc import Sequence

import numpy as np

from cellops.errors import InputError
from cellops.records.drift import StatisticResult
from cellops.stats.anderson_darling import LEAST_ROWS, as_in_the_limit, limiting
from cellops.stats.distribution import Distribution, Points
from cellops.stats.gap import gap_effect
from cellops.stats.result import ALL_MISSING, CONSTANT, GRID, NOT_ENOUGH_DATA, computed, refused
from cellops.stats.samples import Values, distribution
from cellops.stats.ties import by_variance, tied, tied_tail
from cellops.stats.weighed_gaps import weighed_gaps

LEAST_SAMPLES = 2


def anderson_darling_k(samples: Sequence[Values]) -> StatisticResult:
    r"""Anderson-Darling test of k samples: whether several windows are all drawn from one distribution.

    .. math:: A^2_k = \frac{N - 1}{N} \sum_{i=1}^k n_i \int \frac{(F_i - H)^2}{H (1 - H) - h / 4N} \, dH

    with H the distribution function of all N rows and h the rows at each value, read at midranks. It is the statistic
    of Scholz and Stephens before they standardise it: `scipy.stats.anderson_ksamp` gives
    :math:`(A^2_k - k + 1) / \sigma_N`. For two samples it is `anderson_darling`. The p-value is that of the limiting
    distribution, a sum of chi-squared variables with k - 1 degrees of freedom, at the figure as far from its mean in
    standard deviations, and where many rows are equal that given these ties; it is not interpolated between 0.1 % and
    25 %, as that of tables of percentage points is.

    Parameters
    ----------
    samples
        Two or more; each values, or an exact sketch of those that are there. Missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 up, and `p_value`, the same in any order of the samples. `reference_rows` are those
        of the first sample, `current_rows` those of the others together. The effect is the largest gap between two
        samples, with interval "Dvoretzky-Kiefer-Wolfowitz". Not computed: "all missing" when a sample has no values,
        "not enough data" when there are fewer than four rows, "constant" when all are equal, "known from a grid only"
        when a sketch is not exact.

    Raises
    ------
    InputError
        When there are fewer than two samples, values are not numbers, or a sketch is not one.

    References
    ----------
    Scholz and Stephens, K-sample Anderson-Darling tests, J. Am. Stat. Assoc. 82 (1987), equations 4 and 7.

    Examples
    --------
    Four laboratories measured the smoothness of paper eight times each: example 1 of the paper, with its figure.

    >>> smoothness = [
    ...     [38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0],
    ...     [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8],
    ...     [34.0, 35.0, 39.0, 40.0, 43.0, 43.0, 44.0, 45.0],
    ...     [34.0, 34.8, 34.8, 35.4, 37.2, 37.8, 41.2, 42.8],
    ... ]
    >>> result = anderson_darling_k(smoothness)
    >>> round(result.value, 4), round(result.p_value, 4)
    (8.3926, 0.003)
    """
    name = "anderson_darling_k"
    if len(samples) < LEAST_SAMPLES:
        fact = "There is nothing to compare"
        raise InputError(fact, received=len(samples), remedy="Give two samples or more")
    sides = [distribution(sample) for sample in samples]
    rows = [side.rows for side in sides]
    shown = rows[0], sum(rows[1:])
    if not all(rows):
        return refused(name, ALL_MISSING, *shown)
    if any(side.rank_error for side in sides):
        return refused(name, GRID, *shown)
    counts = _rows_at(sides)
    if counts.shape[1] == 1:
        return refused(name, CONSTANT, *shown)
    if sum(rows) < LEAST_ROWS:
        return refused(name, NOT_ENOUGH_DATA, *shown)
    value = sum(weighed_gaps(here, counts.sum(axis=0)) / n for here, n in zip(counts, rows, strict=True))
    gap = float(np.max(np.ptp([np.cumsum(here) / n for here, n in zip(counts, rows, strict=True)], axis=0)))
    effect = gap_effect("largest_gap", gap, *rows)
    if tied(sides):
        share = counts.sum(axis=0) / sum(rows)
        p_value = tied_tail(as_in_the_limit(value, rows), share, share, by_variance, len(sides))
    else:
        p_value = limiting(value, rows)
    return computed(name, value, *shown, p_value=p_value, method="asymptotic", effect=effect)


def _rows_at(sides: Sequence[Distribution]) -> Points:
    """Rows of each side at every value of all, ascending; shape (sides, values)."""
    values = np.unique(np.concatenate([side.values for side in sides]))
    counts = np.zeros((len(sides), len(values)))
    for place, side in enumerate(sides):
        counts[place, np.searchsorted(values, side.values)] = side.counts
    return counts
