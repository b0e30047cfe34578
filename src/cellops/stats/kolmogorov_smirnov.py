import warnings

import numpy as np

from cellops.records.drift import StatisticResult
from cellops.stats.distribution import Distribution
from cellops.stats.gap import gap_effect
from cellops.stats.gaps import largest_gap
from cellops.stats.result import ALL_MISSING, computed, refused
from cellops.stats.samples import Values, distribution
from cellops.stats.smirnov import kolmogorov_tail

MOST_PAIRS = 100_000
"""Product of the rows of both sides up to which the exact p-value is quick."""


def kolmogorov_smirnov(reference: Values, current: Values) -> StatisticResult:
    r"""Two-sample Kolmogorov-Smirnov test: the largest gap between the two distribution functions.

    .. math:: D = \sup_x |F(x) - G(x)|

    Between values, or exact sketches of them, it equals `scipy.stats.ks_2samp`; where a side is a grid D is off by no
    more than the sum of both `rank_error`. The p-value is exact for m and n rows with mn up to 100,000; above it is the
    asymptotic one, Kolmogorov's distribution for round(mn / (m + n)) rows. It assumes continuous values; with ties it
    is too large, never too small.

    Parameters
    ----------
    reference, current
        Values, or sketches of those that are there; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 to 1, and `p_value`; symmetric. It is the effect, with interval
        "Dvoretzky-Kiefer-Wolfowitz". Not computed ("all missing") when a side has no values.

    Raises
    ------
    InputError
        When values are not numbers, or a sketch is not one: values that do not ascend, or counts that do not rise.

    References
    ----------
    Smirnov, Table for estimating the goodness of fit of empirical distributions, Ann. Math. Statist. 19 (1948);
    Hodges, The significance probability of the Smirnov two-sample test, Ark. Mat. 3 (1958).

    Examples
    --------
    >>> from cellops.records.profile import QuantileSketch
    >>> low = QuantileSketch(values=(1.0, 2.0), cumulative=(30, 60))
    >>> high = QuantileSketch(values=(2.0, 3.0), cumulative=(30, 60))
    >>> kolmogorov_smirnov(low, high).value
    0.5
    """
    first, second = distribution(reference), distribution(current)
    rows = first.rows, second.rows
    if not all(rows):
        return refused("kolmogorov_smirnov", ALL_MISSING, *rows)
    gap, error = largest_gap(first, second), first.rank_error + second.rank_error
    few = not error and rows[0] * rows[1] <= MOST_PAIRS
    return computed(
        "kolmogorov_smirnov",
        gap,
        *rows,
        p_value=_exact(first, second) if few else _asymptotic(gap, *rows),
        method="exact" if few else "asymptotic",
        error=error,
        effect=gap_effect("largest_gap", gap, *rows, error=error),
    )


def _exact(first: Distribution, second: Distribution) -> float:
    from scipy.stats import ks_2samp

    here, there = (np.repeat(side.values, side.counts.astype(np.intp)) for side in (first, second))
    with warnings.catch_warnings():
        # scipy gives the asymptotic p-value where rounding pushes the exact one beyond 1, and says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(ks_2samp(here, there, method="exact").pvalue)


def _asymptotic(gap: float, reference_rows: int, current_rows: int) -> float:
    effective_rows = max(np.round(reference_rows * current_rows / (reference_rows + current_rows)), 1)
    return kolmogorov_tail(gap, int(effective_rows))
