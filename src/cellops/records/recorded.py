from cellops.records.base import Record
from cellops.records.cell import CellRecord
from cellops.records.run import RunClosed


class RecordedRun(Record, frozen=True, kw_only=True):
    """All that is known of a run that has ended: what executing it again, comparing and restoring start from."""

    run: str
    name: str
    version: str
    """Of the cellops that recorded it."""
    started: float
    notebook: str | None = None
    seed: int | None = None
    closed: RunClosed
    trail: tuple[CellRecord, ...]
    """The cells of the session up to and with the run's own."""
    store: str | None = None
    """The tracking store that it was recorded for."""

    def slice(self) -> tuple[CellRecord, ...]:
        """The cells that it depends on, itself the last; the whole trail where the slice could not be found out."""
        if self.closed.slice is None:
            return self.trail
        wanted = set(self.closed.slice.cells)
        return tuple(record for record in self.trail if record.order in wanted)


class Restoring(Record, frozen=True, kw_only=True):
    """What a kernel puts back before it executes the cells of a slice again."""

    states: dict[str, dict[str, str]] = {}
    """For the id of a cell, the states of shared generators by their names, as files."""
