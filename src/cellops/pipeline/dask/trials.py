"""Trials as tasks of a cluster of Dask: one that a worker has lost is done again, and taken in once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from cellops.capture.secrets import variables
from cellops.errors import SweepError, UsageError
from cellops.pipeline.dask.bundle import Bundles
from cellops.pipeline.dask.cluster import check_workers, connected
from cellops.pipeline.preparation import Preparation
from cellops.pipeline.sweep.local import TrialOptions
from cellops.records.sweep import Report, Trial, TrialOrder, TrialState

STOPPING = 30.0
"""Seconds that a worker has to stop a trial, before nobody waits for it any more."""
ENCRYPTED = ("tls://", "wss://")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class RemoteTrial:
    """A trial that is a task of a cluster."""

    def __init__(self, order: TrialOrder, on_report: Callable[[Report], None], tell: Callable[[TrialState], None]):
        self.outcome: Future[Trial] = Future()
        self.order = order
        self.on_report = on_report
        self.state: TrialState | None = None
        self.task: Any = None
        """Of Dask, once it is there."""
        self._tell = tell
        self._deciding = threading.Lock()

    def stop(self, state: TrialState) -> None:
        with self._deciding:
            if self.state is not None or self.outcome.done():
                return
            self.state = state
        self._tell(state)
        timer = threading.Timer(STOPPING, self._give_up)
        timer.daemon = True
        timer.start()

    def _give_up(self) -> None:
        """Wait for the task no longer."""
        if self.task is not None:
            self.task.cancel(force=True)


class DaskTrials:
    """Executes trials on the workers of a cluster.

    Parameters
    ----------
    made, options
        As `LocalTrials` takes them; the journals are those of this project.
    target
        As `connected` takes it.
    store
        Address of a folder that this machine and the workers reach; results are handed over in it.
    """

    def __init__(self, made: Preparation, options: TrialOptions, target: Any, store: str) -> None:
        self._made = made
        self._options = options
        self._target = target
        self._store = store
        self._bundles = Bundles(store)
        self._underway: dict[int, RemoteTrial] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        from cellops.pipeline.dask.trials_plugin import TrialsPlugin, plugin_of

        with ExitStack() as opened:
            self._client = opened.enter_context(connected(self._target))
            check_workers(self._client, self._made.folder)
            self._refuse_to_show_secrets()
            self._name = plugin_of(self._options.sweep)
            self._client.register_plugin(TrialsPlugin(self._made, self._options, self._store))
            opened.callback(self._leave)
            self._client.subscribe_topic(self._name, self._hear)
            self._pool = opened.enter_context(ThreadPoolExecutor(self._options.jobs, "cellops-trial"))
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _refuse_to_show_secrets(self) -> None:
        """Refuse to send what only the kernels may know over a network that anybody can read."""
        address = self._client.scheduler.address
        if variables(self._made.bound) and not (is_here(address) or address.startswith(ENCRYPTED)):
            fact = f"A secret that a parameter holds would go to {address}, which is not encrypted"
            raise UsageError(fact, remedy="Use a scheduler at tls://…, or let the notebook read the secret itself")

    def _leave(self) -> None:
        with suppress(Exception):  # a scheduler that is gone has nothing to forget
            self._client.unsubscribe_topic(self._name)
            self._client.unregister_worker_plugin(self._name)

    def begin(self, order: TrialOrder, on_report: Callable[[Report], None]) -> RemoteTrial:
        underway = RemoteTrial(order, on_report, lambda state: self._stop(order, state))
        self._underway[order.number] = underway
        self._pool.submit(self._work, underway)
        return underway

    def _stop(self, order: TrialOrder, state: TrialState) -> None:
        from cellops.pipeline.dask.trials_plugin import stop_on_worker

        with suppress(Exception):  # a cluster that is gone is told of where its answer is waited for
            self._client.run(stop_on_worker, self._name, order.execution, state, wait=False, on_error="ignore")

    def _hear(self, event: tuple[float, Any]) -> None:
        """A run on a worker reports how it stands."""
        with suppress(msgspec.ValidationError, KeyError, TypeError):
            told = event[1]
            if (underway := self._underway.get(told["trial"])) is not None:
                underway.on_report(msgspec.convert(told["report"], Report))

    def _work(self, underway: RemoteTrial) -> None:
        try:
            underway.outcome.set_result(self._execute(underway))
        except BaseException as error:  # noqa: BLE001 - it is raised where the outcome is looked at
            underway.outcome.set_exception(error)
        finally:
            self._underway.pop(underway.order.number, None)

    def _execute(self, underway: RemoteTrial) -> Trial:
        from distributed import KilledWorker

        from cellops.pipeline.dask.trials_plugin import Executed, execute_on_worker

        order, started = underway.order, time.time()
        trial = Trial(
            number=order.number,
            values=order.values,
            execution=order.execution,
            started=started,
            state=underway.state or TrialState.FAILED,
        )
        try:
            key = f"{self._name}-{order.execution}"
            underway.task = self._client.submit(execute_on_worker, self._name, order, key=key, pure=False)
            executed: Executed = underway.task.result()
        except KilledWorker:
            error = "workers of Dask were lost again and again while they executed it"
            return trial.replace(error=error, seconds=time.time() - started)
        except (CancelledError, OSError) as error:
            if underway.state is not None:
                return trial.replace(state=underway.state, seconds=time.time() - started)
            raise self._gone() from error
        self._bundles.take_in(executed.handed, self._folder)
        return executed.trial

    @property
    def _folder(self) -> Path:
        """Of cellops' own files in this project."""
        return self._options.journals.parent

    def _gone(self) -> SweepError:
        fact = "The scheduler of Dask does not answer any more"
        return SweepError(fact, remedy="When it is there again, go on with --resume")


def store_of(target: Any, store: str | None, folder: Path) -> str:
    """The folder in which results are handed over: one of this project where all workers are on this machine.

    Raises
    ------
    UsageError
        When that cannot be, and none was given.
    """
    if store is not None:
        return store
    address = target if isinstance(target, str) else getattr(target, "scheduler_address", "")
    if not address:
        address = getattr(getattr(target, "scheduler", None), "address", "")
    if is_here(str(address)):
        return (folder / "handed").as_uri()
    fact = "Workers of Dask hand over what trials leave in a folder that they and this machine reach, and none is named"
    raise UsageError(fact, remedy="Give one: --store s3://bucket/folder, or set CELLOPS_STEP_STORE")


def is_here(address: str) -> bool:
    """Whether a scheduler is one of this machine."""
    return address.startswith("inproc://") or address.rpartition("://")[2].rpartition(":")[0] in LOOPBACK
