import numpy as np

from cellops.records.drift import StatisticResult
from cellops.stats.distribution import Distribution, Points
from cellops.stats.gap import gap_effect
from cellops.stats.gaps import few_and_many, ranks
from cellops.stats.noncentrality import harmonic
from cellops.stats.result import ALL_MISSING, CONSTANT, GRID, NOT_ENOUGH_DATA, computed, refused
from cellops.stats.samples import Values, distribution
from cellops.stats.squared_gaps import cramer_von_mises_tail
from cellops.stats.ties import TIES_OF_A_ROW, evenly, tied, tied_p_value
from cellops.stats.union import rows_of_both

LEAST_ROWS = 2
MOST_EXACT = 20
"""Rows of each side up to which the exact p-value is quick, as in scipy."""


def cramer_von_mises(reference: Values, current: Values) -> StatisticResult:
    r"""Two-sample Cramér-von Mises test: the mean square gap between the two distribution functions.

    .. math:: T = \frac{n m}{n + m} \int (F - G)^2 \, dH

    with H the distribution function of all n + m rows. Made of midranks, it equals
    `scipy.stats.cramervonmises_2samp` with ties too. It sees a shift spread over the whole range that the largest gap
    does not. The p-value is exact for up to 20 rows a side, where it assumes values that differ; else asymptotic, and
    where rows are equal that of the mean square gap at midranks given these ties. The statistic as scipy has it then
    grows with the difference of the numbers of rows, and its asymptotic p-value calls equal sides different.

    Parameters
    ----------
    reference, current
        Values, or exact sketches of those that are there; missing ones are no part of them.

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 up, and `p_value`; symmetric. The effect is the root mean square gap
        :math:`\sqrt{T (n + m) / nm}`, from 0 to 1, with interval "Dvoretzky-Kiefer-Wolfowitz". Not computed: "all
        missing" when a side has no values, "not enough data" when it has one row, "constant" when all rows of both
        sides are equal, "known from a grid only" when a sketch is not exact, for the ranks of its rows are not known.

    Raises
    ------
    InputError
        When values are not numbers, or a sketch is not one: values that do not ascend, or counts that do not rise.

    References
    ----------
    Anderson, On the distribution of the two-sample Cramér-von Mises criterion, Ann. Math. Statist. 33 (1962), equations
    9 and 10; Smirnov, Sur la distribution de ω², C. R. Acad. Sci. Paris 202 (1936), for the limit.

    Examples
    --------
    >>> result = cramer_von_mises([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    >>> round(result.value, 4), round(result.p_value, 4)
    (0.5278, 0.1)
    """
    name, first, second = "cramer_von_mises", distribution(reference), distribution(current)
    rows = first.rows, second.rows
    if not all(rows):
        return refused(name, ALL_MISSING, *rows)
    if first.rank_error or second.rank_error:
        return refused(name, GRID, *rows)
    if min(rows) < LEAST_ROWS:
        return refused(name, NOT_ENOUGH_DATA, *rows)
    if first.ends == second.ends and first.distinct == 1:
        return refused(name, CONSTANT, *rows)
    sides = few_and_many(first, second)
    squares = _squares(*rows_of_both(first, second)[1:]) if sides is None else _squares_along(sides[0], first, second)
    value = squares / (rows[0] * rows[1] * sum(rows)) - (4 * rows[0] * rows[1] - 1) / (6 * sum(rows))
    exact = max(rows) <= MOST_EXACT
    if exact:
        p_value = _exact(*rows_of_both(first, second))
    else:
        ties = tied([first, second], TIES_OF_A_ROW / sum(rows))
        if ties:
            p_value = tied_p_value(first, second, _square_gaps(first, second), evenly)
        else:
            p_value = _asymptotic(value, *rows)
    return computed(
        name,
        value,
        *rows,
        p_value=p_value,
        method="exact" if exact else "asymptotic",
        effect=gap_effect("root_mean_square_gap", float(np.sqrt(max(value, 0.0) / harmonic(rows))), *rows),
    )


def _squares(here: Points, there: Points) -> float:
    """Squared distances of midranks among all rows from ranks within a side, ties ranked in any order.

    Each side weighs as many as it has rows. A group of c ties adds (c³ - c) / 12.
    """
    below, below_there = np.cumsum(there) - there / 2, np.cumsum(here) - here / 2
    ours, theirs = here * below**2 + _ties(here), there * below_there**2 + _ties(there)
    return float(here.sum() * np.sum(ours) + there.sum() * np.sum(theirs))


def _squares_along(few: Distribution, first: Distribution, second: Distribution) -> float:
    """The same for a side of many rows: between two values of the few they have as many of these below them."""
    many = second if few is first else first
    left, right = (rank.astype(np.float64) for rank in ranks(few, many))
    between = np.diff(np.concatenate([[0.0], np.stack([left, right], axis=1).ravel(), [float(many.rows)]]))
    upto = few.upto * few.rows
    below = np.append(np.stack([upto - few.counts, upto - few.counts / 2], axis=1).ravel(), float(few.rows))
    ours = few.counts * ((left + right) / 2) ** 2 + _ties(few.counts)
    own_ties = float(np.sum(_ties(many.counts))) if many.distinct < many.rows else 0.0
    return float(few.rows * np.sum(ours) + many.rows * (np.sum(between * below**2) + own_ties))


def _square_gaps(first: Distribution, second: Distribution) -> float:
    """The figure of `tied_p_value`: squared gaps at midranks, each of which weighs as many as it has rows."""
    n, m, rows = first.rows, second.rows, first.rows + second.rows
    sides = few_and_many(first, second)
    if sides is None:
        _, here, there = rows_of_both(first, second)
        gap = (np.cumsum(here) - here / 2) / n - (np.cumsum(there) - there / 2) / m
        squares = float(np.sum((here + there) * gap**2))
    else:
        squares = _square_gaps_along(*sides)
    return n * m / rows * (rows - 1) / rows * squares / rows


def _square_gaps_along(few: Distribution, many: Distribution) -> float:
    """The sum over all rows where one side has many: between two values of the few its ranks go up one by one."""
    m, (left, right) = float(many.rows), (rank.astype(np.float64) for rank in ranks(few, many))
    at = few.upto - few.counts / few.rows / 2 - (left + right) / 2 / m
    begin, end = np.append(0.0, right), np.append(left, m)
    apart = np.append(0.0, few.upto) - (begin + end) / 2 / m
    # Equal rows have one rank, and not several.
    tied = float(np.sum(_ties(many.counts)) - np.sum(_ties(right - left))) if many.distinct < many.rows else 0.0
    between = np.sum((end - begin) * apart**2) + (np.sum(_ties(end - begin)) - tied) / m**2
    return float(np.sum((few.counts + right - left) * at**2) + between)


def _ties(count: Points) -> Points:
    ties: Points = (count**3 - count) / 12
    return ties


def _exact(at: Points, here: Points, there: Points) -> float:
    from scipy.stats import cramervonmises_2samp

    first, second = (np.repeat(at, count.astype(np.intp)) for count in (here, there))
    return float(cramervonmises_2samp(first, second, method="exact").pvalue)


def _asymptotic(value: float, n: int, m: int) -> float:
    """The limiting distribution at the figure whose mean and variance are those of the limit."""
    rows, pairs = n + m, n * m
    mean = (1 + 1 / rows) / 6
    variance = (rows + 1) * (4 * pairs * rows - 3 * (n * n + m * m) - 2 * pairs) / (45 * rows * rows * 4 * pairs)
    at = 1 / 6 + (value - mean) / np.sqrt(45 * variance)
    return cramer_von_mises_tail(float(at))
