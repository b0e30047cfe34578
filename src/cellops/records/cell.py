from enum import StrEnum

from cellops.records.base import Record
from cellops.records.effects import Effects
from cellops.records.figure import FigureSpool
from cellops.records.file import FileUse, Look
from cellops.records.finding import Finding
from cellops.records.output import OutputSeen
from cellops.records.split import Split
from cellops.records.value import ValueSeen


class Outcome(StrEnum):
    OK = "ok"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class ErrorSeen(Record, frozen=True, kw_only=True):
    """The exception that ended a cell, with the line of the cell in which it arose (1-based), when known."""

    type: str
    message: str
    line: int | None = None


def place(execution_count: int | None) -> str:
    """A cell as the notebook names it beside its source: `In [3]`."""
    return f"In [{' ' if execution_count is None else execution_count}]"


class GeneratorUse(Record, frozen=True, kw_only=True):
    """What one cell did with one random generator."""

    name: str
    """`python`, `numpy`, `torch`, `torch.cuda.0` …, or where it is held: `rng`, `trainer.rng`, `streams[0]`."""
    consumed: bool
    """Whether the cell drew from it, or may have."""
    seeded: bool
    state: str | None = None
    """SHA-256 of the state before the cell; None for a generator that the cell has made or imported."""
    renewed: bool = False
    """Whether the cell seeded it before it did anything else, so that what had been drawn before does not matter."""
    reseeded: bool = False
    """Whether the cell may have drawn from it and then seeded it: it is consumed, and the state before matters."""
    kept: bool = False
    """Whether that state stands in cellops' folder, as `states/DIGEST`, from where it can be restored."""


class CellRecord(Record, frozen=True, kw_only=True, tag="cell", tag_field="event"):
    """What one executed cell did."""

    session: str
    order: int
    """Place on the trail, from 1."""
    source: str
    started: float
    """Seconds since the epoch, UTC."""
    duration: float
    """Wall time of the cell in seconds, ours excluded."""
    overhead: float
    """Wall time that capturing this cell took, in seconds."""
    outcome: Outcome
    processor_time: float | None = None
    """Processor time of all threads of the kernel during the cell, in seconds."""
    memory_growth: int | None = None
    """By how much the kernel's peak of memory grew, in bytes."""
    stdout_size: int | None = None
    """Bytes that the cell printed; None where the front end does not tell, as in a terminal."""
    stderr_size: int | None = None
    outputs: tuple[OutputSeen, ...] | None = None
    """What the cell printed and displayed; None where the front end does not tell."""
    verb: str | None = None
    step: str | None = None
    """The step of the pipeline that its header names."""
    execution_count: int | None = None
    """The number in `In [n]`; a cell that another one executed has the number of that one."""
    cell_id: str | None = None
    notebook: str | None = None
    error: ErrorSeen | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    """Why names read and written may be incomplete: `exec`, `star import` …"""
    changed: tuple[str, ...] = ()
    """Names that the cell bound although its source does not show it: by `exec`, `%run`, a function, a star import."""
    deleted: tuple[str, ...] = ()
    """Names that stood before the cell and not after it."""
    effects: Effects | None = None
    """How the cell hangs together with others; None where this could not be found out."""
    values: tuple[ValueSeen, ...] = ()
    """What the names that it bound or changed stood for when it had ended."""
    generators: tuple[GeneratorUse, ...] = ()
    files: tuple[FileUse, ...] = ()
    """Files, folders and addresses that the cell read or wrote."""
    looks: tuple[Look, ...] = ()
    """Folders that it listed and places where it found nothing to read, each as it stood when it first looked."""
    splits: tuple[Split, ...] = ()
    """How the cell divided rows for training and evaluation."""
    figures: tuple[FigureSpool, ...] = ()
    """What the cell showed, where it was a run."""
    findings: tuple[Finding, ...] = ()
    run: str | None = None
    """Key of the run that this cell was."""
    taken: dict[str, str] = {}
    """Names whose values it took over from other kernels, each with the session that handed it on."""

    @property
    def where(self) -> str:
        """The place as a person sees it."""
        return place(self.execution_count)
