"""The search itself: ask for values, have trials executed with them, and tell what came of each."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from cellops.errors import SweepError
from cellops.pipeline.sweep.dimensions import Dimension, restored
from cellops.pipeline.sweep.ledger import ENDED, Ledger
from cellops.pipeline.sweep.local import order_of
from cellops.pipeline.sweep.pruning import MedianPruner
from cellops.pipeline.sweep.samplers.sampler import Sampler
from cellops.pipeline.sweep.scheduler import Scheduler, Underway
from cellops.pipeline.worker import run_beside
from cellops.records.sweep import Report, SweepBegun, Trial, TrialBegun, TrialEnded, TrialOrder, TrialState

HOPELESS = 3
"""When so many trials have failed and none was completed, the fault lies in all of them."""


@dataclass
class Search:
    """One sweep over trials that are executed `jobs` at once."""

    begun: SweepBegun
    dimensions: tuple[Dimension, ...]
    sampler: Sampler
    scheduler: Scheduler
    ledger: Ledger
    folder: Path
    """Where the executed notebooks go."""
    planned: int | None
    """How many trials there are to be; None for as long as the sampler gives values."""
    jobs: int = 1
    trials: dict[int, Trial] = field(default_factory=dict)
    """Those that have ended, by their numbers; also those of an earlier call."""
    again: list[TrialOrder] = field(default_factory=list)
    """What was begun before and did not end."""
    stopped: dict[int, Trial] = field(default_factory=dict)
    """Those that were stopped with the sweep, by their numbers."""
    _underway: dict[int, Underway] = field(default_factory=dict)
    _reported: dict[int, float] = field(default_factory=dict)
    _hearing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._pruner = MedianPruner(maximize=self.begun.maximize)
        self._next = max((*self.trials, *(order.number for order in self.again)), default=-1) + 1
        self._new_failures = 0

    def run(
        self, on_trial: Callable[[Trial], None], on_stop: Callable[[], None], *, limit: float | None = None
    ) -> None:
        """Execute trials until none is left.

        Parameters
        ----------
        on_trial
            Called in the caller's thread when a trial begins and when it ends.
        on_stop
            Called when all that is underway is to be stopped.
        limit
            Seconds that it may take.

        Raises
        ------
        SweepError
            When a trial ends without the metric, or the first ones all fail.
        OverTimeError, KeyboardInterrupt, SystemExit
            When it takes too long, or is stopped; what was underway is stopped then.
        """
        run_beside(self._work, on_trial, on_stop, limit=limit)

    def _work(self, stop: Future[None], tell: Callable[[Trial], None]) -> None:
        stop.add_done_callback(lambda _: self._stop_all())
        try:
            self._all(stop, tell)
        except BaseException:
            self._stop_all()
            wait([one.outcome for one in self._underway.values()])
            raise

    def _all(self, stop: Future[None], tell: Callable[[Trial], None]) -> None:
        failure: BaseException | None = None
        left = True
        while True:
            while left and failure is None and not stop.done() and len(self._underway) < self.jobs:
                left = self._begin(tell)
            if stop.done():
                self._stop_all()  # one that began just now too
            if not self._underway:
                break
            wait([one.outcome for one in self._underway.values()], return_when=FIRST_COMPLETED)
            for number, one in [*self._underway.items()]:
                if one.outcome.done():
                    failure = self._end(number, one, tell) or failure
            if failure is not None:
                self._stop_all()
        if failure is not None:
            raise failure

    def _begin(self, tell: Callable[[Trial], None]) -> bool:
        """Begin the next trial; say whether there was one."""
        if self.again:
            before = self.again.pop(0)
            order = order_of(before.number, before.values, self.folder)
        elif self.planned is not None and self._next >= self.planned:
            return False
        else:
            values = self.sampler.ask(self._next)
            if values is None:
                return False
            order = order_of(self._next, values, self.folder)
            self._next += 1
        started = time.time()
        self.ledger.append(TrialBegun(sweep=self.begun.sweep, order=order, started=started))
        tell(Trial(number=order.number, values=order.values, state=TrialState.RUNNING, started=started))
        self._underway[order.number] = self.scheduler.begin(order, lambda report: self._hear(order.number, report))
        return True

    def _hear(self, number: int, report: Report) -> None:
        """A run reports how it stands: a trial that is hopeless is stopped."""
        value = report.values.get(self.begun.metric)
        if value is None:
            return
        with self._hearing:
            self._reported[number] = value
            hopeless = self._pruner.is_hopeless(number, report.step, value)
        if hopeless and self.begun.prune and (one := self._underway.get(number)) is not None:
            one.stop(TrialState.PRUNED)

    def _end(self, number: int, one: Underway, tell: Callable[[Trial], None]) -> BaseException | None:
        """Keep what came of a trial, before anybody else hears of it; why the sweep cannot go on, if it cannot."""
        del self._underway[number]
        error = one.outcome.exception()
        if error is not None:
            return error
        trial, failure = self._judged(one.outcome.result())
        self.ledger.append(TrialEnded(sweep=self.begun.sweep, trial=trial))
        if trial.state in ENDED:
            self.trials[number] = trial
            self.sampler.tell(number, restored(trial.values, self.dimensions), trial.value)
            with self._hearing:
                if trial.state is TrialState.COMPLETED:
                    self._pruner.completed(number)
        else:
            self.stopped[number] = trial
        tell(trial)
        return failure or self._all_fail()

    def _judged(self, trial: Trial) -> tuple[Trial, SweepError | None]:
        if trial.state is TrialState.PRUNED:
            return trial.replace(value=self._reported.get(trial.number)), None
        if trial.state is TrialState.COMPLETED and trial.value is None:
            failure = _no_metric(self.begun.metric, trial)
            return trial.replace(state=TrialState.FAILED, error=failure.fact), failure
        self._new_failures += trial.state is TrialState.FAILED
        return trial, None

    def _all_fail(self) -> SweepError | None:
        if self._new_failures < HOPELESS or any(one.state is not TrialState.FAILED for one in self.trials.values()):
            return None
        last = max(self.trials.values(), key=lambda one: one.started + one.seconds)
        fact = f"The first {len(self.trials)} trials have failed, the last: {last.error}"
        return SweepError(
            fact, remedy="Correct the notebook or the space, and begin a new sweep", errors=_errors(self.trials)
        )

    def _stop_all(self) -> None:
        for one in [*self._underway.values()]:
            one.stop(TrialState.STOPPED)


def refuse(trials: Mapping[int, Trial]) -> None:
    """Raise where all trials that have ended, by their numbers, have failed.

    Raises
    ------
    SweepError
        With the error of the last one.
    """
    if trials and all(trial.state is TrialState.FAILED for trial in trials.values()):
        many = f"All {len(trials)} trials have failed, the last" if len(trials) > 1 else "The trial failed"
        fact = f"{many}: {trials[max(trials)].error}"
        raise SweepError(fact, remedy="Correct the notebook or the space, and begin again", errors=_errors(trials))


def _errors(trials: Mapping[int, Trial]) -> list[str]:
    return [str(one.error) for one in trials.values()]


def _no_metric(metric: str, trial: Trial) -> SweepError:
    known = sorted(trial.metrics)
    opened = "opened no run" if not trial.runs else f"logged {', '.join(known)}" if known else "logged no metric"
    fact = f"No run of trial {trial.number} has the metric {metric}; it {opened}"
    near = get_close_matches(metric, known, n=1)
    remedy = (
        f"Did you mean --metric {near[0]}?"
        if near
        else "Begin the cell that computes it with %%mlops run"
        if not trial.runs
        else "Name one of them with --metric, or compute it in the run's cell"
    )
    return SweepError(fact, remedy=remedy, metrics=known)
