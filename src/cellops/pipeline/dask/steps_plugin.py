"""A worker of Dask that executes steps, each in a fresh kernel of its own machine."""

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.errors import NotebookError, StepError
from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.dask.cells import Relay
from cellops.pipeline.dask.place import HANDED, Place
from cellops.pipeline.dask.surroundings import as_there, asked_for, heeded
from cellops.pipeline.dask.tasks_plugin import TasksPlugin, recording
from cellops.pipeline.dask.values import Exchange, lend
from cellops.pipeline.forkserver.candidates import candidates
from cellops.pipeline.kernel_options import environment_of_kernels
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.redacting import redact_notebook
from cellops.pipeline.stepwise.executor import WholeNotebook
from cellops.pipeline.stepwise.handing import Taken, with_digests
from cellops.pipeline.stepwise.one_step import execute_step
from cellops.pipeline.values.store import ValueStore
from cellops.records.handover import HandedOver
from cellops.records.step import Step

if TYPE_CHECKING:
    from nbformat import NotebookNode

VALUES = Path("steps", "values")
"""Where the kernel of a step has values, below cellops' own folder: they are no files that it has read."""


@dataclass(frozen=True, kw_only=True)
class StepOrder:
    """One step to execute."""

    identifier: str
    step: Step
    made: "NotebookNode"
    """Its notebook."""
    taken: Taken
    places: Mapping[str, int]
    output: Path
    """Where the notebook goes that it is a part of; named in errors."""
    salt: bytes
    """What digests of variables are made with."""


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """What came of it."""

    answer: HandedOver
    failure: NotebookError | StepError | None
    variables: Mapping[str, str]
    """Digests of the variables of the environment that its code asks for."""


class StepsPlugin(TasksPlugin):
    """Executes steps of a notebook."""

    def __init__(self, whole: WholeNotebook, place: Place) -> None:
        super().__init__(f"cellops-steps-{whole.execution}", place, candidates(whole.source))
        self._kernel = replace(whole.kernel, environment={})  # that of another machine
        self._own = whole.own
        self._project = whole.project
        self._heeded = heeded()

    def setup(self, worker: Any) -> None:
        super().setup(worker)
        self._values = ValueStore(self.folder / "values")

    def execute(
        self, order: StepOrder, folder: Path, stop: Future[Any], tell: Callable[[dict[str, Any]], None]
    ) -> StepDone:
        exchange, values, relay = Exchange(self.place, self.name), ValueStore(folder / VALUES), Relay(order.made, tell)
        taken = tuple(dict.fromkeys(order.taken.values.values()))
        own = {**recording(folder, self._own), "CELLOPS_WRITER": "false"}
        environment = as_there(environment_of_kernels(own), self._heeded)
        use = KernelRun(
            kernel=replace(self._kernel, environment=environment, forkserver=self.forks),
            places=order.places,
            output=order.output,
            stop=stop,
            tell=relay.tell,
            save=relay.save,
        )
        answer, failure = HandedOver(), None
        try:
            exchange.bring(taken, self._values)
            lend(taken, self._values, values)
            answer = with_digests(execute_step(order.step, order.made, order.taken, values.folder, use), self._project)
            exchange.send(answer.values, values)
            lend(answer.values, values, self._values)
        except (NotebookError, StepError) as error:
            error.add_note(f"The worker {self._worker.address} of Dask has executed step {order.step.name}")
            failure = error
        shutil.rmtree(folder / VALUES, ignore_errors=True)
        notebook_file.write(redact_notebook(order.made), folder / executed_of(order.identifier))
        asked = asked_for(order.made, answer.dependencies, self._project, order.salt)
        return StepDone(answer=answer, failure=failure, variables=asked)


def executed_of(identifier: str) -> Path:
    """Where the executed notebook of a step stands, below cellops' own folder."""
    return Path(HANDED, f"{identifier}.ipynb")
