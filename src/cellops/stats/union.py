"""Every value of two distributions."""

import numpy as np

from cellops.stats.distribution import Distribution, Points


def points_of(first: Distribution, second: Distribution) -> Points:
    """Every value at which one of the two jumps, ascending; shape (values,)."""
    # Two ascending rows are merged by a stable sort in one pass.
    both = np.sort(np.concatenate([first.values, second.values]), kind="stable")
    points: Points = both[np.append(True, both[1:] != both[:-1])]
    return points


def rows_of_both(first: Distribution, second: Distribution) -> tuple[Points, Points, Points]:
    """Every value of two exact distributions, ascending, and the rows of either side at it; shape (values,) each."""
    return second.beside(first, _rows_of_both)


def _rows_of_both(second: Distribution, first: Distribution) -> tuple[Points, Points, Points]:
    both = np.concatenate([first.values, second.values])
    order = np.argsort(both, kind="stable")  # two ascending rows are merged in one pass
    ordered = both[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.concatenate([first.counts, second.counts])[order]
    here = np.where(order < len(first.values), counts, 0.0)
    if len(starts) == len(both):
        return ordered, here, counts - here
    here = np.add.reduceat(here, starts)
    return ordered[starts], here, np.add.reduceat(counts, starts) - here
