from enum import StrEnum

from cellops.records.base import Record
from cellops.records.run import RunStatus


class Side(Record, frozen=True, kw_only=True):
    """One of the two runs."""

    run: str
    name: str
    status: RunStatus
    started: float
    notebook: str | None = None


class Change(StrEnum):
    """What became of a source."""

    EDITED = "edited"
    MOVED = "moved"
    ADDED = "added"
    REMOVED = "removed"


class SourceChange(Record, frozen=True, kw_only=True):
    """A cell, or a module of the project, whose source is not the same in both runs."""

    change: Change
    before: str | None = None
    """The place of the cell, or the module's path; None where the source was added."""
    after: str | None = None
    lines: tuple[str, ...] = ()
    """The unified diff, without its head; empty where a source was moved only, or was not kept."""
    note: str = ""


class Difference(Record, frozen=True, kw_only=True):
    """One thing that is not the same in both runs."""

    kind: str
    """`commit`, `uncommitted`, `parameter`, `seed`, `generator`, `file`, `table`, `python`, `distribution`, `variable`,
    `threads`, `machine`, `outcome` or `metric`."""
    name: str
    before: str = ""
    """In a few words, without secrets; empty where there was none."""
    after: str = ""
    change: float | None = None
    """Of two numbers: by how much the one of the second run is larger."""
    parts: tuple[str, ...] = ()
    """Columns that differ."""
    note: str = ""


class RunComparison(Record, frozen=True, kw_only=True):
    """What differs between two runs, in the order in which it is likely to be the cause."""

    before: Side
    after: Side
    sources: tuple[SourceChange, ...] = ()
    """Cells in the order in which they were executed, then the project's modules."""
    code: tuple[Difference, ...] = ()
    parameters: tuple[Difference, ...] = ()
    """With the seed and the states of generators that nobody seeded."""
    data: tuple[Difference, ...] = ()
    environment: tuple[Difference, ...] = ()
    metrics: tuple[Difference, ...] = ()
    """With how the runs ended."""
    compared: dict[str, int] = {}
    """How many things were held against each other, by `code`, `parameters`, `data`, `environment` and `metrics`."""
    notes: tuple[str, ...] = ()
    """What could not be compared."""

    @property
    def differs(self) -> bool:
        return any((self.sources, self.code, self.parameters, self.data, self.environment, self.metrics))
