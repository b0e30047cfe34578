from cellops.records.base import Record
from cellops.records.execution import CellState, ParameterValue
from cellops.records.gate import GateFigure, GateResult, not_passed
from cellops.records.run import RunStatus, RunSummary


class Failure(Record, frozen=True, kw_only=True):
    """Why a cell, or the whole execution, has failed."""

    kind: str
    """Name of the exception's class."""
    message: str
    traceback: str = ""
    """Plain text, without colours and secrets."""
    stopped: bool = False
    """Whether it took too long or its kernel died, so that nothing in it has failed by itself."""


class CellReport(Record, frozen=True, kw_only=True):
    """What became of one code cell."""

    index: int | None
    """Place in the notebook that was given, from 0; None for the cell that gives it parameters."""
    title: str
    """First meaningful line of the cell."""
    seconds: float = 0.0
    state: CellState | None = None
    """None where it was not executed."""
    reused: bool = False
    """Whether it is as it was: its step was taken from what was kept."""
    failure: Failure | None = None
    line: int | None = None
    """Where the failure is in the file of a notebook that is kept as text, from 1."""


class Picture(Record, frozen=True, kw_only=True):
    """A plot that a cell showed."""

    index: int | None
    """Place of the cell, as in `CellReport`."""
    content: bytes
    """PNG."""


class RunReport(Record, frozen=True, kw_only=True):
    """A run of the execution, beside the last good one of the same notebook, name and experiment."""

    run: RunSummary
    before: RunSummary | None = None
    not_compared: str = ""
    """Why earlier runs were not looked for."""
    figures: tuple[GateFigure, ...] = ()
    """What gates have asked of it, with the groups of rows behind each."""


class ExecutionReport(Record, frozen=True, kw_only=True):
    """What an execution did, for those who were not there: CI, and whoever reads its pages."""

    notebook: str
    """The path that was given."""
    status: RunStatus
    started: float
    """Seconds since the epoch, UTC."""
    seconds: float
    total: int = 0
    """Cells of the notebook, those with text included."""
    parameters: dict[str, ParameterValue] = {}
    """Given ones, secrets masked."""
    cells: tuple[CellReport, ...] = ()
    failure: Failure | None = None
    """Why it ended early, where no cell says so: the kernel did not start, or somebody stopped it."""
    gates: tuple[GateResult, ...] = ()
    runs: tuple[RunReport, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    """What the report does not speak of."""

    @property
    def failed_cells(self) -> list[CellReport]:
        return [cell for cell in self.cells if cell.failure is not None]

    @property
    def good(self) -> bool:
        return self.status is RunStatus.FINISHED and not not_passed(self.gates)
