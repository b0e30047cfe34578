from collections.abc import Iterable, Iterator

from cellops.records.base import Record
from cellops.records.cell import CellRecord, GeneratorUse
from cellops.records.file import FileUse
from cellops.records.guarding import Guarding
from cellops.records.run import RunClosed

DEFERRED = "deferred"
"""The method of a file that was to be hashed beside the kernel's work."""
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
    """The cells of the session up to and with the run's own, behind those of other kernels that it took values from."""
    store: str | None = None
    """The tracking store that it was recorded for."""

    def slice(self) -> tuple[CellRecord, ...]:
        """The cells that it depends on, itself the last; the whole trail where the slice could not be found out."""
        if self.closed.slice is None:
            return self.trail
        wanted = set(self.closed.slice.cells)
        return tuple(record for record in self.trail if record.order in wanted)


def kernels(cells: Iterable[CellRecord]) -> list[tuple[CellRecord, ...]]:
    """The cells of each kernel, in the order in which kernels take values from each other."""
    found: dict[str, list[CellRecord]] = {}
    for record in cells:
        found.setdefault(record.session, []).append(record)
    return [tuple(own) for own in found.values()]


def kernel_names(cells: Iterable[CellRecord]) -> dict[str, str]:
    """What a person calls the kernel of each session, by the step that it executed; empty texts where there is one."""
    groups = kernels(cells)
    if len(groups) == 1:
        return {groups[0][0].session: ""}
    steps = [next((record.step for record in own if record.step is not None), None) for own in groups]
    names = [f"kernel {number}" if step is None else f"step {step}" for number, step in enumerate(steps, 1)]
    return {own[0].session: name for own, name in zip(groups, names, strict=True)}


def preparing(cells: Iterable[CellRecord]) -> set[int]:
    """The places of cells that stand above the own ones of a step, where the cells had several kernels."""
    groups = kernels(cells)
    own_cells = [next((record.order for record in own if record.step is not None), 0) for own in groups]
    found = zip(groups, own_cells, strict=True) if len(groups) > 1 else ()
    return {record.order for own, first in found for record in own if record.order < first}


class Restoring(Record, frozen=True, kw_only=True):
    """What a kernel puts back before it executes the cells of a slice again."""

    states: dict[str, dict[str, str]] = {}
    """For the id of a cell, the states of shared generators by their names, as files."""
    following: dict[str, int] = {}
    """For the id of a cell, the number in `In [n]` of the one behind it."""
    unread: dict[str, tuple[str, ...]] = {}
    """For the id of a cell, the names of which the record says no content."""
    guarding: Guarding | None = None
    """What they may touch."""


def needed_states(cells: Iterable[CellRecord]) -> Iterator[tuple[CellRecord, GeneratorUse]]:
    """The shared generators that a slice draws from unseeded or before it seeds, each with the first cell that does.

    What a later cell draws follows from there, and what is seeded in the slice is seeded again.
    """
    known: set[tuple[str, str]] = set()
    for record in cells:
        for use in record.generators:
            of_kernel = (record.session, use.name)
            if use.name.partition(".")[0] not in SHARED_GENERATORS or of_kernel in known or not use.consumed:
                continue
            known.add(of_kernel)
            if (not use.seeded or use.reseeded) and use.state is not None and use.kept:
                yield record, use


def with_pins(trail: Iterable[CellRecord], pinned: Iterable[FileUse]) -> Iterator[CellRecord]:
    """The cells of a trail, with the digests of files that were hashed when their cell had ended."""
    known = {(use.path, use.size, use.modified): use for use in pinned if use.method != DEFERRED}
    for record in trail:
        files = tuple(
            known.get((use.path, use.size, use.modified), use) if use.method == DEFERRED else use
            for use in record.files
        )
        yield record.replace(files=files) if files != record.files else record
