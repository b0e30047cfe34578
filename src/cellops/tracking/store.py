"""Runs in MLflow: opened, closed, listed, and their artifacts."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cellops.errors import NotFoundError, RefusedError
from cellops.records.cell import CellRecord
from cellops.records.finding import Finding, Severity
from cellops.records.gate import GateResult, GatesJudged
from cellops.records.proof import Proof
from cellops.records.run import NotebookExecuted, RunClosed, RunOpened, RunReported, RunStatus, RunSummary
from cellops.records.sweep import SweepBegun, SweepEnded, Trial
from cellops.settings import Settings, without_credentials
from cellops.tracking import tags
from cellops.tracking.client import active, connect, reachable
from cellops.tracking.closing import FOLDER, Closed, Closing, millis
from cellops.tracking.experiments import experiment
from cellops.tracking.names import accepted
from cellops.tracking.summaries import MlflowRun, findings_tag, gates_tag, read_models, summary

if TYPE_CHECKING:
    from mlflow.entities import Run

PROOF_FILES = ("proof.json", "slice.ipynb", "executed.ipynb")
PAGE = 1000
"""Runs asked for at once: MLflow refuses many more."""


class Store:
    """One tracking store. Every method raises `TrackingError` when the store does not answer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._client = connect(settings)

    def ask(self) -> None:
        """Ask for nothing but an answer."""
        with reachable(self.settings, refusals=()):
            self._client.search_experiments(max_results=1)

    def open_run(self, run: RunOpened, findings: Iterable[Finding] = ()) -> str:
        """Create a run, or find it where an earlier writer was stopped behind creating it; give MLflow's id."""
        with reachable(self.settings):
            where, renamed = experiment(self._client, self.settings, run.experiment or self.settings.experiment)
            found = self._find(run.run, [where])
            if found is not None:
                return str(found.info.run_id)
            held = {tags.FINDINGS: findings_tag([*findings, *renamed])}
            created = self._client.create_run(where, start_time=millis(run.started), tags=tags.of_opened(run) | held)
            return str(created.info.run_id)

    def close_run(self, run_id: str, run: RunClosed, trail: Iterable[CellRecord]) -> Closed:
        """Write all that a run left behind, and end it. Doing it twice gives the same run as doing it once."""
        try:
            with reachable(self.settings):
                existing = self._client.get_run(run_id)
        except RefusedError:
            return Closed(findings=(_gone(run),))
        if existing.info.lifecycle_stage == "deleted":
            return Closed(findings=(_gone(run),))
        if existing.data.tags.get(tags.COMPLETE) == "true":
            return Closed(models=read_models(existing.data.tags))
        return Closing(self._client, self.settings, existing, run).close(list(trail))

    def prepare_models(self) -> None:
        """Get ready to keep models: whoever waits for the end of a sweep waits less for that of its best trial."""
        from cellops.tracking.model import prepare

        prepare()

    def keep_models(self, run_id: str, run: RunClosed) -> Closed:
        """Write the models of a run that was closed without them; those that it has by now are left as they are."""
        with reachable(self.settings):
            existing = self._client.get_run(run_id)
        return Closing(self._client, self.settings, existing, run).keep_models()

    def runs(self, limit: int) -> list[RunSummary]:
        """The newest runs of every experiment of this store; those that stand for an execution or a step are none."""
        return self._search("", "start_time DESC", limit)

    def finished(self, limit: int) -> list[RunSummary]:
        """The newest runs that came to their end."""
        return self._search(f"attributes.status = '{RunStatus.FINISHED}'", "start_time DESC", limit)

    def run(self, key: str) -> RunSummary | None:
        """The run with a key."""
        found = self._search(f"tags.`{tags.RUN}` = '{key}'", "start_time DESC", 1)
        return found[0] if found else None

    def starting_with(self, key: str) -> list[RunSummary]:
        """The runs whose key begins so; two are enough to say that it is not one."""
        return self._search(f"tags.`{tags.RUN}` LIKE '{key}%'", "start_time DESC", 2)

    def of_execution(self, execution: str) -> list[RunSummary]:
        """The runs that one execution of a pipeline opened."""
        return self._search(f"tags.`{tags.EXECUTION}` = '{execution}'", "start_time ASC", 1000)

    def artifacts(self, run_id: str, path: str, target: Path) -> Path:
        """Download an artifact of a run below `target`."""
        from mlflow.exceptions import MlflowException

        try:
            return Path(self._client.download_artifacts(run_id, path, str(target)))
        except (MlflowException, OSError) as error:
            self.ask()
            fact = f"The run {run_id[:8]} has no artifact {path} in {self.settings.store}"
            raise NotFoundError(fact, remedy="See what it has with: cellops show RUN") from error

    def model(self, uri: str, target: Path) -> Path:
        """Download a logged model's directory below `target`."""
        import mlflow
        from mlflow.exceptions import MlflowException

        with reachable(self.settings):
            where = self._client.get_logged_model(uri.rpartition("/")[2]).artifact_location
        try:
            with active(self.settings):
                found = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(target)))
            if (found / "MLmodel").exists():  # MLflow gives an empty folder for one that is gone
                return found
        except (MlflowException, OSError):
            self.ask()
        fact = f"The model's files are gone from {without_credentials(where)}"
        raise NotFoundError(fact, remedy="Run the cell again")

    def keep_notebook(self, executed: NotebookExecuted) -> None:
        """Give every run that an execution opened the executed notebook; one that has gone meanwhile is passed over."""
        notebook = Path(executed.notebook)
        for run in self.of_execution(executed.execution):
            assert run.mlflow_run_id is not None  # noqa: S101 - it comes from the store
            with reachable(self.settings):
                if notebook.exists():
                    self._client.log_artifact(run.mlflow_run_id, str(notebook), "notebook")
                self._client.set_tag(run.mlflow_run_id, tags.EXECUTION_STATUS, executed.status.value)
        if executed.steps:
            self._keep_steps(executed)

    def _keep_steps(self, executed: NotebookExecuted) -> None:
        from cellops.tracking.pipelines import PipelineRuns

        with reachable(self.settings):
            everywhere = [e.experiment_id for e in self._client.search_experiments()]
            query = f"tags.`{tags.EXECUTION}` = '{executed.execution}'"
            opened = list(self._client.search_runs(everywhere, query, max_results=PAGE))
            own = experiment(self._client, self.settings, self.settings.experiment)[0]
            where = opened[0].info.experiment_id if opened else own
            PipelineRuns(self._client, where, executed).keep(opened)

    def report(self, run_id: str, reported: RunReported) -> None:
        """Keep what a run has reported while it went on, as a step of its metrics."""
        from mlflow.entities import Metric

        names, when = accepted(reported.values), millis(reported.time)
        metrics = [Metric(names[name], value, when, reported.step) for name, value in reported.values.items()]
        with reachable(self.settings):
            self._client.log_batch(run_id, metrics=metrics)

    def open_sweep(self, begun: SweepBegun) -> str:
        """Create the run of a sweep, or find it; give MLflow's id."""
        from cellops.tracking.sweeps import open_sweep

        with reachable(self.settings):
            where = experiment(self._client, self.settings, begun.experiment)[0]
            return open_sweep(self._client, where, begun)

    def keep_trial(self, sweep: str, begun: SweepBegun, trial: Trial, runs: Iterable[str]) -> None:
        """Put the runs of a trial below the run of its sweep; both by MLflow's ids."""
        from cellops.tracking.sweeps import keep_trial

        with reachable(self.settings):
            keep_trial(self._client, sweep, begun, trial, runs)

    def end_sweep(self, sweep: str, begun: SweepBegun, ended: SweepEnded, trials: Iterable[Trial]) -> None:
        """Tell what a sweep has come to, and end its run."""
        from cellops.tracking.sweeps import end_sweep

        with reachable(self.settings):
            end_sweep(self._client, sweep, begun, ended, trials)

    def kill_sweep(self, sweep: str, ended: float) -> None:
        """End the run of a sweep that nobody works on any more."""
        with reachable(self.settings):
            self._client.set_terminated(sweep, RunStatus.KILLED.value, millis(ended))

    def keep_proof(self, proof: Proof) -> None:
        """Give the run that was executed again its proof, with the notebooks of it; no run, nothing to give it to."""
        run = self.run(proof.run)
        if run is None or run.mlflow_run_id is None:
            return
        folder = Path(proof.folder)
        files = [folder / name for name in PROOF_FILES if (folder / name).is_file() and self.settings.holds(folder)]
        with reachable(self.settings):
            for file in files:
                self._client.log_artifact(run.mlflow_run_id, str(file), f"proofs/{folder.name}")
            self._client.set_tag(run.mlflow_run_id, tags.PROOF, tags.of_proof(proof))

    def keep_gates(self, judged: GatesJudged) -> None:
        """Give the runs of an execution what holding them against gates has shown; one that has gone is passed over."""
        for key in dict.fromkeys(result.run for result in judged.results if result.run is not None):
            run = self.run(key)
            if run is None or run.mlflow_run_id is None:
                continue
            own = [result for result in judged.results if result.run == key]
            with reachable(self.settings):
                self._client.log_text(run.mlflow_run_id, _indented(own), f"{FOLDER}/gates.json")
                self._client.set_tag(run.mlflow_run_id, tags.GATES, gates_tag(own))

    def _search(self, query: str, order: str, limit: int) -> list[RunSummary]:
        with reachable(self.settings):
            experiments = {e.experiment_id: e.name for e in self._client.search_experiments()}
            found: list[Run] = []
            token: str | None = None
            while len(found) < limit:
                page = self._client.search_runs(
                    list(experiments),
                    query,
                    max_results=min(limit - len(found), PAGE),
                    order_by=[order],
                    page_token=token,
                )
                found += [run for run in page if tags.PIPELINE not in run.data.tags]
                token = page.token
                if not token:
                    break
        return [summary(MlflowRun.of(run, experiments)) for run in found]

    def _find(self, key: str, experiments: list[str]) -> "Run | None":
        found = self._client.search_runs(experiments, filter_string=f"tags.`{tags.RUN}` = '{key}'", max_results=1)
        return found[0] if found else None


def _indented(results: Sequence[GateResult]) -> str:
    return msgspec.json.format(msgspec.json.encode(results), indent=2).decode()


def _gone(run: RunClosed) -> Finding:
    return Finding(
        code="run-deleted",
        severity=Severity.INFO,
        where=f"run {run.run[:8]}",
        seen="someone has deleted it in the tracking store, and so it stays",
        remedy="Its record stays in the journal",
    )
