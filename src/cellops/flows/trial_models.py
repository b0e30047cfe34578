"""The models that the trials of a sweep have fitted: which are kept in the tracking store, and which are deleted."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.journal import path_of, read
from cellops.flows.answered_rows import rows_beside
from cellops.flows.progress import read_progress
from cellops.records.finding import Finding
from cellops.records.run import RunClosed
from cellops.records.sweep import ALL, BEST, SweepBegun, Trial, TrialEnded, TrialState, best_of

if TYPE_CHECKING:
    from cellops.tracking.store import Store


class TrialModels:
    """Settles what becomes of the models of one sweep; doing it twice gives the same as doing it once.

    Parameters
    ----------
    journal
        Of the sweep; those of its kernels stand beside it.
    """

    def __init__(self, begun: SweepBegun, journal: Path, store: "Store") -> None:
        self._begun = begun
        self._journal = journal
        self._store = store
        self.findings: list[Finding] = []
        """What the store did not take; whoever has taken these over empties the list."""
        self.waits = False
        """Whether a model waits for a module that was not found."""
        self._best: Trial | None = None

    def trial_ended(self, trial: Trial) -> None:
        """Keep or delete at once what is certain: a model that another one has beaten is not missed on a full disk."""
        if self._begun.models == BEST and self._is_best(trial):
            return  # another may be better
        self._settle(trial, keep=self._begun.models == ALL)

    def sweep_ended(self) -> None:
        """Keep what is to be kept of all trials, and delete the rest.

        The journal may tell more than what the end knew that is carried now: of a sweep that was resumed since.
        """
        self.waits = False
        trials = trials_of(self._journal)
        best = self._best_of(trials)
        for trial in trials:
            is_best = best is not None and trial.execution == best.execution
            self._settle(trial, keep=self._begun.models == ALL or (self._begun.models == BEST and is_best))

    def _is_best(self, trial: Trial) -> bool:
        """Whether no trial is better that the journal tells of; the one that was best before is deleted then."""
        before = self._best if self._best is not None else self._best_of(trials_of(self._journal))
        self._best = self._best_of([*filter(None, (before, trial))])
        if self._best is None or self._best.execution != trial.execution:
            return False
        if before is not None and before.execution != trial.execution:
            self._settle(before, keep=False)
        return True

    def _best_of(self, trials: Iterable[Trial]) -> Trial | None:
        return best_of(list(trials), maximize=self._begun.maximize)

    def _settle(self, trial: Trial, *, keep: bool) -> None:
        keep = keep and trial.state is not TrialState.STOPPED  # it is done again
        for run, closed in self._of(trial):
            logged = None
            if keep and any(Path(model.path).exists() for model in closed.models):
                logged = self._store.keep_models(run, closed)
                self.findings += logged.findings
                self.waits = self.waits or logged.waits
            for model in closed.models:
                if logged is None or model.name in logged.models:
                    delete(Path(model.path))

    def _of(self, trial: Trial) -> Iterator[tuple[str, RunClosed]]:
        """The runs of a trial that have models, with MLflow's ids."""
        for session in trial.sessions:
            path = path_of(self._journal.parent, session)
            known = read_progress(path).runs if path.exists() else {}
            for event, _ in read(path) if known else ():
                if isinstance(event, RunClosed) and event.run in known and event.models:
                    yield known[event.run], event


def trials_of(journal: Path) -> list[Trial]:
    """All trials in the order in which they ended; one that was stopped and done again is there twice."""
    return [event.trial for event, _ in read(journal) if isinstance(event, TrialEnded)]


def delete(spool: Path) -> None:
    """Delete what a run has handed over, and its folder when nothing is left in it."""
    rows_beside(spool).unlink(missing_ok=True)
    spool.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        spool.parent.rmdir()
