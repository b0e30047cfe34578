"""Execute the steps of a notebook, those that do not wait for each other at once."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, InvalidStateError, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.files.watcher import completed
from cellops.capture.temporary import temporary_folder
from cellops.errors import CellopsError, NotebookError, StepError
from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.in_kernel import in_kernel
from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.redacting import redact_notebook
from cellops.pipeline.stepwise.kernel_side import BEGIN, HAND_OVER, TAKE_OVER
from cellops.pipeline.stepwise.lookup import Looked, look_up
from cellops.pipeline.stepwise.notebook import publish, reuse, step_notebook
from cellops.pipeline.stepwise.options import Stepwise
from cellops.pipeline.worker import run_beside
from cellops.records.cached import KeptRun, KeptStep
from cellops.records.execution import CellProgress
from cellops.records.finding import Severity
from cellops.records.handover import HandedOver, Handover
from cellops.records.step import Step
from cellops.records.step_progress import StepProgress, StepState
from cellops.records.stored import StoredValue

if TYPE_CHECKING:
    from nbformat import NotebookNode

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a step that failed is executed again; each pause is twice the one before."""

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
        options: Stepwise,
    ) -> None:
        self._source = source
        self._whole = prepared
        self._places = places
        self._indices = {cell.id: index for index, cell in enumerate(prepared.cells)}
        self._output = output
        self._kernel = kernel
        self._options = options
        self._saving = threading.Lock()
        self._values: dict[str, dict[str, StoredValue]] = {}
        """What each step has handed on, by name."""
        self._last_execution: str | None = None
        self.reused_runs: list[KeptRun] = []
        """Runs of the steps that were not executed again."""

    def run(
        self,
        on_cell: Callable[[CellProgress], None],
        on_step: Callable[[StepProgress], None],
        on_stage: Callable[[str], None],
    ) -> None:
        """Execute the steps, or take what was kept of them; raises as `pipeline.engine.execute` does."""
        from papermill.engines import NotebookExecutionManager

        manager = NotebookExecutionManager(self._whole, output_path=None, progress_bar=False, autosave_cell_every=0)

        def work(stop: Future[None], tell: Callable[[Event], None]) -> None:
            self._last_execution = self._options.cache.begin(self._options.notebook, self._options.execution)
            manager.notebook_start()
            try:
                self._all(stop, tell)
            finally:
                manager.notebook_complete()
                self._save()
                notebook_file.sign(self._output)

        for problem in self._options.graph.problems:
            if problem.severity is Severity.WARNING:
                on_stage(f"{problem.where}: {problem.seen}. {problem.remedy}")

        def on_event(event: Event) -> None:
            if isinstance(event, CellProgress):
                on_cell(event)
            else:
                on_step(event)

        run_beside(work, on_event, lambda: on_stage("Stopping the kernels"))

    def explain(self) -> Iterator[StepProgress]:
        """Say of each step whether it would be executed, and why; nothing is executed."""
        self._last_execution = self._options.cache.last_execution(self._options.notebook)
        for name in self._options.steps:
            step = self._options.graph.step(name)
            executed = [p for p in self._waits_for(name) if p not in self._values]
            if executed:
                why = f"it waits for {', '.join(sorted(executed))}, which would be executed"
                yield StepProgress(step=name, state=StepState.RUNNING, reasons=(why,))
                continue
            looked = self._look_up(step, self._handed(step))
            if looked.kept is None:
                yield StepProgress(step=name, state=StepState.RUNNING, reasons=looked.reasons)
            else:
                self._values[name] = _by_name(looked.kept.values)
                yield StepProgress(step=name, state=StepState.REUSED)

    def _waits_for(self, name: str) -> set[str]:
        return {edge.producer for edge in self._options.graph.edges if edge.consumer == name}

    def _handed(self, step: Step) -> dict[str, StoredValue]:
        """What other steps have handed on of what a step takes."""
        found = {name: self._value(step, name) for name in step.inputs}
        return {name: value for name, value in found.items() if value is not None}

    def _look_up(self, step: Step, handed: Mapping[str, StoredValue]) -> Looked:
        return look_up(
            step,
            self._source,
            handed,
            self._options,
            kernel=self._kernel.name,
            folder=self._kernel.folder,
            last_execution=self._last_execution,
        )

    def _all(self, stop: Future[None], tell: Callable[[Event], None]) -> None:
        """Execute each step as soon as those that it waits for have ended; after a failure none is begun."""
        graph = self._options.graph
        waiting = list(self._options.steps)
        waits = {name: self._waits_for(name) for name in waiting}
        failure: BaseException | None = None
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(self._options.jobs, thread_name_prefix="cellops-step") as pool:
            while running or (waiting and failure is None and not stop.done()):
                ready = [name for name in waiting if waits[name] <= self._values.keys()]
                free = 0 if failure is not None or stop.done() else self._options.jobs - len(running)
                for name in ready[:free]:
                    waiting.remove(name)
                    running[pool.submit(self._step, graph.step(name), stop, tell)] = name
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for one in ended:
                    running.pop(one)
                    failure = failure or one.exception()
        if failure is not None:
            raise failure

    def _step(self, step: Step, stop: Future[None], tell: Callable[[Event], None]) -> None:
        """Take what was kept of a step, or execute it."""
        started = time.perf_counter()
        handed = self._handed(step)
        looked = self._look_up(step, handed)
        if looked.kept is not None:
            self._take(step, looked.kept)
            tell(StepProgress(step=step.name, state=StepState.REUSED, seconds=time.perf_counter() - started))
            return
        tell(StepProgress(step=step.name, state=StepState.RUNNING, reasons=looked.reasons))
        try:
            answer, made = self._until_done(step, handed, stop, tell)
        except CellopsError:
            tell(StepProgress(step=step.name, state=StepState.FAILED, seconds=time.perf_counter() - started))
            raise
        if stop.done():
            return
        seconds = time.perf_counter() - started
        self._keep(step, looked, answer, made, seconds)
        runs = tuple(run.opened.run for run in answer.runs)
        apart = [f"{one} and {other} share memory here, and in other steps not" for one, other in answer.views]
        done = StepProgress(step=step.name, state=StepState.DONE, seconds=seconds, runs=runs, reasons=tuple(apart))
        tell(done)

    def _value(self, step: Step, name: str) -> StoredValue | None:
        """What the step that another one takes a name from has handed on under it."""
        producers = [e.producer for e in self._options.graph.edges if e.consumer == step.name and name in e.names]
        return self._values[producers[0]].get(name) if producers else None

    def _until_done(
        self, step: Step, handed: Mapping[str, StoredValue], stop: Future[None], tell: Callable[[Event], None]
    ) -> tuple[HandedOver, "NotebookNode"]:
        """Execute a step, and again when it fails, as often as it may."""
        pause = FIRST_PAUSE
        for left in reversed(range((step.retries or self._options.retries) + 1)):
            try:
                return self._execute(step, handed, stop, tell)
            except (NotebookError, StepError) as error:
                if not left or stop.done():
                    raise
                reason = f"{error.fact}; {left} more {'try' if left == 1 else 'tries'}"
                tell(StepProgress(step=step.name, state=StepState.AGAIN, reasons=(reason,)))
                wait([stop], timeout=pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        raise AssertionError  # the last try returns or raises

    def _execute(
        self, step: Step, handed: Mapping[str, StoredValue], stop: Future[None], tell: Callable[[Event], None]
    ) -> tuple[HandedOver, "NotebookNode"]:
        """Execute a step in a kernel of its own."""
        made = step_notebook(step, self._source, self._whole, self._options.parameters_cell)
        own = {self._source.cells[place].id for place in step.cells}

        def save() -> None:
            self._save(lambda: publish(made, step, self._source, self._whole))

        def tell_own(event: CellProgress) -> None:
            if event.index is not None and (cell := made.cells[event.index].id) in own:
                tell(event.replace(index=self._indices[cell]))

        with temporary_folder() as folder, _ending_after(step.timeout, stop) as ends:
            answer = folder / "answer.json"
            order = folder / "order.json"
            order.write_bytes(self._handover(step, handed, answer).to_json())
            ended = in_kernel(
                made,
                self._places,
                self._output,
                stop=ends,
                tell=tell_own,
                save=save,
                kernel=self._kernel,
                between=_between(made, own, str(order)),
            )
            if stop.done():
                return HandedOver(), made
            if ends.done() and not ends.cancelled():  # the client cancels it when it leaves
                fact = f"Step {step.name} took longer than {step.timeout:g} s"
                raise StepError(fact, remedy="Give it more time (--timeout), or less to do", step=step.name)
            if not ended:
                fact = f"Step {step.name} called sys.exit(), which in a kernel of its own ends only the step"
                remedy = "Execute the notebook in one kernel, or let the steps below ask if there is something to do"
                raise StepError(fact, remedy=remedy, step=step.name)
            found = HandedOver.from_file(answer)
        if found.problem:
            fact = f"Step {step.name}: {found.problem}"
            raise StepError(fact, remedy=found.remedy, step=step.name)
        return found, made

    def _handover(self, step: Step, handed: Mapping[str, StoredValue], answer: Path) -> Handover:
        return Handover(
            store=str(self._options.cache.values.folder),
            values=tuple(dict.fromkeys(handed.values())),
            names=tuple(handed),
            outputs=step.outputs,
            answer=str(answer),
        )

    def _take(self, step: Step, kept: KeptStep) -> None:
        cells = json.loads(self._options.cache.cells.path(kept.cells, ".json").read_bytes())
        self._save(lambda: reuse(cells, step, self._source, self._whole, kept.execution))
        self._values[step.name] = _by_name(kept.values)
        self.reused_runs += kept.runs
        self._options.cache.renew(kept, self._options.notebook, self._options.execution)

    def _keep(self, step: Step, looked: Looked, answer: HandedOver, made: "NotebookNode", seconds: float) -> None:
        self._values[step.name] = _by_name(answer.values)
        if answer.dependencies is None:
            return
        own = {self._source.cells[place].id for place in step.cells}
        clean = [cell for cell in redact_notebook(made).cells if cell.id in own]
        cells = [{"outputs": cell.get("outputs", []), "execution_count": cell.get("execution_count")} for cell in clean]
        files = tuple(completed(use, self._options.project) for use in answer.dependencies.files)
        entry = KeptStep(
            step=step.name,
            notebook=self._options.notebook,
            execution=self._options.execution,
            key=looked.key,
            dependencies=answer.dependencies.replace(files=files),
            values=answer.values,
            runs=answer.runs,
            cells=self._options.cache.cells.keep(json.dumps(cells).encode(), ".json").stem,
            places=looked.places,
            ended=time.time(),
            seconds=seconds,
        )
        self._options.cache.keep(entry)

    def _save(self, change: Callable[[], None] = lambda: None) -> None:
        """Write the whole notebook, after a change to it: steps that are executed at once save by turns."""
        with self._saving:
            change()
            notebook_file.write(redact_notebook(self._whole), self._output)


def _between(made: "NotebookNode", own: set[str], order: str) -> dict[int, str]:
    """What the kernel does between cells: values are taken over behind shared cells and definitions."""
    first = next(index for index, cell in enumerate(made.cells) if cell.id in own)
    taken = TAKE_OVER.format(order=order)
    begun = {0: BEGIN, first: taken} if first else {0: BEGIN + taken}
    return {**begun, len(made.cells): HAND_OVER.format(order=order)}


def _by_name(values: tuple[StoredValue, ...]) -> dict[str, StoredValue]:
    return {name: value for value in values for name in value.names}


@contextlib.contextmanager
def _ending_after(seconds: float | None, stop: Future[None]) -> Iterator[Future[None]]:
    """A signal to stop that is given when `stop` is, or when the time is over."""
    ends: Future[None] = Future()

    def end(_stopped: object = None) -> None:
        with contextlib.suppress(InvalidStateError):
            ends.set_result(None)

    stop.add_done_callback(end)
    timer = threading.Timer(seconds, end) if seconds is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield ends
    finally:
        if timer is not None:
            timer.cancel()
