from collections.abc import Sequence
from typing import Any

import numpy as np

from cellops.data.splits.keys import hashes_of, keys_of
from cellops.data.splits.shares import limits, uneven
from cellops.data.splits.splitter import Divided
from cellops.errors import InputError
from cellops.records.split import SplitPlan


def group_split(columns: Sequence[Any], rows: int, plan: SplitPlan) -> Divided:
    """All rows of a group into one part: no customer, patient or machine stands on both sides.

    Groups stand in the order of their hashes with the seed. Each goes to the part in whose share the middle of its
    rows lies, so that the parts do not depend on the order of the rows.

    Parameters
    ----------
    columns
        Those of the groups, of shape (rows,); of several columns each combination is a group.
    rows
        How many there are.
    plan
        With `seed` and `fractions`.

    Returns
    -------
    Divided
        Shares are met as closely as the sizes of the groups allow; where that is not close, with a finding.

    Raises
    ------
    InputError
        When there are fewer groups than parts.

    References
    ----------
    Roberts et al., Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic
    structure, Ecography 40 (2017), on why whole groups are held out.

    Examples
    --------
    >>> import pyarrow as pa
    >>> plan = SplitPlan(
    ...     kind="groups", version=1, columns=("customer",), parts=("train", "test"), fractions=(0.5, 0.5), seed=7
    ... )
    >>> group_split([pa.array([1, 2, 1, 2, 1, 2])], 6, plan).places.tolist()
    [1, 0, 1, 0, 1, 0]
    """
    codes, keys = keys_of(columns)
    if len(keys) < len(plan.parts):
        fact = f"There are {len(keys)} groups of {' and '.join(plan.columns)} for {len(plan.parts)} parts"
        raise InputError(fact, remedy="Ask for fewer parts, or name another column")
    order = np.argsort(hashes_of(keys, str(plan.seed)), kind="stable")
    counts = np.bincount(codes, minlength=len(keys))[order]
    middles = 2 * np.cumsum(counts) - counts
    wanted = np.searchsorted(2 * np.array(limits(plan.fractions, rows)[:-1]), middles, side="left")
    # The first group opens the first part and the last one the last, however large they are.
    numbers = np.arange(len(keys))
    of_groups = np.empty(len(keys), np.int8)
    of_groups[order] = np.clip(wanted, len(plan.parts) - len(keys) + numbers, numbers)
    places = of_groups[codes]
    return Divided(places, plan, tuple(uneven(places, plan, "groups are large", "Take another seed, or other shares")))
