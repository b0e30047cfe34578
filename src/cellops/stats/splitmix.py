"""The splitmix64 generator and its mixing function: 64 bits in, 64 bits out, each of them depending on all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
STEP = 0x9E3779B97F4A7C15
"""The odd number by which the generator's state grows: 2**64 divided by the golden ratio."""
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
ALL = 2**64


def mixed(words: Words) -> Words:
    """Mix 64-bit words in their place.

    Parameters
    ----------
    words
        Shape (n,), overwritten.

    Returns
    -------
    ndarray
        The same array; different words stay different.

    References
    ----------
    Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA (2014), figure 16, with the
    constants of variant 13 of Stafford.
    """
    words ^= words >> np.uint64(30)
    words *= np.uint64(FIRST)
    words ^= words >> np.uint64(27)
    words *= np.uint64(SECOND)
    words ^= words >> np.uint64(31)
    return words


def stream(seed: int, length: int) -> Words:
    """The first numbers of the generator with a seed: the same on every machine, and with every version of numpy.

    Parameters
    ----------
    seed
        Any whole number from 0 to 2**64 - 1.
    length
        How many.

    Returns
    -------
    ndarray
        Shape (length,), all different.

    References
    ----------
    As for `mixed`. The numbers are those of `java.util.SplittableRandom`.

    Examples
    --------
    >>> hex(stream(0, 1)[0])
    '0xe220a8397b1dcdaf'
    """
    places: np.ndarray[Any, np.dtype[np.uint64]] = np.arange(1, length + 1, dtype=np.uint64)
    places *= np.uint64(STEP)
    places += np.uint64(seed % ALL)
    return mixed(places)
