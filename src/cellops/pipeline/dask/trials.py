"""Trials as tasks of a cluster of Dask."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any, Self

import msgspec

from cellops.capture.secrets import variables
from cellops.pipeline.dask.place import Place
from cellops.pipeline.dask.tasks import Tasks
from cellops.pipeline.dask.underway import LostError
from cellops.pipeline.preparation import Preparation
from cellops.pipeline.sweep.local import TrialOptions
from cellops.records.sweep import Report, Trial, TrialOrder, TrialState


class RemoteTrial:
    """A trial that is a task of a cluster."""

    def __init__(self) -> None:
        self.outcome: Future[Trial] = Future()
        self.stopping: Future[TrialState] = Future()
        self._deciding = threading.Lock()

    def stop(self, state: TrialState) -> None:
        with self._deciding:
            if not self.stopping.done():
                self.stopping.set_result(state)


class DaskTrials:
    """Executes trials on the workers of a cluster, as many at once as it has threads where no jobs are given.

    Parameters
    ----------
    made, options
        As `LocalTrials` takes them; the journals are those of this project.
    target
        As `connected` takes it.
    place
        Where results are handed over.
    """

    def __init__(self, made: Preparation, options: TrialOptions, target: Any, place: Place) -> None:
        def plugin() -> Any:
            from cellops.pipeline.dask.trials_plugin import TrialsPlugin

            return TrialsPlugin(made, options, place)

        self._tasks = Tasks(
            target,
            place,
            options.journals.parent,
            works_in=made.folder,
            has_secrets=bool(variables(made.bound)),
            plugin=plugin,
        )
        self._open = ExitStack()
        self._asked = options.jobs
        self.jobs = options.jobs or 1

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            opened.enter_context(self._tasks)
            self.jobs = self._asked or self._tasks.threads
            self._pool = opened.enter_context(ThreadPoolExecutor(self.jobs, "cellops-trial"))
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def begin(self, order: TrialOrder, on_report: Callable[[Report], None]) -> RemoteTrial:
        underway = RemoteTrial()
        self._pool.submit(self._work, order, on_report, underway)
        return underway

    def _work(self, order: TrialOrder, on_report: Callable[[Report], None], underway: RemoteTrial) -> None:
        try:
            underway.outcome.set_result(self._execute(order, on_report, underway))
        except BaseException as error:  # noqa: BLE001 - it is raised where the outcome is looked at
            underway.outcome.set_exception(error)

    def _execute(self, order: TrialOrder, on_report: Callable[[Report], None], underway: RemoteTrial) -> Trial:
        started = time.time()
        trial = Trial(
            number=order.number,
            values=order.values,
            execution=order.execution,
            started=started,
            state=TrialState.FAILED,
        )

        def hear(told: dict[str, Any]) -> None:
            with suppress(msgspec.ValidationError, KeyError):
                on_report(msgspec.convert(told["report"], Report))

        try:
            done = self._tasks.perform(order.execution, order, underway.stopping, on_told=hear)
        except LostError:
            error = "workers of Dask were lost again and again while they executed it"
            return trial.replace(error=error, seconds=time.time() - started)
        if done is None:
            return trial.replace(state=underway.stopping.result(), seconds=time.time() - started)
        executed: Trial = done.result
        return executed
