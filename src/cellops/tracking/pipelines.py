"""An execution of steps in MLflow: a run for the whole, below it one for each step, and below those their own runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from cellops.records.run import NotebookExecuted, RunStatus
from cellops.records.step_progress import StepExecuted, StepState
from cellops.tracking import tags
from cellops.tracking.closing import millis
from cellops.tracking.names import LONGEST, shortened

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

STATUS = {
    StepState.DONE: RunStatus.FINISHED,
    StepState.REUSED: RunStatus.FINISHED,
    StepState.FAILED: RunStatus.FAILED,
}
"""How a step that ended stands in MLflow; one that did not was stopped."""


class PipelineRuns:
    """Writes the runs of one execution; doing it twice gives the same as doing it once.

    Parameters
    ----------
    client
        MLflow's client.
    experiment
        The identifier of the experiment that they go to.
    executed
        What was executed.
    """

    def __init__(self, client: "MlflowClient", experiment: str, executed: NotebookExecuted) -> None:
        self._client = client
        self._experiment = experiment
        self._executed = executed

    def keep(self, runs: "list[Run]") -> None:
        """Write a run for the whole and one for each step.

        Parameters
        ----------
        runs
            Those that the notebook has opened itself: each is put below its step.
        """
        executed = self._executed
        name = Path(executed.source or executed.notebook).stem
        whole = self._run(
            executed.execution, name, executed.started, {} if executed.seed is None else {tags.SEED: str(executed.seed)}
        )
        steps = {step.name: self._step(step, whole) for step in executed.steps}
        step_of = {run: steps[step.name] for step in executed.steps for run in step.runs}
        for run in runs:
            above = step_of.get(run.data.tags.get(tags.RUN, ""), whole)
            self._client.set_tag(run.info.run_id, tags.PARENT, above)
        for parameter, value in executed.parameters.items():
            self._client.log_param(whole, parameter, value)
        if Path(executed.notebook).exists():
            self._client.log_artifact(whole, executed.notebook, "notebook")
        self._client.set_terminated(whole, executed.status.value, millis(executed.ended))

    def _step(self, step: StepExecuted, whole: str) -> str:
        held = {tags.PARENT: whole, tags.STEP_STATE: step.state.value}
        if step.reasons:
            held[tags.STEP_REASONS] = "; ".join(step.reasons)[: tags.LONGEST]
        made = self._run(f"{self._executed.execution}/{step.name}", step.name, step.started, held)
        status = STATUS.get(step.state, RunStatus.KILLED)
        self._client.set_terminated(made, status.value, millis(step.started + step.seconds))
        return made

    def _run(self, key: str, name: str, started: float, held: dict[str, str]) -> str:
        """The identifier of a run of this execution, made unless it is there."""
        query = f"tags.`{tags.PIPELINE}` = '{key}'"
        found = self._client.search_runs([self._experiment], filter_string=query, max_results=1)
        if found:
            return str(found[0].info.run_id)
        own = {tags.PIPELINE: key, "mlflow.runName": shortened(name, LONGEST), "mlflow.source.type": "NOTEBOOK"}
        if self._executed.source is not None:
            own["mlflow.source.name"] = self._executed.source
        return str(self._client.create_run(self._experiment, millis(started), {**own, **held}).info.run_id)
