"""Trials in kernels of this machine: each fresh, forked from a process that has imported what the notebook imports."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cellops.capture.header import PARAMETER_CELLS
from cellops.capture.reporting import SWEEP
from cellops.capture.secrets import variables
from cellops.errors import NotebookError, StepError
from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.clock import Clock
from cellops.pipeline.filling import fill
from cellops.pipeline.forkserver.candidates import modules_ahead
from cellops.pipeline.forkserver.forkserver import ForkServer
from cellops.pipeline.forkserver.process import ForkingProcess
from cellops.pipeline.in_kernel import in_kernel, started_ahead
from cellops.pipeline.kernel_options import KernelOptions, environment_of_kernels
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.parameters.binding import Given, bind
from cellops.pipeline.parameters.showing import bound_parameters
from cellops.pipeline.preparation import Preparation
from cellops.pipeline.redacting import redact_notebook
from cellops.pipeline.seeding import BEGIN, loads_cellops
from cellops.pipeline.spare_kernels import SpareKernels
from cellops.pipeline.sweep.measuring import Journals, measured
from cellops.records.execution import CellProgress, CellState
from cellops.records.sweep import Report, Trial, TrialOrder, TrialState

if TYPE_CHECKING:
    from cellops.pipeline.client import Client

PLACE = "sweep"
"""Where the values come from that a trial was given."""


@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    """How trials are executed, the same for all."""

    sweep: str
    """Its identifier."""
    metric: str
    journals: Path
    """The folder in which kernels keep their journals."""
    environment: Mapping[str, str]
    """What the kernels' environment has on top of this process's."""
    jobs: int | None = None
    """How many are executed at once; by default as many as the scheduler says."""
    trials: int | None = None
    """How many there are to be; None for as long as the sampler gives values."""
    seed: int | None = None
    cell_timeout: float | None = None
    trial_timeout: float | None = None


class LocalTrial:
    """A trial that a thread of this process drives."""

    def __init__(self) -> None:
        self.outcome: Future[Trial] = Future()
        self.stopping: Future[None] = Future()
        self.state: TrialState | None = None
        """What it is in since it was stopped."""
        self._deciding = threading.Lock()

    def stop(self, state: TrialState) -> None:
        with self._deciding:
            self.state = self.state or state
        with suppress(InvalidStateError):
            self.stopping.set_result(None)


class LocalTrials:
    """Executes trials, one at a time unless more jobs are asked for.

    Parameters
    ----------
    made
        The notebook, with what is fixed.
    options
        How they are executed.
    forks
        What forks their kernels, for other trials too; by default one of their own.
    early
        A process that was started for it before.
    on_cell
        Called with the number of a trial and how one of its cells stands, from the thread of that trial.
    """

    def __init__(
        self,
        made: Preparation,
        options: TrialOptions,
        forks: ForkServer | None = None,
        *,
        early: ForkingProcess | None = None,
        on_cell: Callable[[int, CellProgress], None] = lambda _, __: None,
    ) -> None:
        self._made = made
        self._options = options
        self._between = {0: BEGIN} if options.seed is not None and loads_cellops(made.source) else {}
        self._on_cell = on_cell
        self._journals = Journals(options.journals, time.time())
        self._own_forks = forks is None
        self.forks = ForkServer(modules_ahead(made.source), early) if forks is None else forks
        self.jobs = options.jobs or 1
        needed = None if options.trials is None else max(0, options.trials - self.jobs)
        self._spares = SpareKernels(self._spare, self.jobs, needed)
        self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="cellops-trial")
        # The next trial need not wait until the disk has a signature.
        self._signing = ThreadPoolExecutor(1, thread_name_prefix="cellops-sign")
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if self._own_forks:
            self._open.enter_context(self.forks)
            environment = environment_of_kernels(self._options.environment)
            self.forks.begin(self._command, environment, str(self._made.folder))
        self._open.callback(self._spares.close)
        self._open.enter_context(self._signing)
        self._open.enter_context(self._pool)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _command(self) -> list[str] | None:
        from cellops.pipeline.kernel import forking_command

        return forking_command(self._made.kernel)

    def begin(self, order: TrialOrder, on_report: Callable[[Report], None]) -> LocalTrial:
        underway = LocalTrial()
        self._pool.submit(self._work, order, on_report, underway)
        return underway

    def _work(self, order: TrialOrder, on_report: Callable[[Report], None], underway: LocalTrial) -> None:
        try:
            underway.outcome.set_result(self._execute(order, on_report, underway))
        except BaseException as error:  # noqa: BLE001 - it is raised where the outcome is looked at
            underway.outcome.set_exception(error)

    def _execute(self, order: TrialOrder, on_report: Callable[[Report], None], underway: LocalTrial) -> Trial:
        started, clock = time.time(), time.perf_counter()
        trial = Trial(
            number=order.number,
            values=order.values,
            execution=order.execution,
            started=started,
            state=TrialState.COMPLETED,
        )
        try:
            self._in_kernel(order, on_report, underway)
        except (NotebookError, StepError) as error:
            trial = trial.replace(state=TrialState.FAILED, error=error.fact)
        if underway.state is not None:
            is_over = underway.state is TrialState.FAILED
            over = f"it took longer than {self._options.trial_timeout:g} s (--trial-timeout)" if is_over else None
            trial = trial.replace(state=underway.state, error=over)
        output = order.output if Path(order.output).exists() else None
        trial = trial.replace(output=output, seconds=time.perf_counter() - clock)
        return measured(trial, self._journals, self._options.metric)

    def _in_kernel(self, order: TrialOrder, on_report: Callable[[Report], None], underway: LocalTrial) -> None:
        """Execute the notebook as `engine.execute` does, in this thread."""
        made, output = self._with(order), Path(order.output)
        filled = fill(made, bound_parameters(made.known, made.given, made.bound), output, self._options.seed)
        places = {cell.id: place for place, cell in enumerate(made.source.cells)}

        def save() -> None:
            notebook_file.write(redact_notebook(filled.notebook), output)

        def tell(event: CellProgress) -> None:
            cell = filled.notebook.cells[event.index] if event.index is not None else None
            place = None if cell is None else places.get(cell.id)
            if event.state is CellState.RUNNING and self._own_forks and self.forks.is_ready:
                self._spares.prepare()
            self._on_cell(order.number, event.replace(index=place, total=len(places)))

        with Clock(self._options.trial_timeout, underway.stopping, tell) as clock:
            use = KernelRun(
                kernel=self._kernel(made, order),
                places=places,
                output=output,
                stop=clock.ends,
                tell=clock.tell,
                save=save,
                on_report=on_report,
            )
            try:
                in_kernel(filled.notebook, use, self._between)
            finally:
                if clock.is_over:
                    underway.stop(TrialState.FAILED)
                if output.exists():
                    self._signing.submit(notebook_file.sign, output)

    def _with(self, order: TrialOrder) -> Preparation:
        """The notebook with the values of a trial beside those that are fixed."""
        made = copy(self._made)
        made.given = {**made.given, **{name: Given(value, PLACE) for name, value in order.values.items()}}
        made.bound = bind(made.known, made.given)
        return made

    def _kernel(self, made: Preparation, order: TrialOrder) -> KernelOptions:
        own = {"CELLOPS_EXECUTION": order.execution, **variables(made.bound)}
        return replace(self._kernel_of_all(own), spares=self._spares)

    def _spare(self) -> "Client":
        return started_ahead(self._kernel_of_all({}))

    def _kernel_of_all(self, own: Mapping[str, str]) -> KernelOptions:
        """With what is a kernel's own in its environment."""
        of_all = {
            **self._options.environment,
            SWEEP: self._options.sweep,
            "CELLOPS_NOTEBOOK": str(self._made.notebook),
            # One process beside all kernels carries what they record, instead of one for each of them.
            "CELLOPS_WRITER": "false",
            PARAMETER_CELLS: " ".join(self._made.known.tagged(self._made.source)),
        }
        return KernelOptions(
            name=self._made.kernel,
            folder=self._made.folder,
            environment=environment_of_kernels({**of_all, **own}),
            cell_timeout=self._options.cell_timeout,
            forkserver=self.forks,
        )


def order_of(number: int, values: Mapping[str, object], folder: Path) -> TrialOrder:
    """What a trial is to do, under a new identifier."""
    from cellops.pipeline.parameters.plain import plain

    return TrialOrder(
        number=number,
        values={name: plain(value) for name, value in values.items()},
        execution=uuid.uuid4().hex,
        output=str(folder / f"trial-{number:03d}.ipynb"),
    )
