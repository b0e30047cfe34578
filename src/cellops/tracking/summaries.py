"""A run of MLflow as a `RunSummary`, and what its tags hold."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from cellops.records.finding import Finding, Severity
from cellops.records.gate import GateResult
from cellops.records.run import RunStatus, RunSummary
from cellops.tracking import tags

if TYPE_CHECKING:
    from mlflow.entities import Run


def summary(run: "Run", experiments: dict[str, str]) -> RunSummary:
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


def read_findings(held: dict[str, str]) -> tuple[Finding, ...]:
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


def read_gates(held: dict[str, str]) -> tuple[GateResult, ...]:
    try:
        return msgspec.json.decode(held.get(tags.GATES, "[]"), type=tuple[GateResult, ...])
    except msgspec.DecodeError:
        return ()


def read_models(held: dict[str, str]) -> dict[str, str]:
    """Names of models with their URIs."""
    try:
        return msgspec.json.decode(held.get(tags.MODEL, "{}"), type=dict[str, str])
    except msgspec.DecodeError:
        return {}
