"""What is searched: for each parameter the values that it may take, in one of three forms of one shape."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from cellops.pipeline.parameters.plain import plain
from cellops.pipeline.sweep.grammar import Range

if TYPE_CHECKING:
    from numpy.random import Generator

DIGITS = 6
"""So many digits of a drawn number count: more are never told apart, and nobody wants to type them."""


class Dimension(Protocol):
    """The values that one parameter may take."""

    @property
    def name(self) -> str:
        """Of the parameter."""

    @property
    def size(self) -> int | None:
        """How many values there are; None where they are endless."""

    @property
    def log(self) -> bool:
        """Whether each order of magnitude counts as much as any other."""

    @property
    def written(self) -> str:
        """As it is written for people, and compared with another one."""

    def at(self, place: int) -> object:
        """One of finitely many values, by its place from 0."""

    def draw(self, generator: "Generator") -> object:
        """One value, as likely as any other."""

    def restored(self, told: object) -> object:
        """The value that a record tells, as it was before it was written there."""


@dataclass(frozen=True)
class Choices:
    """Some values, without an order."""

    name: str
    values: tuple[object, ...]
    written: str
    log: bool = False

    @property
    def size(self) -> int:
        return len(self.values)

    def at(self, place: int) -> object:
        return self.values[place]

    def draw(self, generator: "Generator") -> object:
        return self.values[int(generator.integers(self.size))]

    def place(self, value: object) -> int:
        """Where a value stands among the choices."""
        return next(at for at, one in enumerate(self.values) if type(one) is type(value) and one == value)

    def restored(self, told: object) -> object:
        return next((one for one in self.values if type(plain(one)) is type(told) and plain(one) == told), told)


@dataclass(frozen=True)
class Whole:
    """Whole numbers from one to another."""

    name: str
    range: Range

    @property
    def written(self) -> str:
        return str(self.range)

    @property
    def log(self) -> bool:
        return self.range.log

    @property
    def step(self) -> int:
        return int(self.range.step or 1)

    @property
    def size(self) -> int:
        return int(self.range.high - self.range.low) // self.step + 1

    def at(self, place: int) -> int:
        return int(self.range.low) + place * self.step

    def draw(self, generator: "Generator") -> int:
        low, high = int(self.range.low), int(self.range.high)
        if self.log:
            return min(max(round(math.exp(generator.uniform(math.log(low), math.log(high)))), low), high)
        return self.at(int(generator.integers(self.size)))

    def restored(self, told: object) -> object:
        return told


@dataclass(frozen=True)
class Real:
    """Numbers between two others; all of them, or those a step apart."""

    name: str
    range: Range

    @property
    def written(self) -> str:
        return str(self.range)

    @property
    def log(self) -> bool:
        return self.range.log

    @property
    def size(self) -> int | None:
        if self.range.step is None:
            return None
        low, high, step = (Decimal(repr(float(one))) for one in (self.range.low, self.range.high, self.range.step))
        return int((high - low) / step) + 1

    def at(self, place: int) -> float:
        # By decimals, so that 0:1:0.1 has 0.3 and not 0.30000000000000004.
        low, step = Decimal(repr(float(self.range.low))), Decimal(repr(float(self.range.step or 0)))
        return float(low + place * step)

    def draw(self, generator: "Generator") -> float:
        low, high = float(self.range.low), float(self.range.high)
        if self.size is not None:
            return self.at(int(generator.integers(self.size)))
        if self.log:
            return self.rounded(math.exp(generator.uniform(math.log(low), math.log(high))))
        return self.rounded(low + generator.random() * (high - low))

    def restored(self, told: object) -> object:
        return float(told) if isinstance(told, int) else told

    def rounded(self, value: float) -> float:
        """A drawn number with as many digits as count."""
        low, high = float(self.range.low), float(self.range.high)
        if self.size is not None:
            step = float(self.range.step or 1)
            return self.at(min(max(round((value - low) / step), 0), self.size - 1))
        scale = min(value, high - low) if self.log else high - low
        short = round(value, DIGITS - 1 - math.floor(math.log10(scale))) if 0 < scale < math.inf else value
        return min(max(short, low), high)


def restored(told: Mapping[str, object], dimensions: Sequence[Dimension]) -> dict[str, object]:
    """The values of a trial as its record tells them, as they were before they were written there."""
    return {dimension.name: dimension.restored(told[dimension.name]) for dimension in dimensions}


def product(dimensions: Sequence[Dimension]) -> int | None:
    """How many combinations there are; None where they are endless."""
    sizes = [dimension.size for dimension in dimensions]
    return None if any(size is None for size in sizes) else math.prod(size for size in sizes if size is not None)
