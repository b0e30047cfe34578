"""An axis of a picture: from values to pixels, and the values that are written beside it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
"""A step between two written values is one of these, times a power of ten."""
AROUND = 0.04
"""Of the length, what stays empty at both ends."""
MOST_CHOICES = 8
"""Choices of which each is written; of more, some."""
DECADES = 2.0


@dataclass(frozen=True)
class Axis:
    """Numbers on a line from `start` to `end`, which are pixels."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float, *, log: bool = False) -> "Axis":
        """The axis that shows all values, with a little room around them."""
        held = [math.log10(value) if log else value for value in values]
        low, high = min(held), max(held)
        room = (high - low) * AROUND or abs(low) * AROUND or 1.0
        return cls(low - room, high + room, start, end, log)

    def at(self, value: float) -> float:
        """The pixel of a value."""
        shown = math.log10(value) if self.log else value
        return self.start + (shown - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Pixels and texts of round values."""
        values = self._of_decades() if self.log and self.high - self.low >= DECADES else self._of_steps(most)
        return [(self.at(value), short(value)) for value in values]

    def _of_decades(self) -> list[float]:
        powers = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)
        every = max(1, len(powers) // 5)
        return [10.0**power for power in powers[::every]]

    def _of_steps(self, most: int) -> list[float]:
        low, high = (10**self.low, 10**self.high) if self.log else (self.low, self.high)
        raw = (high - low) / max(most, 1)
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(nice * power for nice in NICE if nice * power >= raw * (1 - 1e-9))
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [value for count in range(first, last + 1) if (value := count * step) > 0 or not self.log]


@dataclass(frozen=True)
class Places:
    """Choices beside each other."""

    names: tuple[str, ...]
    start: float
    end: float

    def at(self, value: Any) -> float:
        width = (self.end - self.start) / len(self.names)
        return self.start + width * (self.names.index(named(value)) + 0.5)

    def ticks(self, _most: int) -> list[tuple[float, str]]:
        every = -(-len(self.names) // MOST_CHOICES)
        width = (self.end - self.start) / len(self.names)
        return [
            (self.start + width * (place + 0.5), name) for place, name in enumerate(self.names) if place % every == 0
        ]


def named(value: object) -> str:
    """A choice as a text."""
    return value if isinstance(value, str) else str(value)


def short(value: float) -> str:
    """A number of few characters."""
    return f"{value + 0.0:.4g}".replace("e-0", "e-").replace("e+0", "e")


def is_numeric(values: Sequence[object]) -> bool:
    """Whether values stand on an axis of numbers."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
