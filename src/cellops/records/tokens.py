from cellops.records.base import Record


class ServerToken(Record, frozen=True, kw_only=True):
    """A token that clients of a server send."""

    name: str
    scopes: tuple[str, ...]
    """What it allows: `predict`, `feedback`, `metrics`."""
    created: float
    """Seconds since the epoch."""
    expires: float | None = None
    is_valid: bool = True
    token: str | None = None
    """Itself, where it was just made; it is kept nowhere."""
