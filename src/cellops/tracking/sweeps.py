"""A sweep in MLflow: a run for the whole, with its space and its best values, above the runs of its trials."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cellops.records.run import RunStatus
from cellops.records.sweep import SweepBegun, SweepEnded, Trial, TrialState
from cellops.tracking import tags
from cellops.tracking.closing import FOLDER, LONGEST_PARAMETER, millis
from cellops.tracking.names import LONGEST, accepted, shortened

if TYPE_CHECKING:
    from mlflow import MlflowClient

STATUS = {
    TrialState.COMPLETED: RunStatus.FINISHED,
    TrialState.FAILED: RunStatus.FAILED,
    TrialState.PRUNED: RunStatus.KILLED,
    TrialState.STOPPED: RunStatus.KILLED,
}
"""How a trial stands in the tag that tells of the execution of a run's notebook."""
BEST = "best"
"""Begins the names of what the run of a sweep tells of its best trial."""


def open_sweep(client: "MlflowClient", experiment: str, begun: SweepBegun) -> str:
    """The identifier of the run of a sweep, made unless it is there."""
    from mlflow.entities import Param

    query = f"tags.`{tags.PIPELINE}` = '{begun.sweep}'"
    found = client.search_runs([experiment], filter_string=query, max_results=1)
    if found:
        return str(found[0].info.run_id)
    held = {
        tags.PIPELINE: begun.sweep,
        tags.SWEEP: begun.name,
        "mlflow.runName": shortened(f"{Path(begun.notebook).stem} sweep", LONGEST),
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.source.name": Path(begun.notebook).name,
        "cellops.sweep.metric": begun.metric,
        "cellops.sweep.direction": "maximize" if begun.maximize else "minimize",
        "cellops.sweep.sampler": begun.sampler,
        "cellops.sweep.seed": str(begun.seed),
    }
    made = str(client.create_run(experiment, millis(begun.started), held).info.run_id)
    told = {**begun.space, **begun.fixed}
    names = accepted(told)
    client.log_batch(made, params=[Param(names[n], text[:LONGEST_PARAMETER]) for n, text in told.items()])
    return made


def keep_trial(client: "MlflowClient", sweep: str, begun: SweepBegun, trial: Trial, runs: Iterable[str]) -> None:
    """Put the runs of a trial below that of its sweep, with its notebook; and its value into the sweep's own metric."""
    from mlflow.entities import Metric, RunTag

    held = {
        tags.PARENT: sweep,
        tags.TRIAL: str(trial.number),
        tags.TRIAL_STATE: trial.state.value,
        tags.EXECUTION_STATUS: STATUS.get(trial.state, RunStatus.KILLED).value,
    }
    for run in runs:
        client.log_batch(run, tags=[RunTag(name, value) for name, value in held.items()])
        if trial.state is TrialState.STOPPED:  # it is done again, and nobody shall count it twice
            client.update_run(run, status=RunStatus.KILLED.value)
        if trial.output is not None and Path(trial.output).exists():
            client.log_artifact(run, trial.output, "notebook")
    if trial.value is not None and trial.state is TrialState.COMPLETED:
        name = accepted([begun.metric])[begun.metric]
        ended = millis(trial.started + trial.seconds)
        client.log_batch(sweep, metrics=[Metric(name, trial.value, ended, trial.number)])


def end_sweep(
    client: "MlflowClient", sweep: str, begun: SweepBegun, ended: SweepEnded, trials: Iterable[Trial]
) -> None:
    """Tell what a sweep has come to, and end its run; one that was resumed is told anew."""
    from mlflow.entities import Metric, RunTag

    best = ended.best
    held = {f"cellops.sweep.{state}": str(count) for state, count in ended.states.items()}
    metrics = []
    if best is not None and best.value is not None:
        held |= {f"cellops.sweep.{BEST}.{name}": _text(value) for name, value in best.values.items()}
        held |= {f"cellops.sweep.{BEST}.trial": str(best.number), "cellops.sweep.command": ended.command}
        name = accepted([f"{BEST}_{begun.metric}"])[f"{BEST}_{begun.metric}"]
        metrics = [Metric(name, best.value, millis(ended.ended), best.number)]
    client.log_batch(
        sweep,
        metrics=metrics,
        tags=[RunTag(n, text[: tags.LONGEST]) for n, text in zip(accepted(held).values(), held.values(), strict=True)],
    )
    with tempfile.TemporaryDirectory() as name:
        told = Path(name) / "trials.json"
        told.write_bytes(msgspec.json.format(msgspec.json.encode(list(trials)), indent=2))
        client.log_artifact(sweep, str(told), FOLDER)
    if ended.plot is not None and Path(ended.plot).exists():
        client.log_artifact(sweep, ended.plot)
    client.set_terminated(sweep, ended.status.value, millis(ended.ended))


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
