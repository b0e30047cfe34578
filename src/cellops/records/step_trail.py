"""The cells that the values of a step depend on."""

from cellops.records.base import Record, Value
from cellops.records.cell import CellRecord
from cellops.records.module import ModuleSource


class StepTrail(Record, frozen=True, kw_only=True):
    """What made the values that a step hands on: its own cells, behind those of the steps that it took values from."""

    session: str | None = None
    """Of the step's kernel; None where nothing has captured it, and where several steps are joined."""
    cells: tuple[CellRecord, ...] = ()
    """In the order of their places; cells of different kernels have different sessions."""
    modules: tuple[ModuleSource, ...] = ()
    """The project's own modules that their kernels have imported."""
    parameters: dict[str, Value | list[Value]] = {}
    """Those of the notebook that they had, without secrets."""
    widened: tuple[str, ...] = ()
    """Why there may be more of them than the values need."""
