"""Carries one journal to a tracking store: everything once, in order, from where the last writer stopped."""

import contextlib
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.files.watcher import completed
from cellops.capture.journal import path_of, read
from cellops.capture.lease import is_alive
from cellops.errors import RefusedError, TrackingError
from cellops.flows.answered_rows import with_importance
from cellops.flows.progress import Progress, locked, on_disk, read_progress, write_progress
from cellops.flows.trial_models import TrialModels, delete, trials_of
from cellops.records.cell import CellRecord
from cellops.records.finding import Finding, Severity
from cellops.records.gate import GatesJudged
from cellops.records.proof import Proof
from cellops.records.run import (
    NotebookExecuted,
    RunClosed,
    RunOpened,
    RunReported,
    RunStatus,
    SessionClosed,
    SessionOpened,
)
from cellops.records.sweep import SweepBegun, SweepEnded, Trial, TrialEnded

if TYPE_CHECKING:
    from cellops.tracking.store import Store


class Carrier:
    """Carries the events of one journal, and remembers how far it came after each.

    Only who holds the journal's lock may call it.
    """

    def __init__(self, journal: Path, store: "Store") -> None:
        self._journal = journal
        self._store = store
        self._seen_alive = 0.0
        self._tried_again = False
        self._models: TrialModels | None = None
        self.progress = Progress()
        self.findings: list[Finding] = []
        """What the store did not take."""
        self.killed = 0
        """Runs whose kernel was gone before they ended."""

    def carry(self) -> Progress:
        """Carry what stands in the journal; once the session has ended, end the runs that it left open as killed.

        Raises
        ------
        TrackingError
            When the store does not answer, or the disk refuses; what was carried until then is remembered.
        """
        with on_disk(self._journal):
            self._carry_on()
        return self.progress

    def _carry_on(self) -> None:
        self.progress = self._read_progress()
        size = self._journal.stat().st_size
        alive = is_alive(self._journal)
        if alive:
            self._seen_alive = time.time()
        self._try_again()
        ended = False
        for event, offset in read(self._journal, self.progress.offset):
            self._carry(event)
            ended = ended or isinstance(event, SessionClosed)
            self._remember(self.progress.replace(offset=offset))
        if ended or not alive:
            for run in self.progress.open:
                self._kill(run)
            self._kill_sweep()
            done = not self.progress.waiting
            self._remember(self.progress.replace(done=done, size=max(size, self.progress.offset)))

    def _try_again(self) -> None:
        """Close those runs again of which a model waits, and settle those of a sweep, once for each carrier."""
        if self._tried_again or not self.progress.waiting:
            return
        self._tried_again = True
        last: SweepEnded | None = None
        for event, _ in read(self._journal):
            if isinstance(event, RunClosed) and event.run in self.progress.waiting:
                self._close(event)
            last = event if isinstance(event, SweepEnded) and event.sweep in self.progress.waiting else last
        if last is not None:
            self._end_sweep(last)

    def _read_progress(self) -> Progress:
        """How far the journal has been carried to this store; what went to another one does not count."""
        held = read_progress(self._journal)
        store = self._store.settings.store
        return held if held.store in {store, None} else Progress(store=store)

    def _carry(self, event: object) -> None:
        match event:
            case RunOpened():
                self._open(event)
            case RunClosed():
                self._close(event)
            case RunReported(run=run) if run in self.progress.runs:
                self._store.report(self.progress.runs[run], event)
            case SweepBegun():
                with self._refusable(f"sweep {event.name}"):
                    runs = {**self.progress.runs, event.sweep: self._store.open_sweep(event)}
                    self._remember(self.progress.replace(runs=runs))
            case TrialEnded():
                self._keep_trial(event)
            case SweepEnded():
                self._end_sweep(event)
            case NotebookExecuted():
                self._store.keep_notebook(event)
            case GatesJudged():
                self._store.keep_gates(event)
            case Proof():
                self._store.keep_proof(event)
            case _:
                pass

    def _open(self, event: RunOpened, *findings: Finding) -> None:
        try:
            run_id = self._store.open_run(event, findings)
        except RefusedError as error:
            self.findings.append(_refused(event, error))
            self._remember(self.progress.replace(kept=(*self.progress.kept, event.run)))
            return
        runs = {**self.progress.runs, event.run: run_id}
        self._remember(self.progress.replace(runs=runs, open=(*self.progress.open, event.run)))

    def _close(self, event: RunClosed) -> None:
        if event.run not in (*self.progress.runs, *self.progress.kept):
            self._open(*self._unread(event))
        if event.run not in self.progress.runs:
            return
        if self._is_of_a_sweep:
            if event.models:
                self._store.prepare_models()
            event = event.replace(models=())  # those of the best trial are kept when the sweep ends
        files = tuple(completed(file, self._store.settings.project) for file in event.files)
        event = with_importance(event.replace(files=files), self._store.settings)
        closed = self._store.close_run(self.progress.runs[event.run], event, self._trail(event.run))
        for model in event.models:
            if model.name in closed.models:
                delete(Path(model.path))
        for figure in event.figures if not closed.findings else ():
            if self._store.settings.holds(figure.path):
                delete(Path(figure.path))
        self.findings += closed.findings
        lost = [finding for finding in closed.findings if finding.code != "model-waits"]
        kept = (*self.progress.kept, event.run) if lost else self.progress.kept
        still = tuple(run for run in self.progress.open if run != event.run)
        waiting = {*self.progress.waiting} - {event.run} | ({event.run} if closed.waits else set())
        self._remember(self.progress.replace(open=still, kept=kept, waiting=tuple(sorted(waiting))))

    def _kill(self, run: str) -> None:
        opened = next(e for e, _ in read(self._journal) if isinstance(e, RunOpened) and e.run == run)
        self._close(killed(opened, self._journal, self._seen_alive))
        self.killed += 1

    def _unread(self, event: RunClosed) -> tuple[RunOpened, Finding]:
        """What can be said of the opening of a run whose line in the journal cannot be read."""
        cell = next((e for e, _ in read(self._journal) if isinstance(e, CellRecord) and e.run == event.run), None)
        opened = RunOpened(
            run=event.run,
            session=cell.session if cell else "",
            name=event.run[:8],
            started=cell.started if cell else event.ended,
            order=cell.order if cell else 0,
        )
        return opened, Finding(
            code="opening-not-read",
            severity=Severity.WARNING,
            where=f"run {event.run[:8]}",
            seen=f"a line of {self._journal.name} cannot be read, and with it the run's name, experiment and seed",
            remedy="What the run left when it ended is complete",
        )

    def _keep_trial(self, ended: TrialEnded) -> None:
        """Carry what the kernels of a trial have recorded, and put their runs below that of the sweep."""
        runs: list[str] = []
        for session in ended.trial.sessions:
            path = path_of(self._journal.parent, session)
            if path.exists():
                with locked(path):
                    carrier = Carrier(path, self._store)
                    runs += carrier.carry().runs.values()
                self.findings += carrier.findings
        begun, sweep = self._sweep(), self.progress.runs.get(ended.sweep)
        if begun is not None and sweep is not None:
            with self._refusable(f"trial {ended.trial.number} of {begun.name}"):
                self._store.keep_trial(sweep, begun, ended.trial, runs)
                self._models_of(begun).trial_ended(ended.trial)

    def _end_sweep(self, ended: SweepEnded) -> None:
        begun, sweep = self._sweep(), self.progress.runs.get(ended.sweep)
        if begun is not None and sweep is not None:
            trials: dict[int, Trial] = {trial.number: trial for trial in trials_of(self._journal)}
            with self._refusable(f"sweep {begun.name}"):
                self._settle_models(begun)
                self._store.end_sweep(sweep, begun, ended, [trials[number] for number in sorted(trials)])

    def _settle_models(self, begun: SweepBegun) -> None:
        models = self._models_of(begun)
        models.sweep_ended()
        self.findings += models.findings
        models.findings.clear()
        waiting = {*self.progress.waiting} - {begun.sweep} | ({begun.sweep} if models.waits else set())
        self._remember(self.progress.replace(waiting=tuple(sorted(waiting))))

    def _models_of(self, begun: SweepBegun) -> TrialModels:
        if self._models is None:
            self._models = TrialModels(begun, self._journal, self._store)
        return self._models

    def _kill_sweep(self) -> None:
        """End the run of a sweep that was killed; its models wait for the end of the one that goes on with it."""
        begun = self._sweep()
        sweep = None if begun is None else self.progress.runs.get(begun.sweep)
        last = None
        for event, _ in read(self._journal) if sweep is not None else ():
            last = event
        if sweep is not None and not isinstance(last, SweepEnded):
            with self._refusable(f"sweep {sweep[:8]}"):
                self._store.kill_sweep(sweep, self._journal.stat().st_mtime)

    @contextlib.contextmanager
    def _refusable(self, where: str) -> Iterator[None]:
        """Note what the store refuses of a sweep, as of a run that somebody has deleted, and go on."""
        try:
            yield
        except RefusedError as error:
            found = Finding(
                code="sweep-refused", severity=Severity.ERROR, where=where, seen=error.fact, remedy=error.remedy
            )
            self.findings.append(found)

    @cached_property
    def _is_of_a_sweep(self) -> bool:
        """Whether the journal is that of a kernel that has served a sweep."""
        first = next((event for event, _ in read(self._journal)), None)
        return isinstance(first, SessionOpened) and first.sweep is not None

    def _sweep(self) -> SweepBegun | None:
        first = next((event for event, _ in read(self._journal)), None)
        return first if isinstance(first, SweepBegun) else None

    def _trail(self, run: str) -> Iterator[CellRecord]:
        """The cells of the session up to and with the run's own."""
        for event, _ in read(self._journal):
            if isinstance(event, CellRecord):
                yield event
                if event.run == run:
                    return

    def _remember(self, progress: Progress) -> None:
        self.progress = progress.replace(store=self._store.settings.store)
        write_progress(self._journal, self.progress)


def killed(opened: RunOpened, journal: Path, seen_alive: float = 0.0) -> RunClosed:
    """The end of a run whose kernel has gone before its cell ended: what was known when it began."""
    ended = max(journal.stat().st_mtime, seen_alive, opened.started)
    lived = round(ended - opened.started, 1)
    last = f"; last seen alive after {lived} s" if lived else ""
    finding = Finding(
        code="kernel-gone",
        severity=Severity.WARNING,
        where=f"run {opened.name}",
        seen=f"its kernel was gone before its cell had ended{last}",
        remedy="Run the cell again",
    )
    return RunClosed(
        run=opened.run,
        status=RunStatus.KILLED,
        ended=ended,
        parameters=opened.parameters,
        findings=(finding,),
    )


def _refused(event: RunOpened, error: TrackingError) -> Finding:
    where = f"run {event.name} ({event.run[:8]})"
    return Finding(code="run-refused", severity=Severity.ERROR, where=where, seen=error.fact, remedy=error.remedy)
