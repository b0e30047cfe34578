"""How many different values there are, of parts that merge: HyperLogLog."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellops.data.summary.hashing import Hashes

INDEX_BITS = 11
REGISTERS = 1 << INDEX_BITS
RANK_BITS = 64 - INDEX_BITS
STANDARD_ERROR = 1.04 / math.sqrt(REGISTERS)
"""Relative, 2.3 %: one estimate in three is farther off, one in twenty twice as far."""


@dataclass(frozen=True, eq=False)
class HyperLogLog:
    """2,048 registers, each with the longest run of zero bits among the hashes that it has seen.

    Two are equal when they have seen the same set of values, in whatever parts, order and number. Flajolet, Fusy,
    Gandouet and Meunier, HyperLogLog, AofA (2007).
    """

    registers: NDArray[np.uint8]
    """Shape (2048,)."""

    @classmethod
    def of(cls, *blocks: Hashes) -> Self:
        """What has seen these hashes, each block of shape (values,).

        Examples
        --------
        >>> from cellops.data.summary.hashing import hash_numbers
        >>> round(HyperLogLog.of(hash_numbers(np.arange(10.0))).estimate())
        10
        """
        return cls.of_blocks(blocks)

    @classmethod
    def of_blocks(cls, blocks: Iterable[Hashes], least: int = 0) -> Self:
        """The same of blocks that are made as they are needed, so that the processor's cache holds each of them.

        Parameters
        ----------
        least
            What each register will hold at least: hashes that raise none above it are left out. Where one does not
            come to hold it, what is returned has not seen all.
        """
        registers = np.zeros(REGISTERS, dtype=np.uint8)
        for block in blocks:
            _see(registers, block, max(least, int(registers.min())))
        return cls(registers)

    @property
    def least(self) -> int:
        """What each register holds at least."""
        return int(self.registers.min())

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """What has seen all that several have."""
        return cls(np.maximum.reduce([part.registers for part in parts]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HyperLogLog) and bool((self.registers == other.registers).all())

    def __hash__(self) -> int:
        return hash(self.registers.tobytes())

    def estimate(self) -> float:
        """How many different values were seen.

        Ertl, New cardinality estimation algorithms for HyperLogLog sketches, arXiv 1702.01284 (2017), algorithm 6: it
        needs neither a correction for small numbers nor one for large ones.
        """
        counts = np.bincount(self.registers, minlength=RANK_BITS + 2).tolist()
        z = REGISTERS * _tau((REGISTERS - counts[RANK_BITS + 1]) / REGISTERS)
        for rank in range(RANK_BITS, 0, -1):
            z = 0.5 * (z + counts[rank])
        z += REGISTERS * _sigma(counts[0] / REGISTERS)
        return REGISTERS**2 / (2 * math.log(2)) / z if math.isfinite(z) else 0.0


def _see(registers: NDArray[np.uint8], hashes: Hashes, least: int) -> None:
    """Take hashes in; those that cannot raise a register are left out before the costly part."""
    rest = hashes & np.uint64((1 << RANK_BITS) - 1)
    if least:
        telling = np.flatnonzero(rest < np.uint64(1 << (RANK_BITS - least)))
        hashes, rest = hashes[telling], rest[telling]
    # The exponent of a float tells how many bits a whole number has.
    ranks = (RANK_BITS + 1 - np.frexp(rest.astype(np.float64))[1]).astype(np.uint8)
    np.maximum.at(registers, (hashes >> np.uint64(RANK_BITS)).astype(np.intp), ranks)


def _sigma(x: float) -> float:
    if x == 1.0:
        return math.inf
    y, z = 1.0, x
    while True:
        x *= x
        before = z
        z += x * y
        y += y
        if z == before:
            return z


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z = 1.0, 1 - x
    while True:
        x = math.sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
        if z == before:
            return z / 3
