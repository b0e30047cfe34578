from cellops.records.base import Record


class Slice(Record, frozen=True, kw_only=True):
    """The cells of the trail that a run depends on, itself the last of them."""

    cells: tuple[int, ...]
    """Their places on the trail, in order."""
    widened: tuple[str, ...] = ()
    """Why it may hold more cells than the run needs, or cannot be relied on."""
