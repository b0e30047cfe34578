from collections.abc import Sequence
from typing import Any

import numpy as np

from cellops.data.splits.keys import hashes_of, keys_of
from cellops.data.splits.shares import limits
from cellops.data.splits.splitter import Divided, note
from cellops.records.finding import Severity
from cellops.records.split import SplitPlan
from cellops.stats.splitmix import ALL


def hashed_split(columns: Sequence[Any], rows: int, plan: SplitPlan) -> Divided:
    """A row into the part that the hash of its key names: it stays there for ever, whatever rows come, go or move.

    Parameters
    ----------
    columns
        Those of the key, of shape (rows,).
    rows
        How many there are.
    plan
        With `salt` and `fractions`; another salt divides the same keys otherwise.

    Returns
    -------
    Divided
        Shares are met by chance: of n keys to about the root of n. Rows of one key stand together.

    Raises
    ------
    InputError
        When a column holds no keys.

    References
    ----------
    Kohavi et al., Controlled experiments on the web, Data Mining and Knowledge Discovery 18 (2009), section 4.1, for
    assignment by hash; Lakshmanan, Robinson and Munn, Machine learning design patterns (2020), "Repeatable
    splitting".

    Examples
    --------
    >>> import pyarrow as pa
    >>> plan = SplitPlan(
    ...     kind="hashed", version=1, columns=("id",), parts=("train", "test"), fractions=(0.5, 0.5), salt=""
    ... )
    >>> hashed_split([pa.array([1, 2, 3, 4, 5, 6])], 6, plan).places.tolist()
    [1, 1, 1, 1, 0, 0]
    >>> hashed_split([pa.array([6.0, 1.0])], 2, plan).places.tolist()
    [0, 1]
    """
    codes, keys = keys_of(columns)
    ends = np.array(limits(plan.fractions, ALL)[:-1], np.uint64)
    of_keys = np.searchsorted(ends, hashes_of(keys, plan.salt or ""), side="right").astype(np.int8)
    repeated = rows - len(keys)
    seen = f"{repeated} of {rows} rows have the key of another row; they stand in the same part as it"
    remedy = "Nothing, if they belong together; else name a key that tells rows apart"
    found = (note("keys-repeated", plan, seen, remedy, Severity.INFO),) if repeated else ()
    return Divided(of_keys[codes], plan, found)
