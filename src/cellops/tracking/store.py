"""Runs in MLflow: opened, closed, listed, and their artifacts."""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cellops.errors import NotFoundError
from cellops.records.base import Value
from cellops.records.cell import CellRecord
from cellops.records.finding import Finding, Severity
from cellops.records.run import DataFingerprint, NotebookExecuted, RunClosed, RunOpened, RunStatus, RunSummary
from cellops.settings import Settings
from cellops.tracking import tags
from cellops.tracking.client import active, artifact_location, connect, reachable, shown
from cellops.tracking.model import log_model

if TYPE_CHECKING:
    from mlflow.entities import Run

FOLDER = "cellops"
"""The folder among a run's artifacts that holds our records."""
BATCH = 100
"""MLflow takes at most this many parameters in one call."""
LONGEST_PARAMETER = 6000


class Store:
    """One tracking store. Every method raises `TrackingError` when the store does not answer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._client = connect(settings)
        self._experiments: dict[str, str] = {}

    def open_run(self, run: RunOpened) -> str:
        """Create a run, or find it where an earlier writer was stopped behind creating it; give MLflow's id."""
        with reachable(self.settings):
            experiment = self._experiment(run.experiment or self.settings.experiment)
            found = self._find(run.run, [experiment])
            if found is not None:
                return str(found.info.run_id)
            created = self._client.create_run(experiment, start_time=_millis(run.started), tags=tags.of_opened(run))
            return str(created.info.run_id)

    def close_run(self, run_id: str, run: RunClosed, trail: Iterable[CellRecord]) -> None:
        """Write all that a run left behind, and end it. Doing it twice gives the same run as doing it once."""
        with reachable(self.settings):
            existing = self._client.get_run(run_id)
            if existing.data.tags.get(tags.COMPLETE) == "true":
                return
            self._log_numbers(run_id, run)
            self._log_data(run_id, run.data)
            self._log_records(run_id, run, list(trail))
            findings = [*run.findings, *self._log_models(existing, run)]
            for name, value in (tags.of_closed(run) | {tags.FINDINGS: _findings_tag(findings)}).items():
                self._client.set_tag(run_id, name, value)
            self._client.set_terminated(run_id, status=run.status.value, end_time=_millis(run.ended))
            self._client.set_tag(run_id, tags.COMPLETE, "true")

    def runs(self, limit: int) -> list[RunSummary]:
        """The newest runs of every experiment of this store."""
        with reachable(self.settings):
            experiments = self._experiment_names()
            found = self._client.search_runs(list(experiments), order_by=["start_time DESC"], max_results=limit)
        return [_summary(run, experiments) for run in found]

    def artifacts(self, run_id: str, path: str, target: Path) -> Path:
        """Download an artifact of a run below `target`."""
        from mlflow.exceptions import MlflowException

        try:
            return Path(self._client.download_artifacts(run_id, path, str(target)))
        except (MlflowException, OSError) as error:
            fact = f"The run {run_id[:8]} has no artifact {path} in {shown(self.settings.tracking_uri)}"
            raise NotFoundError(fact, remedy="See what it has with: cellops show RUN") from error

    def model(self, uri: str, target: Path) -> Path:
        """Download a logged model's directory below `target`."""
        import mlflow

        with reachable(self.settings), active(self.settings):
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(target)))

    def keep_notebook(self, executed: NotebookExecuted) -> None:
        """Give every run that an execution opened the executed notebook; one that has gone meanwhile is passed over."""
        notebook = Path(executed.notebook)
        for run in self.of_execution(executed.execution):
            assert run.mlflow_run_id is not None  # noqa: S101 - it comes from the store
            with reachable(self.settings):
                if notebook.exists():
                    self._client.log_artifact(run.mlflow_run_id, str(notebook), "notebook")
                self._client.set_tag(run.mlflow_run_id, tags.EXECUTION_STATUS, executed.status.value)

    def of_execution(self, execution: str) -> list[RunSummary]:
        """The runs that one execution of a pipeline opened."""
        with reachable(self.settings):
            experiments = self._experiment_names()
            query = f"tags.`{tags.EXECUTION}` = '{execution}'"
            found = self._client.search_runs(list(experiments), filter_string=query, order_by=["start_time ASC"])
        return [_summary(run, experiments) for run in found]

    def _experiment_names(self) -> dict[str, str]:
        return {e.experiment_id: e.name for e in self._client.search_experiments()}

    def _experiment(self, name: str) -> str:
        if name not in self._experiments:
            known = self._client.get_experiment_by_name(name)
            self._experiments[name] = (
                self._client.create_experiment(name, artifact_location=artifact_location(self.settings))
                if known is None
                else str(known.experiment_id)
            )
        return self._experiments[name]

    def _find(self, key: str, experiments: list[str]) -> "Run | None":
        found = self._client.search_runs(experiments, filter_string=f"tags.`{tags.RUN}` = '{key}'", max_results=1)
        return found[0] if found else None

    def _log_numbers(self, run_id: str, run: RunClosed) -> None:
        from mlflow.entities import Metric, Param

        time = _millis(run.ended)
        metrics = [Metric(name, value, time, 0) for name, value in run.metrics.items()]
        parameters = [Param(name, _parameter(value)) for name, value in run.parameters.items()]
        for start in range(0, max(len(metrics), len(parameters)), BATCH):
            part = slice(start, start + BATCH)
            self._client.log_batch(run_id, metrics=metrics[part], params=parameters[part])

    def _log_data(self, run_id: str, data: tuple[DataFingerprint, ...]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        inputs = [
            DatasetInput(
                Dataset(
                    name=table.name,
                    digest=table.digest.rpartition(":")[2][:36],
                    source_type="notebook",
                    source=json.dumps({"pointer": table.pointer, "method": table.method, "digest": table.digest}),
                    profile=json.dumps({"num_rows": table.rows, "num_columns": table.columns}),
                ),
                [InputTag("mlflow.data.context", table.role)],
            )
            for table in data
        ]
        if inputs:
            self._client.log_inputs(run_id, inputs)

    def _log_records(self, run_id: str, run: RunClosed, trail: list[CellRecord]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file, content in _records(run, trail).items():
                (folder / file).write_bytes(content)
            self._client.log_artifacts(run_id, name, FOLDER)

    def _log_models(self, existing: "Run", run: RunClosed) -> list[Finding]:
        """Log the run's models; one that cannot be logged is a finding and does not keep the rest back."""
        if tags.MODEL in existing.data.tags:
            return []
        findings: list[Finding] = []
        uris: dict[str, str] = {}
        with active(self.settings):
            for position, spool in enumerate(run.models):
                contract = run.contract if position == 0 else None
                try:
                    uris[spool.name] = log_model(
                        existing.info.run_id, spool, contract, run.environment, self.settings.trusted
                    )
                except Exception as error:  # noqa: BLE001 - an estimator's own code runs here
                    findings.append(_not_logged(spool.name, error))
        if uris:
            self._client.set_tag(existing.info.run_id, tags.MODEL, json.dumps(uris))
        return findings


def _records(run: RunClosed, trail: list[CellRecord]) -> dict[str, bytes]:
    """The files of a run's folder, by name."""
    files = {
        "record.json": run.replace(contract=None, environment=None, code=None).to_pretty_json(),
        "trail.jsonl": b"".join(record.to_json() + b"\n" for record in trail),
        "findings.json": msgspec.json.format(msgspec.json.encode(run.findings)),
        "data.json": msgspec.json.format(msgspec.json.encode(run.data)),
    }
    if run.environment is not None:
        files["environment.json"] = run.environment.to_pretty_json()
        files["lock.txt"] = run.environment.lock().encode()
    if run.code is not None:
        files["code.json"] = run.code.replace(patch="").to_pretty_json()
        files["code.patch"] = run.code.patch.encode()
    if run.contract is not None:
        files["contract.json"] = run.contract.to_pretty_json()
    return files


def _summary(run: "Run", experiments: dict[str, str]) -> RunSummary:
    held = run.data.tags
    return RunSummary(
        run=held.get(tags.RUN, run.info.run_id),
        name=run.info.run_name or "",
        status=_status(run.info.status),
        started=run.info.start_time / 1000,
        ended=run.info.end_time / 1000 if run.info.end_time else None,
        mlflow_run_id=run.info.run_id,
        experiment=experiments.get(run.info.experiment_id),
        notebook=held.get("mlflow.source.name"),
        seed=int(held[tags.SEED]) if held.get(tags.SEED, "").isdigit() else None,
        synced=tags.RUN not in held or held.get(tags.COMPLETE) == "true",
        parameters=dict(run.data.params),
        metrics=dict(run.data.metrics),
        findings=_read_findings(held.get(tags.FINDINGS)),
        models=_read_models(held.get(tags.MODEL)),
    )


def _status(text: str) -> RunStatus:
    return RunStatus(text) if text in set(RunStatus) else RunStatus.RUNNING


def _findings_tag(findings: list[Finding]) -> str:
    """The findings as a tag, the gravest first, as many as MLflow takes."""
    ranked = sorted(findings, key=lambda f: list(Severity).index(f.severity), reverse=True)
    while len(text := msgspec.json.encode(ranked).decode()) > tags.LONGEST:
        ranked = ranked[:-1]
    return text


def _read_findings(text: str | None) -> tuple[Finding, ...]:
    try:
        return msgspec.json.decode(text or "[]", type=tuple[Finding, ...])
    except msgspec.DecodeError:
        return ()


def _read_models(text: str | None) -> dict[str, str]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, str])
    except msgspec.DecodeError:
        return {}


def _not_logged(name: str, error: Exception) -> Finding:
    return Finding(
        code="model-not-logged",
        severity=Severity.ERROR,
        where=f"model {name}",
        seen=f"it could not be logged: {type(error).__name__}: {str(error)[:200]}",
        remedy="Define the estimator's classes in a module, and run the cell again",
    )


def _parameter(value: Value | list[Value]) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:LONGEST_PARAMETER]


def _millis(seconds: float) -> int:
    return int(seconds * 1000)
