from cellops.records.base import Record


class Restored(Record, frozen=True, kw_only=True):
    """A run that was written out as a notebook, with all that executing it needs and the record holds."""

    run: str
    name: str
    folder: str
    cells: int
    """How many cells of the run the notebook has."""
    of_trail: int
    """How many the trail has."""
    files: tuple[str, ...] = ()
    """What stands in the folder, relative to it."""
    notes: tuple[str, ...] = ()
    """What may come out otherwise, or is not there."""
