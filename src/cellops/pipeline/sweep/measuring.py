"""What the runs of a trial have measured, as the journals of its kernels tell."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from cellops.capture.journal import SUFFIX, read
from cellops.records.run import RunClosed, RunStatus, SessionOpened
from cellops.records.sweep import Trial, TrialState

CLOCKS = 2.0
"""Seconds by which the time of a file may lie before that of the process that looks at it."""


def measured(trial: Trial, journals: Path, metric: str) -> Trial:
    """The trial with its runs and their metrics, and of the last run that has it the value that is searched for.

    A trial that came to its end and has no such metric has no value.
    """
    runs, sessions = _runs(trial, journals)
    metrics = {name: value for run in runs for name, value in run.metrics.items()}
    finished = {run.run for run in runs if run.status is RunStatus.FINISHED and metric in run.metrics}
    own = [run for run in runs if run.run in finished or metric in run.not_finite]
    trial = trial.replace(runs=tuple(run.run for run in runs), sessions=tuple(sessions), metrics=metrics)
    if trial.state is not TrialState.COMPLETED:
        return trial
    if not own:
        return trial
    if metric not in own[-1].metrics:
        return trial.replace(state=TrialState.FAILED, error=f"{metric} came out as NaN or infinite")
    others = tuple(run.run for run in own[:-1] if metric in run.metrics)
    return trial.replace(value=own[-1].metrics[metric], also_measured_by=others)


def _runs(trial: Trial, journals: Path) -> tuple[list[RunClosed], list[str]]:
    """The runs that its kernels have ended, in their order, and the names of these kernels' journals."""
    runs, sessions = [], []
    for path in journals.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):  # another process may delete it meanwhile
            if path.stat().st_mtime >= trial.started - CLOCKS and _is_of(path, trial.execution):
                sessions.append(path.stem)
                runs += list(_closed(path))
    return sorted(runs, key=lambda run: run.ended), sessions


def _is_of(journal: Path, execution: str) -> bool:
    first = next((event for event, _ in read(journal)), None)
    return isinstance(first, SessionOpened) and first.execution == execution


def _closed(journal: Path) -> Iterator[RunClosed]:
    return (event for event, _ in read(journal) if isinstance(event, RunClosed))
