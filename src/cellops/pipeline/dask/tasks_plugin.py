"""A worker of Dask that does tasks of cellops: kernels of its own machine, in a folder of their own for each task."""

import logging
import shutil
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from distributed import Reschedule, WorkerPlugin, get_worker

from cellops.capture.redaction import redact
from cellops.errors import CellopsError, ClusterError
from cellops.pipeline.dask.bundle import Bundles, Handed
from cellops.pipeline.dask.cluster import ALIKE, otherwise, versions
from cellops.pipeline.dask.place import Place
from cellops.pipeline.forkserver.forkserver import ForkServer
from cellops.settings import local_store

FOLDER, STORE = "CELLOPS_FOLDER", "CELLOPS_TRACKING_URI"
LOOKING = 1.0
"""Seconds between two looks whether anybody still waits for a task."""
IDLE = 60.0
"""Seconds without a task behind which nothing is kept in memory for the next: whoever gives tasks may be gone."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a worker gives back."""

    result: Any
    handed: Handed


@dataclass(frozen=True, kw_only=True)
class NotDone:
    """What it gives back where something went wrong that is not the task's fault.

    It does not raise that: an error that cannot be read elsewhere would be waited for in vain.
    """

    error: CellopsError


class TasksPlugin(WorkerPlugin, ABC):
    """Sent to each worker of a cluster, also to those that come later; what tasks do is said by its kinds.

    Parameters
    ----------
    name
        Its own, that of the topic on which its tasks tell, and of the folder in which they hand over.
    place
        Where results are handed over.
    modules
        What kernels are forked with.
    """

    ENDED: Any = None
    """What a task is stopped with where the worker ends, or nobody waits for it any more."""

    def __init__(self, name: str, place: Place, modules: tuple[str, ...]) -> None:
        self.name = name
        self.place = place
        self._modules = modules
        self._versions = versions()

    def setup(self, worker: Any) -> None:
        self._worker = worker
        # Kernels record where links lead, and journals are looked through for this path.
        self.folder = Path(worker.local_directory).resolve() / self.name
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.forks = ForkServer(self._modules)
        self._turn = threading.Lock()
        self._underway: dict[str, Future[Any]] = {}
        self._stopped: dict[str, Any] = {}
        """Those that were stopped before they began here."""
        self._ended: set[str] = set()
        """Those that were stopped since the worker ends, or nobody waits for them."""
        self._idle: threading.Timer | None = None

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
        for identifier in [*self._underway]:
            self._end(identifier)
        if self._idle is not None:
            self._idle.cancel()
        self.forks.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def execute(self, order: Any, folder: Path, stop: Future[Any], tell: Callable[[dict[str, Any]], None]) -> Any:
        """Do a task in this thread.

        Parameters
        ----------
        folder
            The folder of cellops' own files for this task: what is left there is handed over.
        stop
            Done when the task shall end before its time, with what it is stopped with.
        tell
            Whom to tell what goes on: dictionaries of texts and numbers.
        """

    def perform(self, identifier: str, order: Any, key: Any) -> Done | NotDone:
        """Do a task in this thread; what it leaves is handed over."""
        try:
            return self._perform(identifier, order, key)
        except Reschedule:
            raise
        except CellopsError as error:
            return NotDone(error=error)
        except Exception as error:
            logging.getLogger("distributed.worker").exception("A task of cellops has failed")
            fact = f"The worker {self._worker.address} of Dask has failed: {type(error).__name__}: {redact(str(error))}"
            return NotDone(error=ClusterError(fact, remedy="Look into its log"))

    def _perform(self, identifier: str, order: Any, key: Any) -> Done:
        if other := otherwise(self._worker.address, versions(), self._versions):
            raise ClusterError(other, remedy=f"{ALIKE}, and go on with --resume")
        tell, stop, ended = partial(self._tell, identifier), self._begin(identifier), threading.Event()
        tell({"begun": self._worker.address})
        threading.Thread(target=self._watch, args=[key, identifier, ended], daemon=True).start()
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            result = self.execute(order, folder, stop, tell)
            if identifier in self._ended:
                raise Reschedule
            return Done(result=result, handed=Bundles(self.place).hand_over(folder, self.name))
        finally:
            ended.set()
            with self._turn:
                del self._underway[identifier]
                self._rest_later()
            shutil.rmtree(folder, ignore_errors=True)

    def _begin(self, identifier: str) -> Future[Any]:
        stop: Future[Any] = Future()
        with self._turn:
            self._underway[identifier] = stop
            self._ended.discard(identifier)
            if identifier in self._stopped:
                stop.set_result(self._stopped.pop(identifier))
        return stop

    def _rest_later(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = threading.Timer(IDLE, self._rest)
        self._idle.daemon = True
        self._idle.start()

    def _rest(self) -> None:
        """End what kernels are forked from; the next task begins another one."""
        with self._turn:
            if not self._underway:
                self.forks.close()
                self.forks = ForkServer(self._modules)

    def stop(self, identifier: str, word: Any) -> None:
        """End a task before its time."""
        with self._turn:
            stop = self._underway.get(identifier)
            if stop is None:
                self._stopped[identifier] = word
        if stop is not None:
            with suppress(InvalidStateError):
                stop.set_result(word)

    def _end(self, identifier: str) -> None:
        self._ended.add(identifier)
        self.stop(identifier, self.ENDED)

    def _watch(self, key: Any, identifier: str, ended: threading.Event) -> None:
        """Stop a task that nobody waits for any more: whoever did was killed, or has given up."""
        while not ended.wait(LOOKING):
            task = self._worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                self._end(identifier)
                return

    def _tell(self, identifier: str, content: dict[str, Any]) -> None:
        self._worker.log_event(self.name, {"task": identifier, "told": content})


def recording(folder: Path, own: Mapping[str, str]) -> dict[str, str]:
    """What kernels have on top of a worker's environment: they record in a folder, as the machine that asked would.

    The store of the project stands for the one of that folder, whatever store the worker's own environment names.
    """
    return {STORE: local_store(folder), **own, FOLDER: str(folder)}


def perform_on_worker(name: str, identifier: str, order: Any) -> Done | NotDone:
    """Do a task on the worker on which this is called."""
    worker: Any = get_worker()
    plugin: TasksPlugin = worker.plugins[name]
    return plugin.perform(identifier, order, worker.get_current_task())


def stop_on_worker(name: str, identifier: str, word: Any, dask_worker: Any) -> None:
    """End a task wherever it is done."""
    plugin: TasksPlugin | None = dask_worker.plugins.get(name)
    if plugin is not None:
        plugin.stop(identifier, word)
