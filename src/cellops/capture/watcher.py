"""The shape of a watcher: one kind of thing that a cell does, looked at before it and after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.header import Header
from cellops.records.cell import ErrorSeen, Outcome, place
from cellops.records.finding import Finding

State = TypeVar("State")


@dataclass
class OpenCell:
    """A cell that is being executed."""

    info: Any
    order: int
    source: str
    header: Header | None
    thread: int
    execution_count: int | None = None
    begun: int | None = None
    """The line in which capturing began, where it began in the middle of the cell."""
    body: str = ""
    """The Python that runs."""
    flow: Dataflow = field(default_factory=Dataflow)
    step: str | None = None
    """The step that its header names."""
    run: str | None = None
    started: float = 0.0
    clock: float = 0.0
    opening: float = 0.0
    states: dict[str, Any] = field(default_factory=dict)
    """What each watcher saw before the cell, by the watcher's name."""
    changed: tuple[str, ...] | None = None
    """When it has ended: names that are new, gone or bound to another object since it began, or just before that."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields of its record, from the watchers that have been asked since it ended."""

    @property
    def id(self) -> str | None:
        """The id that the notebook gives it, where the front end tells."""
        return id_of(self.info)

    @property
    def where(self) -> str:
        return place(self.execution_count)


def id_of(info: Any) -> str | None:
    """The id of a cell, from what IPython tells of it."""
    found = getattr(info, "cell_id", None)
    if found is None:
        meta = getattr(info, "cell_meta", None)
        found = meta.get("cellId") if isinstance(meta, dict) else None
    return found if isinstance(found, str) else None


@dataclass(frozen=True)
class Ending:
    """How a cell ended."""

    outcome: Outcome
    error: ErrorSeen | None = None


@dataclass(frozen=True)
class Seen:
    """What a watcher gives to the record of a cell."""

    fields: Mapping[str, object] = field(default_factory=dict)
    """Fields of `CellRecord`, by name."""
    findings: tuple[Finding, ...] = ()


class Watcher(Protocol, Generic[State]):
    """One kind of thing that a cell does. A watcher that fails costs the record its own fields and nothing else."""

    name: str

    def start(self, shell: Any) -> None:
        """Begin to watch an IPython shell."""

    def stop(self) -> None:
        """Take everything away again."""

    def before(self, cell: OpenCell) -> State:
        """What stands before the cell; called with the cell's source understood and nothing of it executed."""
        ...

    def after(self, cell: OpenCell, state: State, ending: Ending) -> Seen:
        """What the cell did, given what stood before it."""
        ...
