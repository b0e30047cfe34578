"""One task of a cluster of Dask that is waited for: what it tells, and what becomes of its worker."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from cellops.capture.redaction import redact
from cellops.errors import ClusterError

if TYPE_CHECKING:
    from cellops.pipeline.dask.tasks_plugin import Done

STOPPING = 30.0
"""Seconds that a worker has to stop a task, before nobody waits for it any more."""
LOOKING = 3.0
"""Seconds without news behind which the scheduler is asked for its workers."""
WITHOUT_WORKERS = 60.0
"""Seconds that a task waits for a first worker after the last one has gone."""
ENDED, STOP, STOPPED = "ended", "stop", "stopped"
"""What is heard beside what workers tell."""


class LostError(Exception):
    """Workers were lost again and again while they did a task."""


@dataclass(kw_only=True)
class Underway:
    """One task that is waited for; what is not described is as `Tasks.perform` has it."""

    client: Any
    name: str
    """Of the plugin."""
    identifier: str
    stop: Future[Any]
    heard: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    """What the task tells, and what becomes of it."""
    begun: str | None = None
    """The worker that has begun it last."""
    gives_up: float | None = None
    """When a task that was stopped is waited for no longer."""
    alone: float | None = None
    """Since when there is no worker."""

    def submit(self, order: Any) -> None:
        from cellops.pipeline.dask.tasks_plugin import perform_on_worker

        key = f"{self.name}-{self.identifier}"
        try:
            self.task = self.client.submit(perform_on_worker, self.name, self.identifier, order, key=key, pure=False)
        except Exception as error:  # a client says in many ways that it is closed
            raise self._gone(error) from error
        self.task.add_done_callback(lambda _: self.heard.put(ENDED))
        self.stop.add_done_callback(lambda _: self.heard.put(STOP))

    def wait(self, on_told: Callable[[dict[str, Any]], None], on_again: Callable[[str], None]) -> "Done | None":
        try:
            while True:
                try:
                    told = self.heard.get(timeout=LOOKING)
                except Empty:
                    self._look_for_workers(on_again)
                    told = None
                if self.gives_up is not None and time.monotonic() > self.gives_up:
                    self._give_up()
                    return None
                if told == STOP:
                    self.gives_up = time.monotonic() + STOPPING
                    threading.Thread(target=self._tell_to_stop, daemon=True).start()
                elif told == STOPPED and self.begun is None:
                    self._give_up()
                    return None
                elif told == ENDED or (told is None and self.task.done()):
                    with suppress(TimeoutError):  # a worker was lost with what it had done
                        return self._result()
                elif isinstance(told, dict) and "begun" in told:
                    self._begin(told["begun"], on_again)
                elif isinstance(told, dict):
                    on_told(told)
        finally:
            self.task.release()

    def _give_up(self) -> None:
        """Wait no longer: a worker that has the task hears of that."""
        with suppress(Exception):  # a client says in many ways that nobody is there
            self.task.cancel(force=True)

    def _begin(self, worker: str, on_again: Callable[[str], None]) -> None:
        before, self.begun, self.alone = self.begun, worker, None
        if before is not None:
            on_again(f"the worker {before} was lost, and it is begun again on {worker}")

    def _result(self) -> "Done | None":
        from distributed import KilledWorker

        from cellops.pipeline.dask.tasks_plugin import NotDone

        try:
            done: Done | NotDone = self.task.result(timeout=LOOKING)
        except KilledWorker as error:
            raise LostError from error
        except TimeoutError:
            raise
        except (CancelledError, OSError) as error:
            if self.stop.done():
                return None
            raise self._gone(error) from error
        if isinstance(done, NotDone):
            raise done.error
        return done

    def _tell_to_stop(self) -> None:
        """Tell all workers: only the scheduler knows which one has the task, and it may be given to another now."""
        from cellops.pipeline.dask.tasks_plugin import stop_on_worker

        with suppress(Exception):  # a cluster that is gone is told of where its answer is waited for
            self.client.run(stop_on_worker, self.name, self.identifier, self.stop.result(), on_error="ignore")
        self.heard.put(STOPPED)

    def _look_for_workers(self, on_again: Callable[[str], None]) -> None:
        """Say that there is no worker left; wait for one, but not for ever."""
        try:
            threads = self.client.sync(self.client.scheduler.ncores, callback_timeout=LOOKING)
        except Exception:  # noqa: BLE001 - a scheduler that is gone cancels the task
            return
        if threads:
            self.alone = None
        elif self.alone is None:
            self.alone = time.monotonic()
            lost = "no worker is there" if self.begun is None else f"the worker {self.begun} was lost, the last one"
            on_again(f"{lost}; it waits {WITHOUT_WORKERS:g} s for another")
        elif time.monotonic() > self.alone + WITHOUT_WORKERS:
            fact = f"The scheduler {self.client.scheduler.address} has had no worker for {WITHOUT_WORKERS:g} s"
            raise ClusterError(fact, remedy="Start workers with: dask worker ADDRESS, and go on with --resume")

    def _gone(self, error: BaseException) -> ClusterError:
        if self.client.status == "running" and isinstance(error, CancelledError):
            fact = (
                f"The scheduler of Dask has dropped its tasks: {getattr(error, 'reason', None) or redact(str(error))}"
            )
        else:
            fact = "The scheduler of Dask does not answer any more"
        return ClusterError(fact, remedy="When it is there again, go on with --resume")
