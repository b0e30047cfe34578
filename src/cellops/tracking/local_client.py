"""MLflow's client of a local store, which writes the rows of runs itself.

Whatever is not as plain as what cellops writes of a run is left to MLflow, and so is every refusal.
"""

import math
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import (
    DatasetInput,
    Experiment,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.entities import PagedList
from mlflow.tracking.fluent import get_active_model_id
from mlflow.utils import validation
from mlflow.utils.uri import append_to_uri_path

from cellops.records.run import RunStatus
from cellops.tracking.local_rows import Dataset, LeftToMlflowError, Rows

STATUS = frozenset(status.value for status in RunStatus)
WITH_TAG = re.compile(r"tags\.`([^`]+)` = '([^']+)'")


class LocalClient(MlflowClient):
    """Does what `MlflowClient` does, and leaves the same behind.

    Parameters
    ----------
    address
        Of the store, as MLflow takes it.
    path
        Its database, whose tables are of a known version (`Database.of`).
    """

    def __init__(self, address: str, path: Path) -> None:
        super().__init__(address)
        self._rows = Rows(path)
        self._experiments: dict[str, Experiment] = {}
        self._place: tuple[str, Any] = ("", None)
        """The run of which artifacts were kept last, with what keeps them."""

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """One that was found before, for as long as it is there."""
        known = self._experiments.get(name)
        if known is None or not self._has(known):
            known = super().get_experiment_by_name(name)
            if known is not None:
                self._experiments[name] = known
        return known

    def _has(self, known: Experiment) -> bool:
        try:
            return self._rows.has_experiment(known.experiment_id, known.name)
        except LeftToMlflowError:
            return False

    def search_runs(
        self, experiment_ids: list[str], filter_string: str = "", *args: Any, **options: Any
    ) -> PagedList[Run]:
        """None where no run at all has the tag that is looked for."""
        found = WITH_TAG.fullmatch(filter_string)
        if found is not None:
            with suppress(LeftToMlflowError):
                if not self._rows.has_tag(*found.groups()):
                    return PagedList([], None)
        return super().search_runs(experiment_ids, filter_string, *args, **options)

    def get_run(self, run_id: str) -> Run:
        try:
            return _entity(run_id, self._rows.run(run_id))
        except LeftToMlflowError:
            return super().get_run(run_id)

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: dict[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        known = next((one for one in self._experiments.values() if one.experiment_id == experiment_id), None)
        if known is not None and start_time is not None and tags and run_name is None:
            run = uuid.uuid4().hex
            uri = append_to_uri_path(known.artifact_location, run, "artifacts")  # type: ignore[no-untyped-call]
            with suppress(LeftToMlflowError):
                self._rows.create_run(run, (experiment_id, known.name), start_time, tags, uri)
                return self.get_run(run)
        return super().create_run(experiment_id, start_time, tags, run_name)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> Any:
        with suppress(LeftToMlflowError):
            return self._log(run_id, metrics, params, tags)
        return super().log_batch(run_id, metrics, params, tags, synchronous)

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        with suppress(LeftToMlflowError):
            return self._log(run_id, tags=[RunTag(key, str(value))])
        return super().set_tag(run_id, key, value, synchronous)

    def _log(
        self,
        run: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
    ) -> None:
        with _what_mlflow_accepts():
            validation._validate_run_id(run)  # type: ignore[no-untyped-call]
            validation._validate_batch_log_limits(metrics, params, tags)  # type: ignore[no-untyped-call]
            validation._validate_param_keys_unique(params)  # type: ignore[no-untyped-call]
            metrics, params, tags = validation._validate_batch_log_data(metrics, params, tags)  # type: ignore[no-untyped-call]
        if get_active_model_id() is not None or any(metric.model_id or metric.dataset_name for metric in metrics):
            raise LeftToMlflowError
        self._rows.log(
            run,
            [(metric.key, float(metric.value), metric.timestamp, metric.step) for metric in metrics],
            {param.key: param.value for param in params},
            {tag.key: tag.value for tag in tags},
        )

    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput] | None = None, models: Sequence[Any] | None = None
    ) -> None:
        if datasets and not models:
            with suppress(LeftToMlflowError):
                with _what_mlflow_accepts():
                    validation._validate_run_id(run_id)  # type: ignore[no-untyped-call]
                    validation._validate_dataset_inputs([*datasets])
                return self._rows.log_inputs(run_id, map(_dataset, datasets))
        return super().log_inputs(run_id, datasets, models)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        if status in STATUS and end_time is not None:
            with suppress(LeftToMlflowError):
                return self._rows.end(run_id, str(status), end_time)
        return super().set_terminated(run_id, status, end_time)

    def log_artifact(self, run_id: str, local_path: str, artifact_path: str | None = None) -> None:
        if Path(local_path).is_dir():
            super().log_artifact(run_id, local_path, artifact_path)
        else:
            self._artifacts_of(run_id).log_artifact(local_path, artifact_path)

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        self._artifacts_of(run_id).log_artifacts(local_dir, artifact_path)

    def _artifacts_of(self, run: str) -> Any:
        """What keeps files for a run; MLflow finds its place by an object for the whole run."""
        if self._place[0] != run:
            self._place = (run, get_artifact_repository(self._address_of(run)))
        return self._place[1]

    def _address_of(self, run: str) -> str:
        try:
            return self._rows.artifacts(run)
        except LeftToMlflowError:
            return str(super().get_run(run).info.artifact_uri)


@contextmanager
def _what_mlflow_accepts() -> Iterator[None]:
    """What it does not accept, it shall refuse itself."""
    try:
        yield
    except MlflowException as error:
        raise LeftToMlflowError from error


def _dataset(given: DatasetInput) -> Dataset:
    table, tags = given.dataset, {tag.key: tag.value for tag in given.tags}
    return Dataset(table.name, table.digest, table.source_type, table.source, table.schema, table.profile, tags)


def _entity(run: str, held: dict[str, Any]) -> Run:
    info = RunInfo(
        run_id=run,
        experiment_id=str(held["experiment_id"]),
        user_id=held["user_id"],
        status=held["status"],
        start_time=held["start_time"],
        end_time=held["end_time"],
        lifecycle_stage=held["lifecycle_stage"],
        artifact_uri=held["artifact_uri"],
        run_name=held["name"],
    )
    metrics = [
        Metric(name, math.nan if is_nan else value, when, step, run_id=run)
        for name, value, when, step, is_nan in held["metrics"]
    ]
    params, tags = [Param(*one) for one in held["params"]], [RunTag(*one) for one in held["tags"]]
    return Run(info, RunData(metrics, params, tags), RunInputs([], []), RunOutputs([]))
