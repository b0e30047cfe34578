"""One call of the verb `sweep`, from its first trial to what it has come to."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cellops.errors import SweepError
from cellops.flows.clusters import of_workers
from cellops.flows.execute import CARRY
from cellops.flows.progress import read_progress
from cellops.flows.sync import errors_of, sync
from cellops.flows.writer import Handle
from cellops.pipeline.dask.place import place_of
from cellops.pipeline.dask.trials import DaskTrials
from cellops.pipeline.forkserver.candidates import modules_ahead
from cellops.pipeline.forkserver.process import ForkingProcess
from cellops.pipeline.sweep.dimensions import restored
from cellops.pipeline.sweep.ledger import History, Ledger, journal_of
from cellops.pipeline.sweep.local import LocalTrials, TrialOptions
from cellops.pipeline.sweep.measuring import Journals, measured
from cellops.pipeline.sweep.planning import Plan, command_of
from cellops.pipeline.sweep.plot import plot
from cellops.pipeline.sweep.samplers import SAMPLERS
from cellops.pipeline.sweep.samplers.sampler import Sampler, Task
from cellops.pipeline.sweep.search import Search, refuse
from cellops.pipeline.worker import OverTimeError, signals_raise
from cellops.records.execution import CellProgress
from cellops.records.run import RunStatus
from cellops.records.sweep import (
    NONE,
    SweepBegun,
    SweepEnded,
    Swept,
    Trial,
    TrialEnded,
    TrialOrder,
    TrialState,
    best_of,
)
from cellops.settings import Settings

SWEEPS = "sweeps"
"""The folder of the executed notebooks of trials, and of the pictures."""
DONE_BEFORE = "All trials were done before: this is what they came to."


@dataclass(kw_only=True)
class SweepWork:
    """Executes the trials that are left, and keeps what they come to."""

    begun: SweepBegun
    made: Plan
    settings: Settings
    history: History | None
    folder: Path
    output: Path | None
    on_trial: Callable[[Trial], None]
    on_cell: Callable[[int, CellProgress], None]
    on_stage: Callable[[str], None]
    on_result: Callable[[Swept], None]
    dask: Any = None
    store: str | None = None
    early: ForkingProcess | None = None
    """What kernels may be forked from, started before it was known."""
    _trials: dict[int, Trial] = field(default_factory=dict)
    _started: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self._trials = {} if self.history is None else self.history.trials
        self._stopped: dict[int, Trial] = {}
        ahead = {module.partition(".")[0] for module in modules_ahead(self.made.made.source)}
        has_models = self.begun.models != NONE and "sklearn" in ahead
        self._writer = Handle(self.settings, awaited=True, models=has_models)
        self._picture: str | None = None

    @property
    def done(self) -> int:
        """How many trials have ended."""
        return len(self._trials)

    def run(self, options: TrialOptions, *, limit: float | None) -> Swept:
        """Execute the trials and carry them; raises as `flows.sweep.sweep` does."""
        again = [] if self.history is None else [self.history.orders[n] for n in sorted(self.history.orders)]
        is_done = not again and self.made.planned is not None and self.done >= self.made.planned
        if is_done and self.history is not None and self.history.is_ended:
            return self._shown_again()
        with signals_raise(), ExitStack() as opened:
            # A cluster that is away is refused before anything is kept that could be resumed.
            scheduler = self._scheduler(options)
            opened.enter_context(scheduler)
            sampler = self._sampler(scheduler.jobs, again)
            self.folder.mkdir(parents=True, exist_ok=True)
            ledger = Ledger(options.journals, self.begun)
            try:
                with opened.pop_all():
                    self._go_on(ledger, options)
                    search = Search(
                        begun=self.begun,
                        dimensions=self.made.space.dimensions,
                        sampler=sampler,
                        scheduler=scheduler,
                        ledger=ledger,
                        folder=self.folder,
                        planned=self.made.planned,
                        jobs=scheduler.jobs,
                        trials=self._trials,
                        again=again,
                        stopped=self._stopped,
                    )
                    self._writer.ensure(ledger.path, scheduler.forks if isinstance(scheduler, LocalTrials) else None)
                    search.run(self._tell, lambda: self.on_stage("Stopping the trials"), limit=limit)
                refuse(self._trials)
            except BaseException as ended:  # noqa: BLE001 - it is raised again when all is kept
                raise self._ended_early(ended, ledger, limit) from None
            return self._shown(self._carried(ledger, RunStatus.FINISHED))

    def _shown_again(self) -> Swept:
        """What a sweep has come to of which nothing is left; what was not carried then is carried now."""
        self.on_stage(DONE_BEFORE)
        path = self._written_plot()
        unsynced = None if read_progress(self._journal).done else self._carry()
        found = self._shown(self._swept(path, unsynced))
        refuse(self._trials)
        return found

    def _scheduler(self, options: TrialOptions) -> LocalTrials | DaskTrials:
        if self.dask is None:
            return LocalTrials(self.made.made, options, early=self.early, on_cell=self.on_cell)
        place = place_of(self.dask, self.store, self.settings.folder)
        options = replace(options, environment={**options.environment, **of_workers(self.settings)})
        return DaskTrials(self.made.made, options, self.dask, place)

    def _sampler(self, jobs: int, again: Sequence[TrialOrder]) -> Sampler:
        """The sampler, told of all that was done before."""
        task = Task(
            dimensions=self.made.space.dimensions,
            seed=self.begun.seed,
            maximize=self.begun.maximize,
            jobs=jobs,
            told=self.done,
            again=tuple(restored(order.values, self.made.space.dimensions) for order in again),
        )
        sampler = SAMPLERS[self.begun.sampler](task)
        for number in sorted(self._trials):
            trial = self._trials[number]
            sampler.tell(number, restored(trial.values, task.dimensions), trial.value)
        return sampler

    def _go_on(self, ledger: Ledger, options: TrialOptions) -> None:
        """Note what is asked of a sweep that is resumed, and of trials that were killed with it that they were stopped.

        The runs of the latter may be there.
        """
        if self.history is None:
            return
        ledger.append(self.begun)
        journals = Journals(options.journals, min(self.history.started.values(), default=0.0))
        for number, started in self.history.started.items():
            order = self.history.orders[number]
            trial = Trial(
                number=number,
                values=order.values,
                execution=order.execution,
                started=started,
                state=TrialState.STOPPED,
            )
            trial = measured(trial, journals, self.begun.metric)
            ledger.append(TrialEnded(sweep=self.begun.sweep, trial=trial))

    def _tell(self, trial: Trial) -> None:
        if trial.state is not TrialState.RUNNING:
            self._writer.ensure(self._journal)
        self.on_trial(trial)

    @property
    def _journal(self) -> Path:
        return journal_of(self.settings.folder / "journal", self.begun)

    def _ended_early(self, ended: BaseException, ledger: Ledger, limit: float | None) -> BaseException:
        """Keep what there is, tell it first, and carry it; what is to be raised then."""
        stopped = isinstance(ended, KeyboardInterrupt | SystemExit | OverTimeError)
        path = self._closed(ledger, RunStatus.KILLED if stopped else RunStatus.FAILED)
        self._shown(self._swept(path, None))
        resume = f"cellops sweep {self.made.made.notebook.name} --resume"
        of = "" if self.made.planned is None else f" of {self.made.planned}"
        if isinstance(ended, OverTimeError):
            fact = f"The sweep took longer than {limit:g} s in all, and was stopped after {self.done}{of} trials"
            ended = SweepError(fact, remedy=f"Go on with: {resume}")
        elif stopped:
            ended.add_note(f"{self.done}{of} trials are done; go on with: {resume}")
        try:
            unsynced = self._carry()
        except (KeyboardInterrupt, SystemExit):
            unsynced = CARRY
        if unsynced is not None:
            ended.add_note(CARRY)
        return ended

    def _carried(self, ledger: Ledger, status: RunStatus) -> Swept:
        path = self._closed(ledger, status)
        try:
            return self._swept(path, self._carry())
        except (KeyboardInterrupt, SystemExit) as stopped:
            stopped.add_note("All trials are done")
            stopped.add_note(CARRY)
            raise

    def _closed(self, ledger: Ledger, status: RunStatus) -> str | None:
        """Draw the picture and end the journal."""
        path = self._written_plot()
        best = best_of(list(self._trials.values()), maximize=self.begun.maximize)
        states = [trial.state.value for trial in self._all()]
        ledger.append(
            SweepEnded(
                sweep=self.begun.sweep,
                ended=time.time(),
                status=status,
                best=best,
                states={state: states.count(state) for state in dict.fromkeys(states)},
                plot=path,
                command=command_of(self.made, self.begun, best),
            )
        )
        ledger.close()
        return path

    def _written_plot(self) -> str | None:
        """Draw what was completed, if anything was."""
        trials = [self._trials[number] for number in sorted(self._trials)]
        if not any(trial.state is TrialState.COMPLETED for trial in trials):
            return None
        self._picture = plot(self.begun, trials)
        written = [str(path) for path in (self.folder / "sweep.svg", self.output) if path and self._is_written(path)]
        return written[-1] if written else None

    def _is_written(self, path: Path) -> bool:
        """Write the picture; without it, what the trials came to is worth as much."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._picture or "", encoding="utf-8")
        except OSError as error:
            self.on_stage(f"The picture {path} cannot be written: {error.strerror or error}.")
            return False
        return True

    def _carry(self) -> str | None:
        """Wait until all is in the tracking store; why it is not, if it is not."""
        self.on_stage("Carrying the runs to MLflow")
        self._writer.ensure(self._journal)
        self._writer.wait()
        if read_progress(self._journal).done:
            return None
        result = sync(self.settings)
        if read_progress(self._journal).done:
            return None
        return "\n".join(f"{finding.seen}. {finding.remedy}" for finding in errors_of(result)) or CARRY

    def _swept(self, path: str | None, unsynced: str | None) -> Swept:
        best = best_of(list(self._trials.values()), maximize=self.begun.maximize)
        return Swept(
            begun=self.begun,
            trials=tuple(self._all()),
            best=best,
            command=command_of(self.made, self.begun, best),
            plot=path,
            picture=self._picture,
            folder=str(self.folder),
            seconds=time.time() - self._started,
            unsynced=unsynced,
        )

    def _all(self) -> list[Trial]:
        """The trials that have ended or were stopped, in the order of their numbers."""
        return sorted([*self._trials.values(), *self._stopped.values()], key=lambda trial: trial.number)

    def _shown(self, swept: Swept) -> Swept:
        self.on_result(swept)
        return swept
