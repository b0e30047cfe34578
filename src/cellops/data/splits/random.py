from collections.abc import Sequence
from typing import Any

import numpy as np

from cellops.data.splits.shares import apportioned
from cellops.data.splits.splitter import Divided
from cellops.records.split import SplitPlan
from cellops.stats.splitmix import stream


def random_split(columns: Sequence[Any], rows: int, plan: SplitPlan) -> Divided:
    """Any rows into each part, as many as its share, drawn by a generator that every version and machine has alike.

    A row is known by its place: where rows come or go or change places, the parts are others. Rows that belong
    together, or follow each other in time, come to stand on both sides.

    Parameters
    ----------
    columns
        None.
    rows
        How many there are.
    plan
        With `seed` and `fractions`.

    Returns
    -------
    Divided
        Each part with its share of the rows, to less than one row.

    Raises
    ------
    InputError
        Never; the shape has it.

    References
    ----------
    Rows are ordered by the numbers that splitmix64 draws for them (Steele, Lea and Flood, OOPSLA 2014), which all
    differ; the sizes are Hamilton's.

    Examples
    --------
    >>> plan = SplitPlan(kind="random", version=1, parts=("train", "test"), fractions=(0.75, 0.25), seed=7)
    >>> random_split([], 8, plan).places.tolist()
    [0, 0, 1, 1, 0, 0, 0, 0]
    """
    del columns
    places = np.empty(rows, np.int8)
    places[np.argsort(stream(plan.seed or 0, rows))] = np.repeat(
        np.arange(len(plan.parts), dtype=np.int8), apportioned(plan.fractions, rows)
    )
    return Divided(places, plan)
