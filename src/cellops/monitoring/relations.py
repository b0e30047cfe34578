"""Whether the columns of a window still move together as in training."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from cellops.data.column import Numbers
from cellops.data.observation import Observation
from cellops.data.profile import observe
from cellops.data.relations import LeftOver, left_over
from cellops.errors import InputError
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract
from cellops.records.profile import ColumnProfile, Relations

LEAST_EXCESS = 1.2
"""What is left over of a column, in what is usual for it, from which it is worth a word."""
MOST_NAMES = 3
UNREADABLE = (TypeError, ValueError, ArithmeticError, NotImplementedError)
"""What pandas, numpy, Arrow and Decimal raise on values that they cannot hold; the columns' own findings name these."""


@dataclass(frozen=True)
class RelationsSeen:
    """The errors of reconstruction of a window, beside those of the reference."""

    reference: ColumnProfile
    current: ColumnProfile
    loosest: tuple[str, ...]
    """The columns that follow least from the others, where in training they did."""

    @classmethod
    def of(cls, contract: Contract, window: Window) -> Self | None:
        """None where the profile has no relations, or a column is not there or cannot be read: of that, it is told."""
        relations, left = contract.profile.relations, _left_over(contract, window)
        if relations is None or left is None:
            return None
        current = observe(relations.errors, left.errors)
        return cls(relations.errors, current, _loosest(relations, left.squares, len(left.errors)))


@dataclass(frozen=True)
class RelationsPart:
    """The same of a part of a window, to be merged with other parts."""

    errors: Observation
    squares: Numbers
    """Shape (columns,): sums over the rows of what is left over."""

    @classmethod
    def of(cls, contract: Contract, window: Window) -> Self | None:
        relations, left = contract.profile.relations, _left_over(contract, window)
        if relations is None or left is None:
            return None
        return cls(Observation.of(relations.errors, left.errors), left.squares)

    @classmethod
    def merged(cls, parts: Iterable[Self | None]) -> Self | None:
        """What all parts showed together; nothing where one showed nothing."""
        held = list(parts)
        there = [part for part in held if part is not None]
        if not there or len(there) < len(held):
            return None
        return cls(
            Observation.merged([part.errors for part in there]), np.sum([part.squares for part in there], axis=0)
        )

    def told(self, contract: Contract) -> RelationsSeen | None:
        relations = contract.profile.relations
        current = None if relations is None else self.errors.profile(relations.errors)
        if relations is None or current is None:
            return None
        return RelationsSeen(relations.errors, current, _loosest(relations, self.squares, self.errors.rows))


def _left_over(contract: Contract, window: Window) -> LeftOver | None:
    if contract.profile.relations is None or not len(window.frame):
        return None
    try:
        return left_over(contract.profile.relations, window.frame)
    except (InputError, *UNREADABLE):
        return None


def _loosest(relations: Relations, squares: Numbers, rows: int) -> tuple[str, ...]:
    excess = squares / max(rows, 1)
    far = [place for place in np.argsort(-excess, kind="stable").tolist() if excess[place] >= LEAST_EXCESS]
    return tuple(relations.names[place] for place in far[:MOST_NAMES])


def moved_apart(seen: RelationsSeen) -> str:
    """What moved, in words."""
    before, after = seen.reference.moments, seen.current.moments
    if before is not None and after is not None and after.mean < before.mean:
        return "columns move together more closely than in training"
    most = f", most of all {', '.join(seen.loosest)}" if seen.loosest else ""
    return f"columns no longer move together as in training{most}"
