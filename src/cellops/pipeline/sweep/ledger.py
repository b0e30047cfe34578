"""The journal of a sweep: what was asked, and each trial as it begins and ends; what a resumed sweep goes on from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cellops.capture.journal import SUFFIX, Journal, path_of, read
from cellops.capture.lease import Lease, is_alive, lease_of
from cellops.errors import UsageError
from cellops.records.base import Record
from cellops.records.sweep import (
    OF_SWEEPS,
    SweepBegun,
    SweepEnded,
    Trial,
    TrialBegun,
    TrialEnded,
    TrialOrder,
    TrialState,
)

ENDED = (TrialState.COMPLETED, TrialState.FAILED, TrialState.PRUNED)
"""States of trials that are not done again."""


@dataclass
class History:
    """What the journal of a sweep tells."""

    path: Path
    begun: SweepBegun
    trials: dict[int, Trial] = field(default_factory=dict)
    """Those that have ended, by their numbers."""
    orders: dict[int, TrialOrder] = field(default_factory=dict)
    """Those that have not: they were stopped, or killed."""
    started: dict[int, float] = field(default_factory=dict)
    """When the latter began that nobody has stopped."""
    is_ended: bool = False
    """Whether nothing was begun since what the sweep has come to was last written."""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What a journal tells; None where it is none of a sweep."""
        found: Self | None = None
        for event, _ in read(path):
            if found is None and isinstance(event, SweepBegun):
                found = cls(path, event)
            elif found is not None:
                found._take(event)
        return found

    def _take(self, event: object) -> None:
        self.is_ended = isinstance(event, SweepEnded)
        match event:
            case SweepBegun():
                self.begun = event  # as it was asked for when the sweep went on
            case TrialBegun(order=order, started=started):
                self.orders[order.number], self.started[order.number] = order, started
            case TrialEnded(trial=trial) if trial.state in ENDED:
                self.trials[trial.number] = trial
                self.orders.pop(trial.number, None)
                self.started.pop(trial.number, None)
            case TrialEnded(trial=trial):
                self.started.pop(trial.number, None)
            case _:
                pass

    @property
    def is_alive(self) -> bool:
        """Whether a process still works on the sweep."""
        return is_alive(self.path)


def last_of(journals: Path, notebook: Path) -> History | None:
    """The newest sweep over a notebook."""
    found = [h for path in journals.glob(f"{OF_SWEEPS}*{SUFFIX}") if (h := History.read(path)) is not None]
    own = [history for history in found if Path(history.begun.notebook) == notebook]
    return max(own, key=lambda history: history.begun.started, default=None)


def going_on(begun: SweepBegun) -> UsageError:
    """What is said of a sweep that a process works on."""
    fact = f"The sweep {begun.name} is still going on"
    return UsageError(fact, remedy="Wait until it ends, or stop it first")


def journal_of(journals: Path, begun: SweepBegun) -> Path:
    """Where the journal of a sweep stands."""
    return path_of(journals, f"{OF_SWEEPS}{begun.name}")


class Ledger:
    """Writes the journal of a sweep, and says by a lease that somebody works on it.

    Raises
    ------
    UsageError
        When another process has begun to go on with it.
    """

    def __init__(self, journals: Path, begun: SweepBegun) -> None:
        self.path = journal_of(journals, begun)
        try:
            self._lease = Lease(lease_of(self.path))
        except BlockingIOError as error:
            raise going_on(begun) from error
        self._journal = Journal(journals, self.path.stem, None if self.path.exists() else begun)

    def append(self, event: Record) -> None:
        self._journal.append(event)

    def close(self) -> None:
        self._journal.close()
        self._lease.release()
