from collections.abc import Sequence
from typing import Any

import numpy as np

from cellops.data.problems import listed
from cellops.data.splits.keys import keys_of
from cellops.data.splits.shares import apportioned
from cellops.data.splits.splitter import Divided, note
from cellops.errors import InputError
from cellops.records.finding import Finding
from cellops.records.split import SplitPlan
from cellops.stats.splitmix import stream


def stratified_split(columns: Sequence[Any], rows: int, plan: SplitPlan) -> Divided:
    """Rows of each class into each part, as many as its share of that class: classes stay as frequent as they are.

    A class with few rows goes to the first parts: what a model has never seen is not asked of it. Classes that are
    missing in a part are a finding, and so is a column with one class.

    Parameters
    ----------
    columns
        Those of the classes, of shape (rows,); of several columns each combination is a class.
    rows
        How many there are.
    plan
        With `seed` and `fractions`.

    Returns
    -------
    Divided
        Of each class each part has its share, to less than one row.

    Raises
    ------
    InputError
        When most rows are of a class that stands nowhere else, as in a column of measurements.

    References
    ----------
    Cochran, Sampling techniques (1977), chapter 5, for proportional allocation; the sizes are Hamilton's, and the
    rows of a class are drawn as in `random_split`.

    Examples
    --------
    >>> import pyarrow as pa
    >>> plan = SplitPlan(
    ...     kind="stratified", version=1, columns=("label",), parts=("train", "test"), fractions=(0.75, 0.25), seed=7
    ... )
    >>> stratified_split([pa.array(["a", "a", "a", "a", "b", "b", "b", "b"])], 8, plan).places.tolist()
    [0, 0, 1, 0, 0, 0, 1, 0]
    """
    codes, keys = keys_of(columns)
    counts = np.bincount(codes, minlength=len(keys))
    if 2 * int((counts < len(plan.parts)).sum()) > rows:
        fact = f"Most of the {len(keys)} values of {' and '.join(plan.columns)} stand in too few rows to be shared out"
        raise InputError(fact, remedy="Stratify by a column of classes, or by bins of it: pandas.qcut(column, 10)")
    order = np.lexsort((stream(plan.seed or 0, rows), codes))
    numbers = np.arange(len(plan.parts), dtype=np.int8)
    shares = {int(count): apportioned(plan.fractions, int(count)) for count in np.unique(counts)}
    places = np.empty(rows, np.int8)
    places[order] = np.concatenate([np.repeat(numbers, shares[count]) for count in counts.tolist()])
    return Divided(places, plan, (*_rare(shares, counts.tolist(), keys, plan), *_alone(keys, plan)))


def _rare(shares: dict[int, list[int]], counts: list[int], keys: list[bytes], plan: SplitPlan) -> list[Finding]:
    rare = [f"{_name(key)} ({n})" for key, n in zip(keys, counts, strict=True) if 0 in shares[n]]
    seen = f"too few rows to stand in each part: {listed(rare)}"
    remedy = "Collect more rows of them, join them with others, or leave them out"
    return [note("class-rare", plan, seen, remedy)] if rare else []


def _alone(keys: list[bytes], plan: SplitPlan) -> list[Finding]:
    seen = f"all rows have one value, {_name(keys[0])}: stratifying changes nothing"
    return [note("class-alone", plan, seen, "Name the column of the classes")] if len(keys) == 1 else []


def _name(key: bytes) -> str:
    """The value of a key of one column, as far as it can be read."""
    return key.partition(b" ")[2][1:].decode(errors="replace")[:40]
