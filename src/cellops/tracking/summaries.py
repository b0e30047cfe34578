"""A run of MLflow as a `RunSummary`, and what its tags hold."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from cellops.records.finding import Finding, Severity
from cellops.records.gate import GateResult
from cellops.records.run import RunStatus, RunSummary
from cellops.tracking import tags
from cellops.tracking.names import told

if TYPE_CHECKING:
    from mlflow.entities import Run

LONGEST_SEED = 19
"""Digits of a number of 64 bits."""


class MlflowRun(NamedTuple):
    """What is read of a run in MLflow; times are milliseconds since the epoch."""

    id: str
    name: str | None
    status: str
    started: int
    ended: int | None
    experiment: str | None
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]

    @classmethod
    def of(cls, run: "Run", experiments: Mapping[str, str]) -> Self:
        """The same of an entity of MLflow."""
        info, data = run.info, run.data
        experiment = experiments.get(info.experiment_id)
        times = info.start_time, info.end_time
        return cls(info.run_id, info.run_name, info.status, *times, experiment, data.tags, data.params, data.metrics)


def summary(run: MlflowRun) -> RunSummary:
    held = run.tags
    return RunSummary(
        run=held.get(tags.RUN, run.id),
        name=run.name or held.get("mlflow.runName", ""),
        status=_status(run.status),
        started=run.started / 1000,
        ended=run.ended / 1000 if run.ended else None,
        mlflow_run_id=run.id,
        experiment=run.experiment,
        notebook=held.get("mlflow.source.name"),
        seed=read_seed(held),
        synced=tags.RUN not in held or held.get(tags.COMPLETE) == "true",
        parameters=dict(run.parameters),
        metrics={told(name): value for name, value in run.metrics.items()},
        findings=read_findings(held),
        models=read_models(held),
        proof=held.get(tags.PROOF, "").partition(",")[0] or None,
        gates=read_gates(held),
        step=held.get(tags.STEP),
    )


def _status(text: str) -> RunStatus:
    return RunStatus(text) if text in set(RunStatus) else RunStatus.RUNNING


def findings_tag(findings: list[Finding]) -> str:
    """The findings as a tag, the gravest first, as many as MLflow takes."""
    ranked = sorted(findings, key=lambda f: list(Severity).index(f.severity), reverse=True)
    while len(text := msgspec.json.encode(ranked).decode()) > tags.LONGEST:
        ranked = ranked[:-1]
    return text


def read_seed(held: Mapping[str, str]) -> int | None:
    """None too for what anybody else has written there."""
    text = held.get(tags.SEED, "")
    return int(text) if text.isdecimal() and len(text) <= LONGEST_SEED else None


def read_findings(held: Mapping[str, str]) -> tuple[Finding, ...]:
    try:
        return msgspec.json.decode(held.get(tags.FINDINGS, "[]"), type=tuple[Finding, ...])
    except msgspec.DecodeError:
        return ()


def gates_tag(results: Iterable[GateResult]) -> str:
    """Gates as a tag, those that were not passed first, as many as MLflow takes."""
    ranked = sorted(results, key=lambda result: result.passed)
    while len(text := msgspec.json.encode(ranked).decode()) > tags.LONGEST:
        ranked = ranked[:-1]
    return text


def read_gates(held: Mapping[str, str]) -> tuple[GateResult, ...]:
    try:
        return msgspec.json.decode(held.get(tags.GATES, "[]"), type=tuple[GateResult, ...])
    except msgspec.DecodeError:
        return ()


def read_models(held: Mapping[str, str]) -> dict[str, str]:
    """Names of models with their URIs."""
    try:
        return msgspec.json.decode(held.get(tags.MODEL, "{}"), type=dict[str, str])
    except msgspec.DecodeError:
        return {}
