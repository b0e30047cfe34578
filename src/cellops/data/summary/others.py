"""What is known of values that are neither numbers, times nor text: how many there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class BooleanSummary:
    """Rows that are true and rows that are false."""

    true: int
    false: int

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """
        >>> BooleanSummary.merged([BooleanSummary(1, 2), BooleanSummary(0, 5)])
        BooleanSummary(true=1, false=7)
        """  # noqa: D400 - the example says it
        held = list(parts)
        return cls(sum(part.true for part in held), sum(part.false for part in held))

    @property
    def rows(self) -> int:
        return self.true + self.false


@dataclass(frozen=True)
class OpaqueSummary:
    """Rows of values that are counted and not looked into: lists, structs, bytes, durations."""

    types: tuple[tuple[str, bool, int], ...]
    """Name of each type, whether it is nested, and its rows; by name."""

    @classmethod
    def of(cls, name: str, rows: int, *, nested: bool = False) -> Self:
        return cls(((name, nested, rows),))

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """
        >>> OpaqueSummary.merged([OpaqueSummary.of("binary", 2), OpaqueSummary.of("binary", 3)]).types
        (('binary', False, 5),)
        """  # noqa: D400 - the example says it
        rows: dict[tuple[str, bool], int] = {}
        for name, nested, number in (one for part in parts for one in part.types):
            rows[name, nested] = rows.get((name, nested), 0) + number
        return cls(tuple((*key, rows[key]) for key in sorted(rows)))

    @property
    def nested(self) -> bool:
        return all(nested for _, nested, _ in self.types)

    @property
    def rows(self) -> int:
        return sum(rows for _, _, rows in self.types)
