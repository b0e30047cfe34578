from cellops.records.base import Record


class ModuleSource(Record, frozen=True, kw_only=True):
    """A module of the project that the kernel had imported, pinned by what its file held then."""

    name: str
    path: str
    """Relative to the project."""
    digest: str
    """SHA-256 of the file."""
    size: int
    kept: str | None = None
    """Where its source stands without secrets, on its way to the tracking store; None beyond the limits."""
