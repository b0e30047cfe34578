"""What a step's kernel is asked for, and what it answers."""

from collections.abc import Iterator

from cellops.records.base import Record
from cellops.records.cached import Dependencies, KeptRun
from cellops.records.step_trail import StepTrail
from cellops.records.stored import StoredValue

TAKEN_OVER = "taken-over"
"""The id of the cell by which the kernel of a step binds what it takes over."""


class Handover(Record, frozen=True, kw_only=True):
    """What the kernel of a step takes over before its cells, and hands over behind them."""

    step: str | None = None
    """The step that the kernel executes."""
    store: str = ""
    """Path of the folder of values."""
    values: tuple[StoredValue, ...] = ()
    """What other steps have kept."""
    names: tuple[str, ...] = ()
    """Those names among them that the step takes."""
    outputs: tuple[str, ...] = ()
    """The names whose values other steps take from it."""
    answer: str = ""
    """Path of the file for the answer."""
    trail: StepTrail = StepTrail()
    """What the values depend on in other kernels, with places from 1."""
    sessions: dict[str, str] = {}
    """For each name the session that has handed it on; none for one that nothing has captured."""

    def groups(self) -> Iterator[tuple[str, ...]]:
        """The names that the step takes, those together that share objects."""
        for value in self.values:
            taken = tuple(name for name in value.names if name in self.names)
            if taken:
                yield taken


class HandedOver(Record, frozen=True, kw_only=True):
    """What the kernel of a step has kept, and what its cells were found to depend on."""

    values: tuple[StoredValue, ...] = ()
    dependencies: Dependencies | None = None
    """None where nothing has captured the cells."""
    runs: tuple[KeptRun, ...] = ()
    """The runs that its cells have opened."""
    trail: StepTrail = StepTrail()
    """What the values depend on."""
    views: tuple[tuple[str, str], ...] = ()
    """Pairs of names whose arrays lay in the same memory; in other steps they do not."""
    problem: str = ""
    """Why the values could not be kept; empty where they were."""
    remedy: str = ""
