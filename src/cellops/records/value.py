from enum import StrEnum

from cellops.records.base import Record


class Covered(StrEnum):
    """What of a value its digest speaks of."""

    FULL = "full"
    SAMPLED = "sampled"
    """Rows spread evenly over a large table."""
    PARTIAL = "partial"
    """All attributes of an object but those that `reason` names."""
    CODE = "code"
    """A module, or a function or a class that a cell defines: the cell's source says what it is."""
    NOTHING = "nothing"


class ValueSeen(Record, frozen=True, kw_only=True):
    """What a name stood for when the cell that bound or changed it had ended."""

    name: str
    type: str
    """The full name of its class."""
    covered: Covered
    digest: str | None = None
    """128-bit xxHash (XXH3) of the content; None where nothing of it could be read."""
    sample: str | None = None
    """The digest that it would have had if it had been sampled; where a run is executed again."""
    shown: str = ""
    """The value in a few words, without secrets."""
    number: float | None = None
    """The value itself, where it is a number."""
    parts: dict[str, str] = {}
    """Digests of its columns or attributes, to say which of them differ."""
    numbers: str | None = None
    """SHA-256 of its numbers, kept as `values/DIGEST` in cellops' folder: differences are measured with them."""
    rest: str | None = None
    """The digest of all but these numbers, where they do not stand in the columns of a table."""
    reason: str | None = None
    """Why the digest covers less than everything."""
