"""The rows of a batch that its drift profile is counted from: a million say no more of drift than 100,000 do."""

import numpy as np
import numpy.typing as npt

from cellops.stats.splitmix import STEP, mixed


def one_of(total: int | None, most: int | None) -> int:
    """Of how many rows one is drawn, so that no more than `most` are; of an unknown number, or without a bound, each.

    >>> one_of(1_000_000, 200_000), one_of(200_001, 200_000), one_of(12, 200_000), one_of(None, 200_000)
    (5, 2, 1, 1)
    """
    return 1 if total is None or most is None else max(1, -(-total // most))


def drawn(every: int, offset: int, rows: int) -> npt.NDArray[np.intp]:
    """The rows of a chunk that are drawn: of each `every` rows of the batch one, which chance chooses.

    A fixed step would see one hour only of rows that repeat each day. Chance depends on the place in the batch alone,
    so that the same rows are drawn however the batch is cut, resumed and divided.

    Parameters
    ----------
    every
        As `one_of` says.
    offset
        The number of the chunk's first row in the batch.
    rows
        Of the chunk.

    Returns
    -------
    array
        Their numbers in the chunk, ascending.
    """
    blocks = np.arange(offset // every, -(-(offset + rows) // every), dtype=np.uint64)
    chosen = mixed((blocks + np.uint64(1)) * np.uint64(STEP)) % np.uint64(every)
    places = (blocks * np.uint64(every) + chosen).astype(np.int64) - offset
    found: npt.NDArray[np.intp] = places[(places >= 0) & (places < rows)].astype(np.intp)
    return found
