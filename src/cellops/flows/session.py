"""A notebook session: cells become records, run cells become runs, and the journal has both before anyone else."""

import os
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from cellops.capture import header, reporting
from cellops.capture.blobs import Blobs
from cellops.capture.cell import CellCapture
from cellops.capture.counting import Counting
from cellops.capture.environment.modules import Modules
from cellops.capture.files.watcher import Files
from cellops.capture.names.bindings import Bindings
from cellops.capture.names.hidden_state import History
from cellops.capture.names.taking import above, taking, with_above
from cellops.capture.randomness import rng
from cellops.capture.randomness.restoring import restore
from cellops.capture.randomness.seeding import brings_torch
from cellops.capture.randomness.watcher import Generators
from cellops.capture.redaction import redact
from cellops.capture.results.origins import Origins
from cellops.capture.results.splits import Made, Splits
from cellops.capture.watcher import OpenCell
from cellops.errors import UsageError
from cellops.flows import evidence, writer
from cellops.flows.faults import fault
from cellops.flows.observer import Observer
from cellops.flows.open_run import OpenRun, RunOptions, default_name, run_opened
from cellops.flows.run_list import RunList
from cellops.flows.session_journal import SessionJournal
from cellops.flows.session_place import guarding, notebook_path, restoring, session_opened, working_folder
from cellops.flows.watchers import watchers
from cellops.records.base import Record
from cellops.records.cell import CellRecord, Outcome
from cellops.records.contract import Suite
from cellops.records.file import FilesPinned
from cellops.records.finding import Finding
from cellops.records.handover import TAKEN_OVER, Handover
from cellops.records.module import ModuleSource
from cellops.records.notebook import NotebookShown
from cellops.records.proof import Proof
from cellops.records.run import (
    RunClosed,
    RunStatus,
    RunSummary,
    SessionClosed,
)
from cellops.records.step_trail import StepTrail
from cellops.records.sweep import Report
from cellops.settings import Settings

STATUS = {Outcome.OK: RunStatus.FINISHED, Outcome.ERROR: RunStatus.FAILED, Outcome.INTERRUPTED: RunStatus.KILLED}


class Session:
    """What `%load_ext cellops` opens; the hooks report to it."""

    def __init__(
        self,
        settings: Settings,
        namespace: MutableMapping[str, Any],
        *,
        parse: Callable[[str], RunOptions],
        observer: Observer,
        handover: Handover | None = None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.settings = settings
        self.notebook = notebook_path(namespace)
        self.started = time.time()
        self.trail: list[CellRecord] = []
        self.faults: list[Finding] = []
        self.suites: dict[str, Suite] = {}
        self._parameter_cells = os.environ.get(header.PARAMETER_CELLS, "").split()
        self._capture: CellCapture | None = None
        self._namespace = namespace
        self._parse = parse
        self._observer = observer
        self._list = RunList(observer)
        self._handover = handover or Handover()
        """What the kernel of a step takes over from others."""
        self.parameters = dict(self._handover.trail.parameters)
        self._open: dict[str, OpenRun] = {}
        self._writer = writer.Handle(settings)
        self._generators = Generators(Blobs(settings.folder / "states"))
        self._modules = Modules(settings.project, Blobs(settings.folder / "sources"))
        self._splits = Splits()
        self._restoring = restoring()
        self._files = Files(settings.project, settings.folder, at_once=self._restoring is not None)
        self._origins = Origins(namespace, settings.project)
        self._history = History(self.notebook)
        self._working_folder = working_folder(settings.project)
        self._guard = guarding(self._restoring)
        self.journal = SessionJournal(
            settings, session_opened(self.id, settings, self.notebook, self.started), self._held, observer.warn
        )

    def _held(self) -> list[Record]:
        """What stands in memory of the journal's events."""
        return [*(run.opened for run in self._open.values()), *self._handover.trail.cells, *self.trail]

    def attach(self, shell: Any, *, accepts: Callable[[str, str], bool]) -> None:
        """Begin to capture the cells of an IPython shell; `accepts` says of a verb and its arguments if they hold."""
        self._capture = CellCapture(
            shell,
            self.id,
            self,
            accepts=accepts,
            watchers=watchers(
                self._files,
                self._generators,
                self._modules,
                self._splits,
                settings=self.settings,
                restoring=self._restoring,
            ),
            on_fault=self.fault,
            above=len(self._handover.trail.cells),
        )
        self._capture.start()
        if self._restoring is not None:
            Counting(shell, self._restoring.following).start()

    @property
    def runs(self) -> list[RunSummary]:
        """The runs of this session, as they stand."""
        return self._list.runs

    def modules(self) -> tuple[ModuleSource, ...]:
        """The modules of the project that the kernel has imported."""
        return self._modules.keep()

    def overheads(self) -> list[float]:
        """What each captured cell paid, in seconds."""
        return [] if self._capture is None else self._capture.overheads

    def close(self) -> None:
        """End the session; waits for nobody."""
        if self._capture is not None:
            self._capture.stop()
        try:
            self._write_pins()
            self.journal.write(SessionClosed(session=self.id, ended=time.time()))
        finally:
            self.journal.close()

    def fault(self, error: BaseException) -> None:
        """Remember a fault of ours as a finding; `%mlops status` shows it."""
        self.faults.append(fault(error, "session" if self._capture is None else self._capture.where))

    def cell_opened(self, cell: OpenCell) -> None:
        if self._restoring is not None and (states := self._restoring.states.get(cell.id or "")) is not None:
            restore(states)
        if cell.header is None or cell.header.verb != "run":
            return
        try:
            self._open_run(cell, self._parse(cell.header.arguments))
        except BaseException as error:
            self._observer.warn(f"The record of this run is not complete: {type(error).__name__}: {redact(str(error))}")
            raise

    def _open_run(self, cell: OpenCell, options: RunOptions) -> None:
        opened = run_opened(
            options,
            session=self.id,
            name=default_name(self.notebook, len(self.runs) + 1),
            order=cell.order,
            notebook=self.notebook,
            parameters=self.parameters | evidence.declared(cell.flow),
            step=cell.step or self._handover.step,
        )
        if options.seed is not None:
            rng.seed_all(options.seed, with_torch=brings_torch(cell.flow))
            self._generators.seeded_all()
        cell.run = opened.run
        try:
            self.journal.write(opened)
        finally:
            before = Bindings(cell.flow, self._namespace)
            self._open[opened.run] = OpenRun(opened, options, self.settings, before, self._modules)
            self._history.notebook.prepare()
            self._writer.ensure(self.journal.path)
            self._list.announce(RunSummary.of(opened))

    def cell_closed(self, cell: OpenCell, record: CellRecord) -> None:
        record = record.replace(notebook=self.notebook)
        if record.cell_id == TAKEN_OVER:
            record = taking(record, self._handover, self._namespace)
        self.trail.append(record)
        run = self._open.pop(record.run, None) if record.run is not None else None
        self._remember(cell, record, run)
        try:
            self.journal.write(record)
            self._write_pins()
            if self._guard is not None:
                self._guard.tell()
            is_parameters = record.verb == "parameters" or record.cell_id in self._parameter_cells
            if is_parameters and record.outcome is Outcome.OK:
                self.parameters = evidence.with_parameters(self.parameters, cell.flow, self._namespace)
        finally:
            if run is not None:
                closed = self._close_run(run, cell, record)
                self.trail[-1] = record = record.replace(findings=closed.findings)
            self._observer.cell(record)

    def _write_pins(self) -> None:
        """Tell the journal of files that have been hashed meanwhile."""
        pinned = self._files.newly_pinned()
        if pinned:
            self.journal.write(FilesPinned(session=self.id, files=pinned))

    def _remember(self, cell: OpenCell, record: CellRecord, run: OpenRun | None) -> None:
        """Read the cell into the history, from which the slices of runs are found."""
        try:
            seeded = run is not None and run.opened.seed is not None
            self._history.add(record, seeded=seeded, above=above(self._handover) if record.taken else None)
        except Exception as error:  # noqa: BLE001 - a fault of ours is a finding
            self.fault(error)
        try:
            self._origins.learn(cell.flow, record)
        except Exception as error:  # noqa: BLE001 - as above
            self.fault(error)

    def trail_of(self, names: Iterable[str]) -> StepTrail:
        """The cells on which some names depend, those of other kernels among them."""
        found = self._history.of_names(names)
        cells = tuple(r for r in (*self._handover.trail.cells, *self.trail) if r.order in found.cells)
        taken = self._handover.trail.modules if any(record.taken for record in cells) else ()
        modules = tuple(dict.fromkeys((*taken, *self.modules())))
        return StepTrail(
            session=self.id, cells=cells, modules=modules, parameters=self.parameters, widened=found.widened
        )

    def report(self, values: Mapping[str, float], step: int | None) -> bool:
        """Keep how metrics of the run stand whose cell is executed; say whether there is one."""
        run = next(reversed(self._open.values()), None)
        if run is None:
            return False
        told = run.report(values, step)
        self.journal.write(told)
        reporting.send(Report(step=told.step, values=told.values))
        return True

    def divided(self, made: Made) -> None:
        """Keep with the cell that is executed how it divided rows."""
        self._splits.keep(made)

    def notebook_shown(self, shown: NotebookShown) -> None:
        """A page has told how the notebook stands on it, saved or not."""
        self._history.notebook.show(shown)

    def hidden_state(self) -> list[Finding]:
        """What stands in this kernel and no longer in the notebook."""
        return self._history.now()

    def _close_run(self, run: OpenRun, cell: OpenCell, record: CellRecord) -> RunClosed:
        closed = RunClosed(
            run=run.opened.run,
            status=STATUS[record.outcome],
            ended=record.started + record.duration,
            folder=self._working_folder,
            parameters=self.parameters,
            findings=record.findings,
        )
        try:
            suites = list(self.suites.values())
            trail = (*self._handover.trail.cells, *self.trail)
            closed = evidence.with_slice(closed, run, record, self._history, trail)
            closed = evidence.with_files(closed, run, record, self._files, trail)
            closed = evidence.gather(
                closed,
                run,
                cell,
                record,
                namespace=self._namespace,
                settings=self.settings,
                suites=suites,
                origin=self._origins.of,
            )
            closed = with_above(run.with_reports(closed), self._handover)
        finally:
            self._keep_run(run, closed)
        return closed

    def _keep_run(self, run: OpenRun, closed: RunClosed) -> None:
        try:
            self.journal.write(closed)
        except OSError as error:
            self.fault(error)
            self._observer.warn(
                f"The record of run {run.opened.name} could not be written: {error}. "
                "It is kept in memory and written with the next cell; free some space on the disk"
            )
        self._list.announce(RunSummary.of(run.opened, closed))

    def proven(self, proof: Proof) -> None:
        """A run has been executed again; one of this session shows its proof."""
        self._list.proven(proof)


def without_header(lines: list[str], accepts: Callable[[str, str], bool]) -> list[str]:
    """The lines of a cell without its header: what a session that captures nothing makes of it."""
    return header.strip(lines, accepts)


def require(session: "Session | None") -> "Session":
    """The session, or an error that says how to open one."""
    if session is None:
        fact = "cellops captures nothing in this kernel"
        raise UsageError(fact, remedy="Run: %load_ext cellops")
    return session
