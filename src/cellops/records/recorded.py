from collections.abc import Iterable, Iterator

from cellops.records.base import Record
from cellops.records.cell import CellRecord, GeneratorUse
from cellops.records.run import RunClosed

SHARED_GENERATORS = ("python", "numpy", "torch")
"""Those that everybody shares, by the name of their library."""


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


def needed_states(cells: Iterable[CellRecord]) -> Iterator[tuple[CellRecord, GeneratorUse]]:
    """The shared generators that a slice draws from unseeded, each with the first cell that does.

    What a later cell draws follows from there, and what is seeded in the slice is seeded again.
    """
    known: set[str] = set()
    for record in cells:
        for use in record.generators:
            if use.name.partition(".")[0] not in SHARED_GENERATORS or use.name in known or not use.consumed:
                continue
            known.add(use.name)
            if not use.seeded and use.state is not None and use.kept:
                yield record, use
