"""How many rows each part gets of a share that need not be whole."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from cellops.data.splits.splitter import note
from cellops.records.finding import Finding
from cellops.records.split import SplitPlan

UNEVEN = 0.05
"""By how much the share of a part may miss what was asked for until it is told."""


def exact(fractions: Sequence[float]) -> list[Fraction]:
    """Shares as they are written, 0.1 as a tenth, so that sums of them are the same everywhere.

    >>> exact([0.7, 0.1, 0.2])
    [Fraction(7, 10), Fraction(1, 10), Fraction(1, 5)]
    """
    return [Fraction(repr(float(share))) for share in fractions]


def limits(fractions: Sequence[float], whole: int) -> list[int]:
    """Where each part ends when a whole is cut into shares, rounded down; the last one ends with the whole.

    >>> limits([0.7, 0.1, 0.2], 1000)
    [700, 800, 1000]
    """
    ends = [int(share * whole) for share in accumulate(exact(fractions))]
    return [*ends[:-1], whole]


def apportioned(fractions: Sequence[float], rows: int) -> list[int]:
    """Whole numbers that sum to the rows, each less than one away from its share, by the largest remainders.

    References
    ----------
    Hamilton's method of apportionment; Balinski and Young, Fair representation (1982). Of equal remainders the
    earlier part comes first.

    Examples
    --------
    >>> apportioned([0.8, 0.1, 0.1], 9)
    [7, 1, 1]
    """
    quotas = [share * rows for share in exact(fractions)]
    counts = [int(quota) for quota in quotas]
    order = sorted(range(len(quotas)), key=lambda place: (counts[place] - quotas[place], place))
    for place in order[: rows - sum(counts)]:
        counts[place] += 1
    return counts


def uneven(places: NDArray[np.int8], plan: SplitPlan, why: str, remedy: str) -> list[Finding]:
    """A finding where a part has clearly more or less than its share."""
    sizes = np.bincount(places[places >= 0], minlength=len(plan.parts)) / max(1, len(places))
    missed = [
        f"{name} has {size:.1%} of the rows where {share:.1%} were asked for"
        for name, size, share in zip(plan.parts, sizes, plan.fractions, strict=True)
        if abs(size - share) > UNEVEN
    ]
    return [note("split-uneven", plan, f"{'; '.join(missed)}: {why}", remedy)] if missed else []
