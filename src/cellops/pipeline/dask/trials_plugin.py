"""A worker of Dask that executes trials, each in a fresh kernel of its own machine."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from cellops.pipeline.dask.place import Place
from cellops.pipeline.dask.surroundings import heeded
from cellops.pipeline.dask.tasks_plugin import TasksPlugin, recording
from cellops.pipeline.forkserver.candidates import modules_ahead
from cellops.pipeline.preparation import Preparation
from cellops.pipeline.sweep.local import LocalTrials, TrialOptions
from cellops.records.sweep import Trial, TrialOrder, TrialState


class TrialsPlugin(TasksPlugin):
    """Executes trials; `made` and `options` are as `LocalTrials` takes them."""

    ENDED = TrialState.STOPPED

    def __init__(self, made: Preparation, options: TrialOptions, place: Place) -> None:
        super().__init__(f"cellops-sweep-{options.sweep}", place, modules_ahead(made.source))
        self._made = made
        self._options = options
        self._heeded = {name: value for name, value in heeded().items() if value is not None}

    def execute(
        self, order: TrialOrder, folder: Path, stop: Future[Any], tell: Callable[[dict[str, Any]], None]
    ) -> Trial:
        notebook = folder / "sweeps" / Path(order.output).parent.name / Path(order.output).name
        notebook.parent.mkdir(parents=True)
        own = replace(
            self._options,
            journals=folder / "journal",
            environment={**self._heeded, **recording(folder, self._options.environment)},
            jobs=1,
        )
        with LocalTrials(self._made, own, self.forks) as trials:
            here = order.replace(output=str(notebook))
            underway = trials.begin(here, lambda report: tell({"report": report.to_dict()}))
            stop.add_done_callback(lambda asked: underway.stop(asked.result()))
            trial = underway.outcome.result()
        return trial.replace(output=None if trial.output is None else order.output)
