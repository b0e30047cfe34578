from cellops.records.base import Record


class FigureSpool(Record, frozen=True, kw_only=True):
    """A figure that a run showed, on its way from the kernel to the tracking store."""

    name: str
    path: str
    digest: str
    """SHA-256 of the file."""
    picture: str | None = None
    """SHA-256 of what it shows, without what its file says of when and by what it was made; None where unknown."""
