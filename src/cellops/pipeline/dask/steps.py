"""Steps as tasks of a cluster of Dask, with their values in a folder that this machine and the workers reach."""

import secrets
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cellops.capture.secrets import VARIABLE
from cellops.errors import StepError
from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.dask.bundle import located
from cellops.pipeline.dask.cells import Attempt
from cellops.pipeline.dask.place import Place
from cellops.pipeline.dask.surroundings import asked_for, told_apart
from cellops.pipeline.dask.tasks import Tasks
from cellops.pipeline.dask.underway import LostError
from cellops.pipeline.dask.values import Exchange
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.stepwise.executor import WholeNotebook
from cellops.pipeline.stepwise.handing import Taken
from cellops.pipeline.values.store import ValueStore
from cellops.records.handover import HandedOver
from cellops.records.step import Step

if TYPE_CHECKING:
    from nbformat import NotebookNode


class DaskSteps:
    """Executes steps on the workers of a cluster, as many at once as it has threads where no jobs are given.

    Parameters
    ----------
    whole
        The notebook.
    target
        As `connected` takes it.
    place
        Where workers and this machine hand values and results to each other.
    folder
        Of cellops' own files in this project.
    """

    def __init__(self, whole: WholeNotebook, target: Any, place: Place, folder: Path) -> None:
        def plugin() -> Any:
            from cellops.pipeline.dask.steps_plugin import StepsPlugin

            return StepsPlugin(whole, place)

        self._whole = whole
        self._place = place
        self._folder = folder
        self._values = ValueStore(whole.values)
        self._tasks = Tasks(
            target,
            place,
            folder,
            works_in=whole.kernel.folder,
            has_secrets=any(name.startswith(VARIABLE) for name in whole.own),
            plugin=plugin,
        )
        self.jobs = whole.jobs or 1

    def __enter__(self) -> Self:
        self._tasks.__enter__()
        self.jobs = self._whole.jobs or self._tasks.threads
        return self

    def __exit__(self, *_: object) -> None:
        self._tasks.__exit__()

    def execute(
        self, step: Step, made: "NotebookNode", taken: Taken, use: KernelRun, on_again: Callable[[str], None]
    ) -> HandedOver:
        from cellops.pipeline.dask.steps_plugin import StepDone, StepOrder, executed_of

        exchange, attempt = Exchange(self._place, self._tasks.name), Attempt(made, use)
        exchange.send(dict.fromkeys(taken.values.values()), self._values)
        identifier, salt = uuid.uuid4().hex, secrets.token_bytes(32)
        order = StepOrder(
            identifier=identifier, step=step, made=made, taken=taken, places=use.places, output=use.output, salt=salt
        )

        def begin_again(reason: str) -> None:
            attempt.begin_again()
            on_again(reason)

        try:
            done = self._tasks.perform(identifier, order, use.stop, on_told=attempt.hear, on_again=begin_again)
        except LostError as error:
            fact = f"Workers of Dask were lost again and again while they executed step {step.name}"
            remedy = "Look into their logs: it may need more memory than they have"
            raise StepError(fact, remedy=remedy, step=step.name) from error
        if done is None:
            return HandedOver()
        executed = self._folder / executed_of(identifier)
        attempt.end(notebook_file.read(executed))
        executed.unlink()
        found: StepDone = done.result
        if found.failure is not None:
            raise found.failure
        exchange.bring(found.answer.values, self._values)
        answer = HandedOver.from_json(located(found.answer.to_json(), done.handed, self._folder))
        here = asked_for(made, answer.dependencies, self._whole.project, salt)
        return told_apart(answer, here, found.variables)
