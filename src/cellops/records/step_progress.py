from enum import StrEnum

from cellops.records.base import Record


class StepState(StrEnum):
    RUNNING = "running"
    AGAIN = "again"
    """It failed and is executed once more."""
    REUSED = "reused"
    """Nothing that decides it has changed: what was kept of it is taken."""
    PERHAPS = "perhaps"
    """It would be executed if what it takes came out differently; only where an execution is explained."""
    DONE = "done"
    FAILED = "failed"


class StepProgress(Record, frozen=True, kw_only=True):
    """What becomes of a step, for a line of its own."""

    step: str
    state: StepState
    seconds: float = 0.0
    """Wall time that the step has taken."""
    reasons: tuple[str, ...] = ()
    """Why it is executed, or executed again; once it is done, what it does otherwise than in one kernel."""
    runs: tuple[str, ...] = ()
    """Keys of the runs that its cells have opened, once it is done."""


class StepExecuted(Record, frozen=True, kw_only=True):
    """What became of a step in an execution."""

    name: str
    state: StepState
    """`running` where it was stopped."""
    started: float
    """Seconds since the epoch, UTC."""
    seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    """Why it was executed, and again, and what it does otherwise than in one kernel."""
    runs: tuple[str, ...] = ()
    """Keys of the runs that its cells have opened."""
