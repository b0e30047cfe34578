"""Who has trials executed: kernels of this machine (`local`), or others of the same shape."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from cellops.records.sweep import Report, Trial, TrialOrder, TrialState


class Underway(Protocol):
    """A trial that is executed."""

    outcome: Future[Trial]
    """What came of it; an exception where that is nobody's fault who wrote the notebook."""

    def stop(self, state: TrialState) -> None:
        """End it before its time; `state` is what it is then in. May be called from any thread, and more than once."""


class Scheduler(Protocol):
    """Executes trials. What it is given and what it gives are plain values."""

    jobs: int
    """How many it executes at once."""

    def begin(self, order: TrialOrder, on_report: Callable[[Report], None]) -> Underway:
        """Have a trial executed, beside those that are underway; what its runs report is told from any thread."""
