from enum import StrEnum

from cellops.records.base import Record, Value
from cellops.records.cached import KeptRun

ParameterValue = Value | list[object] | dict[Value, object]
"""What a notebook parameter can be: a scalar, or a list or dictionary of such."""


class CellState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class CellProgress(Record, frozen=True, kw_only=True):
    """One step of a notebook's execution, for a progress line."""

    index: int | None
    """Place of the cell in the notebook that was given, from 0; None for the cell that gives it parameters."""
    total: int
    """Number of cells of the notebook that was given."""
    title: str
    """First meaningful line of the cell."""
    seconds: float
    """Wall time that the cell has taken; 0 while it runs."""
    state: CellState
    step: str | None = None
    """The step that it belongs to, where each step has a kernel of its own."""


class ExecutedNotebook(Record, frozen=True, kw_only=True):
    """A notebook that was executed to its end."""

    notebook: str
    output: str
    """Path of the executed notebook."""
    execution: str
    """Identifier that the kernel had as CELLOPS_EXECUTION; the runs opened in it carry it."""
    kernel: str
    parameters: dict[str, ParameterValue] = {}
    """The values that were injected, as JSON can hold them, secrets masked."""
    places: dict[str, str] = {}
    """By the name of each parameter where its value comes from: `-p`, a file, a variable, `default`."""
    cells: int
    """How many cells were executed."""
    reused_runs: tuple[KeptRun, ...] = ()
    """The runs of those steps that were not executed again."""
    steps_left_out: tuple[str, ...] = ()
    """The steps that open runs, and that nobody has asked for."""
    seconds: float
    """Wall time in seconds, start and end of the kernel included."""
