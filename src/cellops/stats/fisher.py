import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from cellops.errors import InputError
from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.stats.chi_squared import pearson
from cellops.stats.counts import Counts, aligned
from cellops.stats.newcombe import newcombe
from cellops.stats.noncentrality import LEVEL, harmonic, noncentral
from cellops.stats.rare_bins import p_value_of
from cellops.stats.result import CONSTANT, NOT_ENOUGH_DATA, computed, refused

DRAWS = 9999
"""Random tables of the Monte-Carlo form."""
BLOCK = 1_000_000
"""Numbers drawn at a time, so that many bins do not need much memory."""
TIE = 1e-7
"""Relative distance within which two tables count as equally likely, as in scipy: their probabilities are rounded."""
BINARY = 2
MOST_ROWS = 10_000_000
"""Rows of both sides up to which tables can be drawn and added up without losing digits."""


def fisher(reference: ArrayLike, current: ArrayLike) -> StatisticResult:
    r"""Fisher's exact test that both sides are drawn from one distribution over the bins, for any number of rows.

    .. math:: p = \sum_{T:\, P(T) \le P(T_{seen})} P(T), \quad P(T) \propto \prod_{s, i} 1 / n_{si}!

    over all tables T with the rows and the bins of the one seen. For two bins the sum is exact. For more it is Monte
    Carlo: the share of 9,999 random tables, and the seen one, that are no likelier than it. Their seed is fixed, so
    that the same counts give the same answer, and 1e-4 is the smallest p-value. Above ten million rows p is that of
    `chi_squared`, which then is the same but where bins are rare, and exact for these.

    Parameters
    ----------
    reference, current
        Rows in each frozen bin, whole numbers, shape (bins,).

    Returns
    -------
    StatisticResult
        `value` is Cramér's V, without unit, from 0 to 1, since the test has no statistic but the probability of the
        table; and `p_value`; symmetric. The effect is for two bins the distance of their shares with the "Newcombe"
        interval, for more Cramér's V. Not computed: "constant" when all rows of both sides share one bin, "not enough
        data" when a side has no rows.

    Raises
    ------
    InputError
        When the bins differ, or a count is negative or not a whole number.

    References
    ----------
    Fisher, The logic of inductive inference, J. R. Statist. Soc. 98 (1935); Freeman and Halton, Note on an exact
    treatment of contingency, Biometrika 38 (1951), for more bins; Phipson and Smyth, Permutation p-values should never
    be zero, Stat. Appl. Genet. Mol. Biol. 9 (2010), for the seen one among the draws; Newcombe, Interval estimation for
    the difference between independent proportions, Stat. Med. 17 (1998), method 10.

    Examples
    --------
    >>> result = fisher([3, 1], [1, 3])
    >>> round(result.p_value, 4), result.method
    (0.4857, 'exact')
    """
    p, q = aligned(reference, current)
    if not np.all(np.mod([p, q], 1) == 0):
        fact = "Fisher's exact test needs whole rows"
        raise InputError(fact, received=[p.tolist(), q.tolist()], remedy="Give the number of rows in each bin")
    rows = p.sum(), q.sum()
    if not all(rows):
        return refused("fisher", NOT_ENOUGH_DATA, *rows)
    if len(p) == 1:
        return refused("fisher", CONSTANT, *rows)
    squared = float(harmonic(rows) * np.sum((p / rows[0] - q / rows[1]) ** 2 / (p + q)))
    if sum(rows) > MOST_ROWS:
        p_value, method = p_value_of(pearson, p, q)
    elif len(p) == BINARY:
        p_value, method = _exact(p, q), "exact"
    else:
        p_value, method = _drawn(p, q), "Monte Carlo"
    if len(p) == BINARY:
        effect: Measure | None = _difference(p, q)
    else:
        effect = noncentral("cramers_v", squared * sum(rows), len(p) - 1, unit=sum(rows), power=0.5)
    return computed("fisher", min(1.0, np.sqrt(squared)), *rows, p_value=p_value, method=method, effect=effect)


def _exact(p: Counts, q: Counts) -> float:
    from scipy.stats import fisher_exact

    return float(fisher_exact(np.array([p, q], dtype=np.int64)).pvalue)


def _drawn(p: Counts, q: Counts) -> float:
    """Share of tables no likelier than this one; the smaller side is drawn, so that the order of sides is the same."""
    both, side = (p + q).astype(np.int64), min(p, q, key=np.sum).astype(np.int64)
    random = np.random.default_rng(0)
    seen = _log_probability(side, both)
    limit = seen + TIE + 64 * np.spacing(abs(seen))
    block, as_unlikely = max(1, BLOCK // len(both)), 1
    for done in range(0, DRAWS, block):
        size = min(block, DRAWS - done)
        tables = random.multivariate_hypergeometric(both, int(side.sum()), size=size, method="marginals")
        as_unlikely += int(np.count_nonzero(_log_probability(tables, both) <= limit))
    return as_unlikely / (DRAWS + 1)


def _log_probability(side: NDArray[np.int64], both: NDArray[np.int64]) -> NDArray[np.float64]:
    """Logarithm of the probability of tables, up to what they share; shape (tables,) for (tables, bins)."""
    total: NDArray[np.float64] = -np.sum(_log_factorial(side) + _log_factorial(both - side), axis=-1)
    return total


def _log_factorial(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    most = int(rows.max())
    few = most < rows.size
    logarithms: NDArray[np.float64] = gammaln(np.arange(1.0, most + 2))[rows] if few else gammaln(rows + 1.0)
    return logarithms


def _difference(p: Counts, q: Counts) -> Measure:
    """How far the share of a bin has moved, without sign, since both bins move alike."""
    rows = p.sum(), q.sum()
    low, high = newcombe(p[1:], rows[0], q[1:], rows[1], level=LEVEL)
    value = abs(float(q[1] / rows[1] - p[1] / rows[0]))
    return Measure(
        name="difference_of_shares", value=value, low=float(low[0]), high=float(high[0]), level=LEVEL, method="Newcombe"
    )
