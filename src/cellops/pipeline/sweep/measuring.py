"""What the runs of a trial have measured, as the journals of its kernels tell."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from cellops.capture.journal import SUFFIX, read
from cellops.records.run import RunClosed, RunStatus, SessionOpened
from cellops.records.sweep import Trial, TrialState

CLOCKS = 2.0
"""Seconds by which the time of a file may lie before that of the process that looks at it."""


class Journals:
    """The journals of a project's kernels, by the executions that these belong to: each is asked once.

    Parameters
    ----------
    folder
        In which they stand.
    since
        When the first execution that will be asked for began, in seconds since 1970.
    """

    def __init__(self, folder: Path, since: float) -> None:
        self._folder, self._since = folder, since
        self._executions: dict[str, str | None] = {}

    def of(self, execution: str) -> list[Path]:
        """Those of one execution's kernels."""
        try:
            with os.scandir(self._folder) as entries:
                kept = [entry for entry in entries if entry.name.endswith(SUFFIX)]
        except FileNotFoundError:  # no kernel has loaded cellops
            return []
        return [Path(entry.path) for entry in kept if self._execution(entry) == execution]

    def _execution(self, entry: "os.DirEntry[str]") -> str | None:
        if entry.name in self._executions:
            return self._executions[entry.name]
        try:
            is_old = entry.stat().st_mtime < self._since - CLOCKS
            first = None if is_old else next((event for event, _ in read(Path(entry.path))), None)
        except OSError:  # another process may delete it meanwhile
            return None
        self._executions[entry.name] = first.execution if isinstance(first, SessionOpened) else None
        return self._executions[entry.name]


def measured(trial: Trial, journals: Journals, metric: str) -> Trial:
    """The trial with its runs and their metrics, and of the last run that has it the value that is searched for.

    A trial that came to its end and has no such metric has no value.
    """
    found = journals.of(trial.execution)
    runs = sorted((run for path in found for run in _closed(path)), key=lambda run: run.ended)
    metrics = {name: value for run in runs for name, value in run.metrics.items()}
    finished = {run.run for run in runs if run.status is RunStatus.FINISHED and metric in run.metrics}
    own = [run for run in runs if run.run in finished or metric in run.not_finite]
    sessions = tuple(path.stem for path in found)
    trial = trial.replace(runs=tuple(run.run for run in runs), sessions=sessions, metrics=metrics)
    if trial.state is not TrialState.COMPLETED:
        return trial
    if not own:
        return trial
    if metric not in own[-1].metrics:
        return trial.replace(state=TrialState.FAILED, error=f"{metric} came out as NaN or infinite")
    others = tuple(run.run for run in own[:-1] if metric in run.metrics)
    return trial.replace(value=own[-1].metrics[metric], also_measured_by=others)


def _closed(journal: Path) -> Iterator[RunClosed]:
    with contextlib.suppress(OSError):
        yield from (event for event, _ in read(journal) if isinstance(event, RunClosed))
