"""P-values of the tests over bins, which hold also where bins are rare."""

from collections.abc import Callable

import numpy as np
from scipy.special import betainc, chdtrc

from cellops.stats.counts import Counts

LEAST_EXPECTED = 5.0
"""Expected rows that a bin needs for the asymptotic p-value to hold (Cochran 1954, section 4)."""
LEAST_IN_GROUP = 2.0
"""Expected rows of each group that are enough where there are several (Roscoe and Byars 1971)."""


def p_value_of(statistic: Callable[[Counts, Counts], float], p: Counts, q: Counts) -> tuple[float, str]:
    """The p-value of a statistic that is asymptotically chi-squared, over bins that are not empty, and how it was made.

    Where some bins expect fewer than five rows on a side, the smaller of two after Bonferroni: the asymptotic one over
    groups of bins, and the exact one of each rare bin.
    """
    rare = _expected(p, q) < LEAST_EXPECTED
    if not rare.any():
        return float(chdtrc(len(p) - 1, statistic(p, q))), "asymptotic"
    exact = float(np.count_nonzero(rare) * _exact(p, q)[rare].min())
    grouped = _grouped(p, q)
    asymptotic = float(chdtrc(len(grouped[0]) - 1, statistic(*grouped))) if len(grouped[0]) > 1 else 1.0
    return 2 * min(exact, asymptotic), "rare bins grouped and exact"


def _expected(p: Counts, q: Counts) -> Counts:
    """Rows that the smaller side expects in each bin."""
    expected: Counts = (p + q) * (min(p.sum(), q.sum()) / (p.sum() + q.sum()))
    return expected


def _exact(p: Counts, q: Counts) -> Counts:
    """Two-sided p-value of each bin: twice the smaller tail of the binomial distribution over its rows."""
    share = q.sum() / (p.sum() + q.sum())
    both: Counts = 2 * np.minimum(betainc(q, p + 1, share), betainc(p, q + 1, 1 - share))
    return both


def _grouped(p: Counts, q: Counts) -> tuple[Counts, Counts]:
    """Bins, rarest first, added up until each group expects enough rows; what is left over joins the last group.

    The order comes from both sides together, so that it says nothing of how they differ.
    """
    rarest_first = np.argsort(p + q, kind="stable")
    p, q = p[rarest_first], q[rarest_first]
    starts, filled = [0], 0.0
    for place, expected in enumerate(_expected(p, q).tolist()):
        if filled >= LEAST_IN_GROUP:
            starts.append(place)
            filled = 0.0
        filled += expected
    if filled < LEAST_IN_GROUP and len(starts) > 1:
        starts.pop()
    return np.add.reduceat(p, starts), np.add.reduceat(q, starts)
