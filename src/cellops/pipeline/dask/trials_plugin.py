"""A worker of Dask that executes trials, each in a fresh kernel of its own machine."""

import shutil
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin, get_worker

from cellops.pipeline.dask.bundle import Bundles, Handed
from cellops.pipeline.forkserver.forkserver import ForkServer
from cellops.pipeline.preparation import Preparation
from cellops.pipeline.sweep.local import LocalTrial, LocalTrials, TrialOptions, modules_ahead
from cellops.records.sweep import Report, Trial, TrialOrder, TrialState
from cellops.settings import prepare

FOLDER = "CELLOPS_FOLDER"


@dataclass(frozen=True, kw_only=True)
class Executed:
    """What a worker gives back."""

    trial: Trial
    handed: Handed


class TrialsPlugin(WorkerPlugin):
    """Sent to each worker of a cluster, also to those that come later.

    Parameters
    ----------
    made, options
        As `LocalTrials` takes them.
    store
        Address of the folder in which results are handed over.
    """

    def __init__(self, made: Preparation, options: TrialOptions, store: str) -> None:
        self.name = plugin_of(options.sweep)
        self._made = made
        self._options = options
        self._store = store

    def setup(self, worker: Any) -> None:
        self._tell = worker.log_event
        self._bundles = Bundles(self._store)
        self._forks = ForkServer(modules_ahead(self._made.source))
        self._turn = threading.Lock()
        self._underway: dict[str, LocalTrial] = {}
        self._stopped: dict[str, TrialState] = {}
        """Those that were stopped before they began here."""

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
        for execution in [*self._underway]:
            self.stop(execution, TrialState.STOPPED)
        self._forks.close()

    def execute(self, order: TrialOrder) -> Executed:
        """Execute a trial in this thread; what it leaves is handed over."""
        folder = Path(tempfile.mkdtemp(prefix="cellops-")) / "kept"
        try:
            prepare(folder)
            notebook = Path("sweeps") / Path(order.output).parent.name / Path(order.output).name
            (folder / notebook).parent.mkdir(parents=True)
            trial = self._execute(order.replace(output=str(folder / notebook)), folder)
            handed = self._bundles.hand_over(folder, f"trials/{self._options.sweep}")
        finally:
            shutil.rmtree(folder.parent, ignore_errors=True)
        output = None if trial.output is None else order.output
        return Executed(trial=trial.replace(output=output), handed=handed)

    def _execute(self, order: TrialOrder, folder: Path) -> Trial:
        own = replace(
            self._options,
            journals=folder / "journal",
            environment={**self._options.environment, FOLDER: str(folder)},
            jobs=1,
        )
        with LocalTrials(self._made, own, self._forks) as trials:
            underway = trials.begin(order, lambda report: self._report(order, report))
            with self._turn:
                self._underway[order.execution] = underway
                before = self._stopped.pop(order.execution, None)
            if before is not None:
                underway.stop(before)
            try:
                return underway.outcome.result()
            finally:
                del self._underway[order.execution]

    def stop(self, execution: str, state: TrialState) -> None:
        """End a trial before its time."""
        with self._turn:
            underway = self._underway.get(execution)
            if underway is None:
                self._stopped[execution] = state
        if underway is not None:
            underway.stop(state)

    def _report(self, order: TrialOrder, report: Report) -> None:
        self._tell(self.name, {"trial": order.number, "report": report.to_dict()})


def plugin_of(sweep: str) -> str:
    """The name of the plugin, and of the topic on which its trials report."""
    return f"cellops-sweep-{sweep}"


def execute_on_worker(name: str, order: TrialOrder) -> Executed:
    """Execute a trial on the worker on which this is called."""
    plugin: Any = get_worker().plugins[name]
    executed: Executed = plugin.execute(order)
    return executed


def stop_on_worker(name: str, execution: str, state: TrialState, dask_worker: Any) -> None:
    """End a trial wherever it is executed."""
    plugin: TrialsPlugin | None = dask_worker.plugins.get(name)
    if plugin is not None:
        plugin.stop(execution, state)
