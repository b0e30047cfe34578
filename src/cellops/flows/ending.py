"""The end of an execution: its runs held against the gates and carried to the store, and its reports written."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cellops.capture.journal import Journal
from cellops.errors import NotebookError
from cellops.flows.gates import Asked, figures_of, judge, runs_of
from cellops.flows.progress import OF_EXECUTIONS, read_progress
from cellops.flows.reports import Places, gather
from cellops.flows.steps import StepLog
from cellops.flows.sync import errors_of, sync
from cellops.records.cached import KeptRun
from cellops.records.execution import ExecutedNotebook
from cellops.records.gate import GateResult, GatesJudged
from cellops.records.report import ExecutionReport
from cellops.records.run import NotebookExecuted, RunStatus, RunSummary
from cellops.settings import Settings, prepare


class Kept(NamedTuple):
    """What is known of an execution once it has ended, however it did."""

    runs: tuple[RunSummary, ...] = ()
    unsynced: str | None = None
    gates: tuple[GateResult, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What has to be done once the kernels are gone, however that came."""

    identifier: str
    notebook: Path
    target: Path
    """Where the executed notebook goes."""
    asked: Asked
    places: Places
    settings: Settings
    parameters: Mapping[str, str]
    steps: StepLog
    seed: int | None
    on_stage: Callable[[str], None]
    on_report: Callable[[ExecutionReport], None] | None
    started: float = field(default_factory=time.time)
    before: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", _stamp(self.target))

    def end(self, status: RunStatus, ended: BaseException | None = None, made: ExecutedNotebook | None = None) -> Kept:
        """Judge, carry and report.

        An execution that was stopped reports first, and waits for the store behind that: who stops it, as CI does, may
        kill it some seconds later.
        """
        reused = () if made is None else made.reused_runs
        results = judge(self.identifier, self.asked, self.settings, reused) if self._is_written() else ()
        kept = Kept(tuple(RunSummary.of(run.opened, run.closed) for run in reused), gates=results)
        if status is RunStatus.KILLED:
            self._report(status, ended, reused, kept._replace(unsynced="the execution was stopped before that"))
            return self._carried(status, made, kept)
        kept = self._carried(status, made, kept)
        self._report(status, ended, reused, kept)
        return kept

    def _is_written(self) -> bool:
        return _stamp(self.target) != self.before

    def _carried(self, status: RunStatus, made: ExecutedNotebook | None, kept: Kept) -> Kept:
        """What is kept once the store has it; an execution without runs, steps and gates has nothing to be carried."""
        steps = self.steps.stopped()
        is_new = made is None or made.cells or kept.gates
        if not (self._is_written() and is_new and (kept.gates or steps or runs_of(self.identifier, self.settings))):
            return kept
        event = NotebookExecuted(
            execution=self.identifier,
            notebook=str(self.target.resolve()),
            status=status,
            store=self.settings.store,
            source=self.notebook.name,
            started=self.started,
            ended=time.time(),
            parameters=dict(self.parameters),
            steps=steps,
            seed=self.seed,
            reused_runs=tuple(run.run for run in kept.runs),
        )
        journal = _record(event, kept.gates, self.settings)
        self.on_stage("Carrying the runs to MLflow")
        unsynced = _carry(journal, self.settings)
        opened = () if unsynced is not None else _runs(self.identifier, self.settings)
        return kept._replace(runs=(*kept.runs, *opened), unsynced=unsynced)

    def _report(self, status: RunStatus, ended: BaseException | None, reused: tuple[KeptRun, ...], kept: Kept) -> None:
        executed = self.target if self._is_written() else None
        if not (self.places or self.on_report is not None) or (
            executed is None and not isinstance(ended, NotebookError)
        ):
            return
        told = gather(
            self.notebook,
            executed,
            status=status,
            started=self.started,
            ended=ended,
            gates=kept.gates,
            runs=kept.runs if kept.unsynced is None else (*kept.runs, *runs_of(self.identifier, self.settings)),
            unsynced=kept.unsynced,
            figures=figures_of(self.identifier, self.settings, reused),
            settings=self.settings,
        )
        if self.on_report is not None:
            self.on_report(told)
        _write(self.places, told, self.on_stage)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What is another one when a file has been replaced; an earlier execution may have left one of that name."""
    try:
        held = path.stat()
    except OSError:
        return None
    return held.st_ino, held.st_mtime_ns


def _write(places: Places, report: ExecutionReport, on_stage: Callable[[str], None]) -> None:
    """Write the reports; a disk that is full by now takes nothing away from what has been executed."""
    try:
        places.write(report)
    except OSError as error:
        on_stage(f"A report could not be written, {error}.")


def _record(event: NotebookExecuted, gates: tuple[GateResult, ...], settings: Settings) -> Path:
    journal = Journal(prepare(settings.folder) / "journal", f"{OF_EXECUTIONS}{event.execution}", event)
    if gates:
        journal.append(GatesJudged(execution=event.execution, results=gates, store=settings.store))
    journal.close()
    return journal.path


def _carry(journal: Path, settings: Settings) -> str | None:
    """Carry the kernel's records and the notebook over; give the reason where that has to wait."""
    result = sync(settings)
    if read_progress(journal).done:
        return None
    return "\n".join(f"{finding.seen}. {finding.remedy}" for finding in errors_of(result))


def _runs(execution: str, settings: Settings) -> tuple[RunSummary, ...]:
    from cellops.tracking.store import Store

    return tuple(Store(settings).of_execution(execution))
