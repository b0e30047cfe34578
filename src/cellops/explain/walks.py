"""Walks from a row of the background to the explained one: input after input takes the value of the latter."""

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers
from cellops.explain.mixtures import Mixtures
from cellops.stats.splitmix import stream

Orders = NDArray[np.intp]


def orders(seed: int, walks: int, inputs: int) -> Orders:
    """When each input changes on each walk: shape (walks, inputs), every row a random order of all places."""
    drawn = stream(seed, walks * inputs).reshape(walks, inputs)
    return drawn.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")


def contributions_of_walks(mixtures: Mixtures, there: Orders, before: Numbers, value: float) -> Numbers:
    """What each input changed when it took its new value, on average over a walk and its reverse.

    Parameters
    ----------
    there
        The order of a walk from each row of the background, shape (rows, inputs).
    before
        The answers where the walks begin, shape (rows,).
    value
        The answer where all of them end.

    Returns
    -------
    ndarray
        Shape (rows, inputs); the contributions of a row sum to the answer less that at its beginning.
    """
    rows, inputs = there.shape
    ranks = np.concatenate([there, inputs - 1 - there])
    walk, taken = np.divmod(np.arange(2 * rows * (inputs - 1)), inputs - 1)
    answers = mixtures.answers(
        len(walk), lambda place, part: ranks[walk[part], place] <= taken[part], walk % rows
    ).reshape(2 * rows, inputs - 1)
    path = np.column_stack([np.tile(before, 2), answers, np.full(2 * rows, value)])
    changes = np.take_along_axis(np.diff(path, axis=1), ranks, axis=1)
    mean: Numbers = (changes[:rows] + changes[rows:]) / 2
    return mean
