"""A table of events: what became known of a thing, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Events:
    """A table of events with what differs from the other tables of a join; what is left out is as the join says."""

    table: Any
    """A DataFrame of pandas or polars, or a table of pyarrow."""
    key: str | Sequence[str] | None = None
    """Its columns of the key, in the order of the labels' columns."""
    time: str | None = None
    """When the event happened."""
    known_at: str | None = None
    """When it became known: entered, loaded, corrected. It counts for a row only where that was no later."""
    tolerance: Any = None
    """How old an event may be."""
    columns: Sequence[str] | None = None
    """The features that are taken of it; by default all columns but key and times."""


def columns_of(key: str | Sequence[str]) -> tuple[str, ...]:
    """One column or several, as a tuple."""
    return (key,) if isinstance(key, str) else tuple(key)
