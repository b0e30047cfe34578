from cellops.records.base import Record


class OutputSeen(Record, frozen=True, kw_only=True):
    """One thing that a cell showed."""

    origin: str
    """`stdout`, `display`, or `result` for the value of its last expression."""
    kind: str
    """The MIME type of the form that was read."""
    digest: str | None = None
    """128-bit xxHash (XXH3) of what it says, without addresses in memory; of a figure the SHA-256 of its picture."""
    markup: str | None = None
    """Of HTML, the SHA-256 of all but its text, as pictures and styles, without names that are new each time."""
    text: str = ""
    """How it begins, without secrets."""
    size: int = 0
    """The characters of all that it says."""
    reason: str | None = None
    """Why the digest covers less than everything."""
