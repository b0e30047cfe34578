"""Check how the nodes of one tree hang together, as boosters keep it: two arrays of children, with -1 at leaves."""

import numpy as np
import numpy.typing as npt

Nodes = npt.NDArray[np.int64]


def reached(left: Nodes, right: Nodes) -> Nodes | None:
    """The nodes that are met from the root on, level by level; None where a node is met twice or is not there.

    >>> reached(np.array([1, -1, -1]), np.array([2, -1, -1])).tolist()
    [0, 1, 2]
    >>> reached(np.array([1, 0]), np.array([-1, -1])) is None
    True
    """
    met = np.zeros(len(left), dtype=bool)
    level, levels = np.zeros(1, dtype=np.int64), []
    while len(level):
        if level.max() >= len(left) or met[level].any() or len(np.unique(level)) < len(level):
            return None
        met[level] = True
        levels.append(level)
        level = np.concatenate([left[level], right[level]])
        level = level[level >= 0]
    return np.concatenate(levels)
