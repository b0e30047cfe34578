"""Execute the steps of a notebook, those that do not wait for each other at once."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import CellopsError, NotebookError, StepError
from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.redacting import redact_notebook
from cellops.pipeline.stepwise.executor import StepExecutor, WholeNotebook
from cellops.pipeline.stepwise.handing import Handed, Taken
from cellops.pipeline.stepwise.keeping import keep, kept_cells
from cellops.pipeline.stepwise.notebook import publish, reuse, step_notebook
from cellops.pipeline.stepwise.options import Reuse, Stepwise
from cellops.pipeline.stepwise.steps import Steps
from cellops.pipeline.worker import run_beside
from cellops.records.cached import KeptRun, KeptStep
from cellops.records.execution import CellProgress
from cellops.records.finding import Severity
from cellops.records.handover import HandedOver
from cellops.records.step import Step
from cellops.records.step_progress import StepProgress, StepState

if TYPE_CHECKING:
    from nbformat import NotebookNode

Event = CellProgress | StepProgress


class StepExecution:
    """One execution of the steps of a notebook.

    Parameters
    ----------
    source
        The notebook as the person has it.
    prepared
        The same with its given parameters and papermill's metadata; it comes to hold the executed cells.
    places
        Places of the cells in `source`, by their ids.
    output
        Where the executed notebook goes.
    kernel
        Which kernel executes each step.
    own
        What the environment of kernels has on top of that of the process that starts them.
    options
        How the steps are executed.
    """

    def __init__(
        self,
        source: "NotebookNode",
        prepared: "NotebookNode",
        places: Mapping[str, int],
        output: Path,
        *,
        kernel: KernelOptions,
        own: Mapping[str, str],
        options: Stepwise,
    ) -> None:
        self._source = source
        self._whole = prepared
        self._places = places
        self._indices = {cell.id: index for index, cell in enumerate(prepared.cells)}
        self._output = output
        self._kernel = kernel
        self._own = own
        self._options = options
        self._saving = threading.Lock()
        self._steps = Steps(source, kernel, options, None)
        self.reused_runs: list[KeptRun] = []
        """Runs of the steps that were not executed again."""

    def run(
        self,
        on_cell: Callable[[CellProgress], None],
        on_step: Callable[[StepProgress], None],
        on_stage: Callable[[str], None],
        *,
        limit: float | None = None,
    ) -> None:
        """Execute the steps, or take what was kept of them, in `limit` seconds; raises as `pipeline.engine.execute`."""
        from papermill.engines import NotebookExecutionManager

        manager = NotebookExecutionManager(self._whole, output_path=None, progress_bar=False, autosave_cell_every=0)

        def work(executor: StepExecutor, stop: Future[None], tell: Callable[[Event], None]) -> None:
            self._begin()
            manager.notebook_start()
            try:
                self._all(executor, stop, tell)
            finally:
                manager.notebook_complete()
                self._save()
                notebook_file.sign(self._output)

        for problem in self._options.graph.problems:
            if problem.severity is Severity.WARNING:
                on_stage(f"{problem.where}: {problem.seen}. {problem.remedy}.")

        if self._options.reuse is Reuse.LAST and (store := self._options.cache.store) is not None:
            on_stage(
                "What the last execution on this machine has finished is taken from here, and its files where they are "
                f"gone from {store}; with --cache instead, steps are looked for there too"
            )

        def on_event(event: Event) -> None:
            if isinstance(event, CellProgress):
                on_cell(event)
            else:
                on_step(event)

        with self._options.cache.in_use(), self._options.executors(self._asked()) as executor:
            run_beside(partial(work, executor), on_event, lambda: on_stage("Stopping the kernels"), limit=limit)

    def _asked(self) -> WholeNotebook:
        options = self._options
        return WholeNotebook(
            source=self._source,
            kernel=self._kernel,
            own=self._own,
            execution=options.execution,
            values=options.cache.values.folder,
            project=options.project,
            jobs=options.jobs,
        )

    def _begin(self) -> None:
        """Note that the notebook is executed; what is resumed in part can be resumed behind that part too."""
        options = self._options
        before = options.cache.begin(options.notebook, options.execution)
        self._steps = Steps(self._source, self._kernel, options, before)
        left = {step.name for step in options.graph.steps} - set(options.steps)
        for name in left if options.reuse is Reuse.LAST else ():
            kept = options.cache.last(options.notebook, name)
            if kept is not None and kept.execution == before:
                options.cache.renew(kept, options.notebook, options.execution)

    def _all(self, executor: StepExecutor, stop: Future[None], tell: Callable[[Event], None]) -> None:
        """Execute each step as soon as those that it waits for have ended; after a failure none is begun."""
        graph = self._options.graph
        waiting = list(self._options.steps)
        waits = {name: self._steps.waits_for(name) for name in waiting}
        failure: BaseException | None = None
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(executor.jobs, thread_name_prefix="cellops-step") as pool:
            while running or (waiting and failure is None and not stop.done()):
                ready = [name for name in waiting if waits[name] <= self._steps.handed.keys()]
                free = 0 if failure is not None or stop.done() else executor.jobs - len(running)
                for name in ready[:free]:
                    waiting.remove(name)
                    running[pool.submit(self._step, graph.step(name), executor, stop, tell)] = name
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for one in ended:
                    running.pop(one)
                    failure = failure or one.exception()
        if failure is not None:
            raise failure

    def _step(self, step: Step, executor: StepExecutor, stop: Future[None], tell: Callable[[Event], None]) -> None:
        """Take what was kept of a step, or execute it."""
        started = time.perf_counter()
        taken = self._steps.taken(step)
        looked = self._steps.look_up(step, taken)
        if looked.kept is not None:
            self._take(step, looked.kept)
            tell(StepProgress(step=step.name, state=StepState.REUSED, seconds=time.perf_counter() - started))
            return
        tell(StepProgress(step=step.name, state=StepState.RUNNING, reasons=looked.reasons))
        try:
            answer, made = self._until_done(step, taken, executor, stop, tell)
        except CellopsError:
            tell(StepProgress(step=step.name, state=StepState.FAILED, seconds=time.perf_counter() - started))
            raise
        if stop.done():
            return
        seconds = time.perf_counter() - started
        self._steps.handed[step.name] = Handed.of(answer.values, answer.trail)
        not_shared = keep(
            step,
            looked=looked,
            answer=answer,
            made=made,
            source=self._source,
            options=self._options,
            seconds=seconds,
        )
        runs = tuple(run.opened.run for run in answer.runs)
        apart = [f"{one} and {other} share memory here, and in other steps not" for one, other in answer.views]
        apart += [f"other machines will not find it: {not_shared}"] if not_shared else []
        done = StepProgress(step=step.name, state=StepState.DONE, seconds=seconds, runs=runs, reasons=tuple(apart))
        tell(done)

    def _until_done(
        self, step: Step, taken: Taken, executor: StepExecutor, stop: Future[None], tell: Callable[[Event], None]
    ) -> tuple[HandedOver, "NotebookNode"]:
        """Execute a step, and again when it fails, as often as it may."""
        tries = (step.retries or self._options.retries) + 1
        for left, pause in zip(reversed(range(tries)), self._options.pauses(), strict=False):
            try:
                return self._execute(step, taken, executor, stop, tell)
            except (NotebookError, StepError) as error:
                if not left or stop.done():
                    raise
                reason = f"{error.fact}; the next of {left} more {'try' if left == 1 else 'tries'} in {pause:g} s"
                tell(StepProgress(step=step.name, state=StepState.AGAIN, reasons=(reason,)))
                wait([stop], timeout=pause)
        raise AssertionError  # the last try returns or raises

    def _execute(
        self, step: Step, taken: Taken, executor: StepExecutor, stop: Future[None], tell: Callable[[Event], None]
    ) -> tuple[HandedOver, "NotebookNode"]:
        """Execute a step in a kernel of its own."""
        options = self._options
        made = step_notebook(step, self._source, self._whole, options.parameters_cell, tuple(taken.values))
        own = {self._source.cells[place].id for place in step.cells}

        def save() -> None:
            self._save(lambda: publish(made, step, self._source, self._whole))

        def tell_own(event: CellProgress) -> None:
            if event.index is not None and (cell := made.cells[event.index].id) in own:
                tell(event.replace(index=self._indices[cell], step=step.name))

        def tell_again(reason: str) -> None:
            tell(StepProgress(step=step.name, state=StepState.AGAIN, reasons=(reason,)))

        use = KernelRun(
            kernel=self._kernel, places=self._places, output=self._output, stop=stop, tell=tell_own, save=save
        )
        return executor.execute(step, made, taken, use, tell_again), made

    def _take(self, step: Step, kept: KeptStep) -> None:
        cells = kept_cells(kept, self._options)
        self._save(lambda: reuse(cells, step, self._source, self._whole, kept.execution))
        self._steps.handed[step.name] = Handed.of(kept.values, cells.trail)
        self.reused_runs += kept.runs
        self._options.cache.renew(kept, self._options.notebook, self._options.execution)

    def _save(self, change: Callable[[], None] = lambda: None) -> None:
        """Write the whole notebook, after a change to it: steps that are executed at once save by turns."""
        with self._saving:
            change()
            notebook_file.write(redact_notebook(self._whole), self._output)
