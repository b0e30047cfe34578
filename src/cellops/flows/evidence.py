"""What a run can show for itself when its cell has ended: numbers, tables, models and the contract."""

import hashlib
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from cellops.capture import findings as checks
from cellops.capture import rng
from cellops.capture.cell import OpenCell
from cellops.capture.data import fingerprint
from cellops.capture.dataflow import Dataflow
from cellops.capture.environment import read_environment
from cellops.capture.redaction import redact
from cellops.capture.results import FittedModel, Namespace, Table, collect, resolve_names, scalar_parameters
from cellops.errors import CellopsError
from cellops.flows.open_run import OpenRun
from cellops.records.base import Value
from cellops.records.cell import CellRecord
from cellops.records.contract import Contract, Suite
from cellops.records.finding import Finding, Severity
from cellops.records.run import DataFingerprint, ModelSpool, RunClosed, RunStatus
from cellops.settings import Settings

T = TypeVar("T")
Parameters = dict[str, Value | list[Value]]


def gather(
    closed: RunClosed,
    run: OpenRun,
    cell: OpenCell,
    record: CellRecord,
    *,
    namespace: Namespace,
    settings: Settings,
    suites: list[Suite],
) -> RunClosed:
    """Complete the record of a run. What cannot be had is a finding on the run; the rest is still recorded."""
    where = f"run {run.opened.name}"
    seen: list[Finding] = [*closed.findings]
    code = run.code()
    seen += checks.uncommitted_code(code, where)
    results = collect(cell.flow, namespace)
    seen += checks.metrics_not_finite(results.not_finite, where)
    closed = closed.replace(
        parameters=_redacted(closed.parameters | results.parameters),
        metrics=results.metrics,
        environment=read_environment(),
        code=code,
    )
    models = results.models if run.options.model and closed.status is RunStatus.FINISHED else ()
    models = tuple(_named_tables(model, run, namespace) for model in models)
    spools, data, contract = [], [], None
    with rng.preserved():
        for model in models:
            if _drew_unseeded(record):
                seen += checks.unseeded_estimators(model.name, model.estimator, where)
            spools += _attempt(seen, f"model {model.name}", partial(spool, model, closed.run, settings))
            data += _fingerprints(model)
        if models:
            contract = next(iter(_attempt(seen, f"model {models[0].name}", partial(build, models[0], suites))), None)
    return closed.replace(
        parameters=closed.parameters | (_model_parameters(models[0]) if models else {}),
        models=tuple(spools),
        data=tuple({(d.name, d.role): d for d in data}.values()),
        contract=contract,
        findings=tuple(seen),
    )


def _drew_unseeded(record: CellRecord) -> bool:
    """Whether the cell used numpy's global generator unseeded, which is where `random_state=None` draws from."""
    return any(use.name == "numpy" and use.consumed and not use.seeded for use in record.generators)


def parameters(flow: Dataflow, namespace: Namespace) -> Parameters:
    """The values of a parameters cell: its literals, and the scalars that it computed."""
    computed = {name: namespace[name] for name in flow.computed if name in namespace}
    scalars = {n: v for n, v in computed.items() if isinstance(v, str | int | float | None)}
    return _redacted({**flow.literals, **scalars})


def spool(model: FittedModel, run: str, settings: Settings) -> ModelSpool:
    """Write an estimator to the spool, readable by its owner only, from where the writer takes it."""
    import cloudpickle

    content = cloudpickle.dumps(model.estimator)
    folder = settings.folder / "spool" / run
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{model.name}.pkl"
    _write_private(path, content)
    kind = type(model.estimator)
    return ModelSpool(
        name=model.name,
        type=f"{kind.__module__}.{kind.__qualname__}",
        path=str(path),
        digest=hashlib.sha256(content).hexdigest(),
        parameters=scalar_parameters(model.estimator),
    )


def build(model: FittedModel, suites: Iterable[Suite]) -> Contract:
    """The contract of a model, from the tables it was fitted and evaluated on.

    Raises
    ------
    CellopsError
        When the cell does not show the tables, or the model cannot have a contract.
    """
    from cellops.packaging.contract import build_contract

    if model.training is None:
        fact = f"The cell does not show what {model.name} was fitted on"
        remedy = f"Write {model.name}.fit(X, y) with the names of tables, or: %%mlops run --train X,y --test X2,y2"
        raise CellopsError(fact, remedy=remedy)
    training = (model.training[0].value, model.training[1].value)
    evaluation = (model.evaluation[0].value, model.evaluation[1].value) if model.evaluation else None
    return build_contract(model.estimator, training, evaluation, suite=_merged(suites, training[0]))


def _merged(suites: Iterable[Suite], inputs: object) -> Suite | None:
    """The expectations of the session that speak of the model's inputs, as one suite."""
    columns = {str(name) for name in getattr(inputs, "columns", ())}
    kept = [e for suite in suites for e in suite.expectations if e.columns and set(e.columns) <= columns]
    names = [suite.name for suite in suites]
    return Suite(name="+".join(names), expectations=tuple(kept)) if kept else None


def _named_tables(model: FittedModel, run: OpenRun, namespace: Namespace) -> FittedModel:
    """Tables that the options name win over those that the source shows."""
    training = resolve_names(run.options.training, namespace) or model.training
    evaluation = resolve_names(run.options.evaluation, namespace) or model.evaluation
    return FittedModel(model.name, model.estimator, training, evaluation)


def _fingerprints(model: FittedModel) -> list[DataFingerprint]:
    roles: list[tuple[str, tuple[Table, Table] | None]] = [
        ("training", model.training),
        ("evaluation", model.evaluation),
    ]
    return [fingerprint(table.name, role, table.value) for role, pair in roles if pair for table in pair]


def _model_parameters(model: FittedModel) -> Parameters:
    return {f"{model.name}.{name}": value for name, value in scalar_parameters(model.estimator).items()}


def _redacted(values: Parameters) -> Parameters:
    return {name: redact(value) if isinstance(value, str) else value for name, value in values.items()}


def _attempt(seen: list[Finding], where: str, make: Callable[[], T]) -> list[T]:
    """The thing made, or nothing and a finding that says why."""
    try:
        return [make()]
    except CellopsError as error:
        seen.append(_incomplete(where, error.fact, error.remedy))
    except Exception as error:  # noqa: BLE001 - the user's estimator runs here
        text = f"{type(error).__name__}: {str(error)[:200]}"
        seen.append(_incomplete(where, text, "The run itself is complete; this part of its record is not"))
    return []


def _incomplete(where: str, fact: str, remedy: str) -> Finding:
    return Finding(code="incomplete-evidence", severity=Severity.WARNING, where=where, seen=fact, remedy=remedy)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
