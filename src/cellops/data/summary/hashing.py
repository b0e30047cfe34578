"""Hashes that are the same on every machine and in every version, for counting what is distinct."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers

Hashes = NDArray[np.uint64]

GOLDEN, FIRST, SECOND = (
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)  # the constants of SplitMix64
WIDE_SEED = np.uint64(0xD1B54A32D192ED03)


def hash_numbers(numbers: Numbers) -> Hashes:
    """The hash of each number, shape (numbers,): its bits mixed by SplitMix64; minus zero is zero.

    Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA (2014), figure 16.
    """
    return mixed((numbers + 0.0).view(np.uint64))


def hash_wide(integers: NDArray[Any]) -> Hashes:
    """The hash of each integer that no float holds exactly, shape (integers,)."""
    return mixed(integers.view(np.uint64) ^ WIDE_SEED)


def hash_texts(texts: Iterable[str]) -> Hashes:
    """The hash of each text, XXH3 of its bytes in UTF-8; shape (texts,)."""
    from xxhash import xxh3_64_intdigest

    return np.fromiter((xxh3_64_intdigest(text.encode(errors="surrogatepass")) for text in texts), dtype=np.uint64)


def mixed(bits: Hashes) -> Hashes:
    """SplitMix64 of each, in a new array."""
    held, shifted = bits + GOLDEN, np.empty_like(bits)
    for shift, factor in ((30, FIRST), (27, SECOND), (31, None)):
        held ^= np.right_shift(held, np.uint64(shift), out=shifted)
        if factor is not None:
            held *= factor
    return held
