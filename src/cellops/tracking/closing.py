"""What a run left behind, on its way to MLflow: all that the store takes, and a finding for the rest."""

import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cellops.errors import RefusedError, TrackingError
from cellops.records.base import Record, Value
from cellops.records.cell import CellRecord
from cellops.records.finding import Finding, Severity
from cellops.records.recorded import needed_states
from cellops.records.run import DataFingerprint, ModelSpool, RunClosed
from cellops.settings import FEATURE_TYPE, Settings
from cellops.tracking import tags
from cellops.tracking.client import FROM_A_STORE_THAT_ANSWERS, active, reachable, unanswered
from cellops.tracking.model import MissingModuleError, UnloggableError, log_model
from cellops.tracking.names import accepted, accepted_models, shortened
from cellops.tracking.summaries import findings_tag, read_findings, read_models

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

FOLDER = "cellops"
"""The folder among a run's artifacts that holds our records."""
FIGURES = "figures"
BATCH = 100
"""MLflow takes at most this many parameters in one call."""
LONGEST_PARAMETER = 6000
LONGEST_DATASET = 500
MOST_KEPT = 20_000_000
"""Bytes of numbers and states that go with one run."""
NOT_LOGGED = "model-not-logged"
WAITS = "model-waits"


class Closed(Record, frozen=True, kw_only=True):
    """What became of a run's record."""

    findings: tuple[Finding, ...] = ()
    """What the store did not take."""
    models: dict[str, str] = {}  # noqa: RUF012 - msgspec copies mutable defaults
    """Names of the models that it took, with their URIs."""
    waits: bool = False
    """Whether a model can be logged once its module is found; closing again tries it again."""


class Closing:
    """Writes to one run, whose store has just answered. Done again after an interruption, it adds what is missing."""

    def __init__(self, client: "MlflowClient", settings: Settings, run: "Run", closed: RunClosed) -> None:
        self._client = client
        self._settings = settings
        self._id: str = run.info.run_id
        self._closed = closed
        self._model_names = accepted_models(spool.name for spool in closed.models)
        self._models = read_models(run.data.tags)
        self._earlier = [finding for finding in read_findings(run.data.tags) if finding.code != WAITS]
        self._findings: list[Finding] = []

    def close(self, trail: Sequence[CellRecord]) -> Closed:
        self._log_numbers()
        self._log_data()
        self._attempt("its records", partial(self._log_records, trail))
        for figure in self._closed.figures:
            self._attempt(f"figure {figure.name}", partial(self._log_figure, Path(figure.path)))
        for position, spool in enumerate(self._closed.models):
            self._log_model(spool, first=position == 0)
        for name, value in tags.of_closed(self._closed).items():
            self._attempt(f"tag {name}", partial(self._client.set_tag, self._id, name, value))
        self._keep_findings()
        with reachable(self._settings):
            self._client.set_terminated(self._id, status=self._closed.status.value, end_time=millis(self._closed.ended))
            waits = any(finding.code == WAITS for finding in self._findings)
            if not waits:
                self._client.set_tag(self._id, tags.COMPLETE, "true")
        return Closed(findings=tuple(self._findings), models=self._models, waits=waits)

    def keep_models(self) -> Closed:
        """Write nothing but the models of the run."""
        for position, spool in enumerate(self._closed.models):
            self._log_model(spool, first=position == 0)
        if self._findings:
            self._keep_findings()
        waits = any(finding.code == WAITS for finding in self._findings)
        return Closed(findings=tuple(self._findings), models=self._models, waits=waits)

    def _attempt(self, what: str, write: Callable[[], object]) -> bool:
        """Write; what the store refuses for good is a finding."""
        try:
            with reachable(self._settings, refusals=FROM_A_STORE_THAT_ANSWERS):
                write()
        except RefusedError as error:
            self._findings.append(_not_taken(f"run {self._closed.run[:8]}, {what[:80]}", error))
            return False
        return True

    def _log_numbers(self) -> None:
        from mlflow.entities import Metric, Param

        time = millis(self._closed.ended)
        found = {**self._closed.metrics, **self._closed.measured}
        names = accepted(found)
        # What was reported before is a series, whose newest value this is.
        steps = self._closed.reported
        metrics = [Metric(names[name], value, time, steps.get(name, 0)) for name, value in found.items()]
        names = accepted(self._closed.parameters)
        parameters = [Param(names[name], _parameter(value)) for name, value in self._closed.parameters.items()]
        entries: list[Any] = [*metrics, *parameters]
        self._log_in_parts([(entry.key, entry) for entry in entries], self._log_entries)

    def _log_entries(self, entries: Sequence[Any]) -> None:
        from mlflow.entities import Metric

        metrics = [entry for entry in entries if isinstance(entry, Metric)]
        self._client.log_batch(self._id, metrics, [entry for entry in entries if not isinstance(entry, Metric)])

    def _log_data(self) -> None:
        tables = [(f"table {table.name}", _input(table)) for table in self._closed.data]
        self._log_in_parts(tables, partial(self._client.log_inputs, self._id))

    def _log_in_parts(self, named: Sequence[tuple[str, Any]], write: Callable[[Sequence[Any]], object]) -> None:
        """Write what has names, many at once; where that is refused, its halves, so that one keeps no other back."""
        if len(named) > BATCH:
            for start in range(0, len(named), BATCH):
                self._log_in_parts(named[start : start + BATCH], write)
        elif len(named) == 1:
            self._attempt(named[0][0], partial(write, [named[0][1]]))
        elif named:
            try:
                with reachable(self._settings, refusals=FROM_A_STORE_THAT_ANSWERS):
                    write([one for _, one in named])
            except RefusedError:
                for part in (named[: len(named) // 2], named[len(named) // 2 :]):
                    self._log_in_parts(part, write)

    def _log_records(self, trail: Sequence[CellRecord]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file, content in _records(self._closed, trail, self._settings).items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(content)
            self._client.log_artifacts(self._id, name, FOLDER)

    def _log_figure(self, figure: Path) -> None:
        """Log a figure; one that an earlier writer has logged and deleted is passed over."""
        if figure.exists() and self._settings.holds(figure):
            self._client.log_artifact(self._id, str(figure), FIGURES)

    def _log_model(self, spool: ModelSpool, *, first: bool) -> None:
        """Log a model and remember at once that it is logged, or why it cannot be."""
        where = f"model {spool.name}"
        if spool.name in self._models or any(f.code == NOT_LOGGED and f.where == where for f in self._earlier):
            return
        contract = self._closed.contract if first else None
        try:
            with reachable(self._settings, refusals=FROM_A_STORE_THAT_ANSWERS), active(self._settings):
                uri = log_model(
                    self._client,
                    self._id,
                    spool,
                    name=self._model_names[spool.name],
                    contract=contract,
                    environment=self._closed.environment,
                    trusted=(*self._settings.trusted, FEATURE_TYPE),  # its code is kept, and executed by nobody here
                    folder=self._settings.folder.resolve() / "spool" / self._closed.run,
                )
        except MissingModuleError as error:
            self._findings.append(_waiting(where, str(error)))
        except (UnloggableError, RefusedError) as error:
            self._findings.append(_not_logged(where, str(error)))
            self._keep_findings()
        except TrackingError:
            raise
        except Exception as error:
            raise unanswered(self._settings, error) from error  # clients of artifact stores have errors of their own
        else:
            self._models[spool.name] = uri
            self._attempt("models", partial(self._client.set_tag, self._id, tags.MODEL, json.dumps(self._models)))

    def _keep_findings(self) -> None:
        found = list(dict.fromkeys([*self._closed.findings, *self._earlier, *self._findings]))
        with reachable(self._settings):
            self._client.set_tag(self._id, tags.FINDINGS, findings_tag(found))


def _input(table: DataFingerprint) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = {"pointer": table.pointer, "method": table.method, "digest": table.digest}
    dataset = Dataset(
        name=shortened(table.name, LONGEST_DATASET),
        digest=table.digest.rpartition(":")[2][:36],
        source_type="notebook",
        source=json.dumps(source),
        profile=json.dumps({"num_rows": table.rows, "num_columns": table.columns}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", table.role)])


def _records(run: RunClosed, trail: Sequence[CellRecord], settings: Settings) -> dict[str, bytes]:
    """The files of a run's folder, by name."""
    files = {
        "record.json": run.replace(contract=None, environment=None, code=None).to_pretty_json(),
        "trail.jsonl": b"".join(record.to_json() + b"\n" for record in trail),
        "findings.json": msgspec.json.format(msgspec.json.encode(run.findings)),
        "data.json": msgspec.json.format(msgspec.json.encode(run.data)),
    }
    made = [split.made for split in run.splits if split.made is not None]
    if made:
        files["splits.json"] = msgspec.json.format(msgspec.json.encode(made))
    if run.environment is not None:
        files["environment.json"] = run.environment.to_pretty_json()
        files["lock.txt"] = run.environment.lock().encode()
    if run.code is not None:
        files["code.json"] = run.code.to_pretty_json()
        files["code.patch"] = _kept(run.code.patch_path, settings)
    files |= _kept_of_slice(run, trail, settings)
    modules = [module for module in run.modules if module.kept is not None and ".." not in Path(module.path).parts]
    files |= {f"modules/{module.path}": _kept(module.kept, settings) for module in modules}
    if run.contract is not None:
        files["contract.json"] = run.contract.to_pretty_json()
    return files


def _kept_of_slice(run: RunClosed, trail: Sequence[CellRecord], settings: Settings) -> dict[str, bytes]:
    """What executing the slice again starts from: states of generators, and numbers to measure differences with."""
    wanted = {record.order for record in trail} if run.slice is None else set(run.slice.cells)
    cells = [record for record in trail if record.order in wanted]
    states = [use.state for _, use in needed_states(cells)]
    numbers = [value.numbers for record in cells for value in record.values]
    named = [*(f"states/{name}" for name in states if name), *(f"values/{name}" for name in numbers if name)]
    files: dict[str, bytes] = {}
    for name in dict.fromkeys(named):
        content = _kept(str(settings.folder / name), settings)
        if content and sum(map(len, files.values())) + len(content) <= MOST_KEPT:
            files[name] = content
    return files


def _kept(path: str | None, settings: Settings) -> bytes:
    """What the kernel kept; nothing where someone has deleted it, or where it is not the kernel's."""
    if path is None or not Path(path).exists() or not settings.holds(path):
        return b""
    return Path(path).read_bytes()


def _not_logged(where: str, reason: str) -> Finding:
    return Finding(
        code=NOT_LOGGED,
        severity=Severity.ERROR,
        where=where,
        seen=f"it could not be logged: {reason}",
        remedy="Define the estimator's classes in a module, and run the cell again",
    )


def _waiting(where: str, reason: str) -> Finding:
    return Finding(
        code=WAITS,
        severity=Severity.ERROR,
        where=where,
        seen=f"it is not logged yet: {reason}",
        remedy="Install the module, or put its folder on PYTHONPATH, then run: cellops sync",
    )


def _not_taken(where: str, error: RefusedError) -> Finding:
    return Finding(code="not-logged", severity=Severity.ERROR, where=where, seen=error.fact, remedy=error.remedy)


def _parameter(value: Value | list[Value]) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:LONGEST_PARAMETER]


def millis(seconds: float) -> int:
    return int(seconds * 1000)
