import numpy as np

from cellops.errors import InputError
from cellops.records.drift import StatisticResult
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.moved import moved
from cellops.stats.result import ALL_MISSING, CONSTANT, INFINITE, computed, refused
from cellops.stats.samples import Values, distribution


def text_length(reference: Values, current: Values) -> StatisticResult:
    r"""How far the lengths of texts have moved, as a share of the mean length: the average text grew or shrank by it.

    .. math:: W_1 / \mu_{ref}, \quad W_1 = \int |F(x) - G(x)| \, dx

    with F and G the distribution functions of the lengths. Where all texts grow, or all shrink, it is how much longer
    or shorter they are on average; where some grow and others shrink these do not cancel. The p-value is that of the
    Kolmogorov-Smirnov test of the lengths; since many texts have one length it is too large, never too small.

    Parameters
    ----------
    reference, current
        Lengths of texts, in characters or words, or sketches of them; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 up, and `p_value`; not symmetric. It is the effect, with the interval of
        `cellops.stats.moved`, where the mean is taken as known. Where a side is a grid it is off by no more than
        `error`. Not computed: "all missing" when a side has no texts, "constant" when those of the reference are all
        empty, "infinite values" when there are infinite ones.

    Raises
    ------
    InputError
        When lengths are not numbers or below zero, or a sketch is not one.

    References
    ----------
    Vallender, Calculation of the Wasserstein distance between probability distributions on the line, Theory Probab.
    Appl. 18 (1974); Smirnov, Table for estimating the goodness of fit of empirical distributions, Ann. Math. Statist.
    19 (1948), for the test.

    Examples
    --------
    >>> round(text_length([10, 20, 30], [15, 25, 35]).value, 6)
    0.25
    """
    name, first, second = "text_length", distribution(reference), distribution(current)
    rows = first.rows, second.rows
    if not all(rows):
        return refused(name, ALL_MISSING, *rows)
    shortest = min(first.ends[0], second.ends[0])
    if shortest < 0:
        fact = "Texts have no length below zero"
        raise InputError(fact, received=shortest, remedy="Give the number of characters of each text")
    unit = first.spread.mean
    if unit == 0:
        return refused(name, CONSTANT, *rows)
    effect = moved(name, first, second, unit=unit)
    if effect is None:
        return refused(name, INFINITE, *rows)
    # The mean of a grid is off by no more than the grid is from its rows.
    left = max(unit - first.distance_error, np.finfo(np.float64).tiny)
    error = (first.distance_error * (1 + effect.value) + second.distance_error) / left
    test = kolmogorov_smirnov(first, second)
    return computed(name, effect.value, *rows, p_value=test.p_value, method=test.method, error=error, effect=effect)
