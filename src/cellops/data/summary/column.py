"""What is known of a column: a part for each kind of value that it has."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from cellops.data.summary.numbers import NumberSummary
from cellops.data.summary.others import BooleanSummary, OpaqueSummary
from cellops.data.summary.texts import TextSummary
from cellops.data.summary.times import TimeSummary
from cellops.records.profile import ColumnKind
from cellops.records.summary import SummaryKind

LONG_TEXT = 40
"""Characters of a string on average from which it counts as a text."""
CATEGORY_SHARE = 0.5
"""Different strings among the rows up to which they count as categories."""
COLUMN_KINDS = {
    SummaryKind.NUMBER: ColumnKind.NUMBER,
    SummaryKind.INTEGER: ColumnKind.INTEGER,
    SummaryKind.BOOLEAN: ColumnKind.BOOLEAN,
    SummaryKind.DATETIME: ColumnKind.DATETIME,
}
"""What a contract calls these kinds; whatever is missing here is text to it."""


@dataclass(frozen=True)
class Parts:
    """What is known of the values of each kind; None where there are none."""

    numbers: NumberSummary | None = None
    texts: TextSummary | None = None
    times: TimeSummary | None = None
    booleans: BooleanSummary | None = None
    opaque: OpaqueSummary | None = None

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """Each kind by itself, so that the order in which kinds come does not matter."""
        held = list(parts)
        return cls(**{field.name: _merged([getattr(part, field.name) for part in held]) for field in fields(cls)})

    @property
    def numeric(self) -> list[NumberSummary]:
        """Those with a sketch: of numbers, and of times as seconds."""
        return [part for part in (self.numbers, None if self.times is None else self.times.seconds) if part is not None]

    @property
    def counted(self) -> list[NumberSummary | TextSummary]:
        """Those that know how many values are distinct."""
        return [*self.numeric, *([] if self.texts is None else [self.texts])]

    @property
    def filled(self) -> list[Any]:
        return [part for part in (getattr(self, field.name) for field in fields(self)) if part is not None]


def _merged(parts: Sequence[Any]) -> Any:
    present = [part for part in parts if part is not None]
    merge: Callable[[Sequence[Any]], Any] = lambda held: type(held[0]).merged(held)  # noqa: E731 - for its type
    return (merge(present) if len(present) > 1 else present[0]) if present else None


@dataclass(frozen=True)
class ColumnSummary:
    """A column: its rows, its missing values, its types, and its parts."""

    name: str
    place: int
    """Its position in the table, the first one where tables differ."""
    rows: int
    missing: int
    types: frozenset[str]
    """What the sources call the type of its values."""
    parts: Parts
    problems: frozenset[str] = frozenset()
    """Why its values could not be read, or not all of them."""

    @classmethod
    def merged(cls, columns: Iterable[Self]) -> Self:
        """The summary of all that several have seen of a column of one name."""
        held = list(columns)
        return cls(
            name=held[0].name,
            place=min(column.place for column in held),
            rows=sum(column.rows for column in held),
            missing=sum(column.missing for column in held),
            types=frozenset[str]().union(*(column.types for column in held)),
            parts=Parts.merged(column.parts for column in held),
            problems=frozenset[str]().union(*(column.problems for column in held)),
        )

    @property
    def kind(self) -> SummaryKind:
        """One kind, or `mixed` where there are values of several, `empty` where there is none."""
        kinds = self.kinds()
        return SummaryKind.EMPTY if not kinds else kinds[0] if len(kinds) == 1 else SummaryKind.MIXED

    def kinds(self) -> list[SummaryKind]:
        """The kind of each part that is there."""
        return [_kind(part) for part in self.parts.filled]

    @property
    def column_kind(self) -> ColumnKind:
        """The same as a contract says it."""
        return COLUMN_KINDS.get(self.kind, ColumnKind.TEXT)


def _kind(part: Any) -> SummaryKind:
    match part:
        case NumberSummary():
            return SummaryKind.INTEGER if part.whole else SummaryKind.NUMBER
        case TimeSummary():
            return SummaryKind.DATETIME
        case BooleanSummary():
            return SummaryKind.BOOLEAN
        case OpaqueSummary():
            return SummaryKind.NESTED if part.nested else SummaryKind.OTHER
        case _:
            return _text_kind(part)


def _text_kind(part: TextSummary) -> SummaryKind:
    """Categories are few for their rows, texts are long, and strings are the rest: names, keys, codes."""
    if part.categorical or (part.counts.exact and part.distinct <= CATEGORY_SHARE * part.rows):
        return SummaryKind.CATEGORY
    return SummaryKind.TEXT if part.lengths.total >= LONG_TEXT * part.rows else SummaryKind.STRING
