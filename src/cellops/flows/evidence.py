"""What a run can show for itself when its cell has ended: numbers, tables, models and the contract."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from cellops.capture import findings as checks
from cellops.capture.content.fingerprint import fingerprint, is_table
from cellops.capture.content.rows import compare
from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.environment.import_paths import project_paths
from cellops.capture.environment.modules import code_digest, not_kept
from cellops.capture.files.watcher import Files
from cellops.capture.names.bindings import is_model
from cellops.capture.names.hidden_state import History
from cellops.capture.quiet import quiet
from cellops.capture.randomness import rng
from cellops.capture.redaction import redact, redact_scalar, redact_value
from cellops.capture.results.results import FittedModel, Namespace, Results, collect, scalar_parameters, values
from cellops.capture.results.splits import shared_rows, splits_of_run
from cellops.capture.results.tables import Pair, Table, data_of_calls, named_tables
from cellops.capture.secrets import KNOWN
from cellops.capture.token_shapes import token_in
from cellops.capture.watcher import OpenCell
from cellops.errors import CellopsError, UsageError
from cellops.flows.gate_figures import asked, measure, missed_by
from cellops.flows.open_run import OpenRun, RunOptions
from cellops.records.base import Value
from cellops.records.cell import CellRecord
from cellops.records.contract import Contract, Suite
from cellops.records.finding import Finding, Severity
from cellops.records.run import ModelSpool, RunClosed, RunStatus
from cellops.settings import Settings

UNSEEDED = "unseeded-randomness"
"""A finding on a cell that is a run's too, where it depends on the cell."""
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
    origin: Callable[[str], str | None],
) -> RunClosed:
    """Complete the record of a run. What cannot be had is a finding on the run; the rest is still recorded.

    Parameters
    ----------
    origin
        Gives for the expression of a table the file that it was read from.
    """
    where = f"run {run.opened.name}"
    seen: list[Finding] = [*closed.findings]

    def attempt(what: str, make: Callable[[], T]) -> T | None:
        return _attempt(seen, what, make)

    failed = closed.status is not RunStatus.FINISHED
    bound = run.before.bound(namespace, failed=failed, line=record.error.line if record.error else None)
    with rng.preserved(), quiet():
        fitted = run.before.fitted(namespace)
        results = attempt(where, lambda: collect(cell.flow, namespace, bound, fitted)) or Results()
    seen += checks.metrics_not_finite(results.not_finite, where)
    unsure = [] if failed else run.before.uncertain(namespace)
    seen += checks.metrics_uncertain((name for name in unsure if name in results.metrics), where)
    models = results.models if run.options.model and not failed else ()
    if run.options.training or run.options.evaluation:
        named = attempt(where, partial(_named, run.options, namespace, models)) or (None, None)
        models = tuple(_with_tables(model, named) for model in models)
    parameters = closed.parameters | results.parameters
    with rng.preserved(), quiet():
        for model in models:
            parameters |= _model_parameters(model)
            if _drew_unseeded(record):
                seen += checks.unseeded_estimators(model.name, model.estimator, where)
        spools = [attempt(f"model {m.name}", partial(spool, m, closed.run, settings)) for m in models]
        data = [
            attempt(f"data {table.name}", partial(fingerprint, table.name, role, table.value, origin(table.name)))
            for role, table in _used(models, attempt(where, partial(data_of_calls, cell.flow, namespace)) or [])
        ]
        compared = [attempt(f"data {pair[1][0].name}", partial(compare, *pair)) for pair in _evaluated(models)]
        content = {d.name: d.digest for d in data if d is not None and d.method == "full"}
        own = models[0] if models else None
        contract = attempt(f"model {own.name}", partial(build, own, suites, seen, content)) if own else None
        gates = asked(run.options)
        found = attempt(where, partial(measure, gates, results.metrics, own, contract, namespace)) if gates else None
    tables = tuple({(d.name, d.role): d for d in data if d is not None}.values())
    overlaps = tuple(overlap for overlap in compared if overlap is not None)
    seen += checks.evaluated_on_training_data(tables, where) or [f for o in overlaps for f in shared_rows(o, where)]
    code = attempt(where, run.code)
    seen += checks.uncommitted_code(code, where)
    modules = attempt(where, run.modules) or ()
    seen += not_kept(modules, where)
    closed = closed.replace(
        parameters=_redacted(parameters),
        metrics=results.metrics,
        not_finite=results.not_finite,
        measured=found.metrics if found is not None else {},
        groups=found.figures if found is not None else (),
        environment=attempt(where, run.environment),
        code=code,
        modules=modules,
        code_digest=code_digest(cell.body, modules),
        models=tuple(s for s in spools if s is not None),
        figures=record.figures,
        data=tables,
        overlaps=overlaps,
        contract=contract,
        findings=tuple(seen),
    )
    missed = attempt(where, partial(missed_by, run.opened, closed)) or []
    return closed.replace(findings=(*seen, *missed))


def with_slice(
    closed: RunClosed, run: OpenRun, record: CellRecord, history: History, trail: Iterable[CellRecord]
) -> RunClosed:
    """The record of a run with the cells it depends on, and what of them is drawn or no longer shown."""
    where = f"run {run.opened.name}"
    seen: list[Finding] = [*closed.findings]
    found = _attempt(seen, where, partial(history.slice, record.order))
    seen += _attempt(seen, where, partial(history.of_run, record.order, where)) or []
    above = set(found.cells) - {record.order} if found is not None else set()
    seen += [f for cell in trail if cell.order in above for f in cell.findings if f.code == UNSEEDED]
    return closed.replace(slice=found, findings=tuple(seen))


def with_files(
    closed: RunClosed, run: OpenRun, record: CellRecord, files: Files, trail: Iterable[CellRecord]
) -> RunClosed:
    """The record of a run with what the cells that it depends on have read, and how the rows were divided."""
    where = f"run {run.opened.name}"
    seen: list[Finding] = [*closed.findings]
    cells = closed.slice.cells if closed.slice is not None else None
    read = _attempt(seen, where, partial(files.read_by, cells)) or ()
    splits = _attempt(seen, where, partial(splits_of_run, trail, record)) or ()
    return closed.replace(files=read, splits=splits, findings=tuple(seen))


def _drew_unseeded(record: CellRecord) -> bool:
    """Whether the cell used numpy's global generator unseeded, which is where `random_state=None` draws from."""
    return any(use.name == "numpy" and use.consumed and not use.seeded for use in record.generators)


def declared(flow: Dataflow) -> Parameters:
    """What a cell's source says of its parameters, before it runs."""
    return _redacted({name: value for name, value in flow.literals.items() if not name.startswith("_")})


def with_parameters(known: Parameters, flow: Dataflow, namespace: Namespace) -> Parameters:
    """The parameters after a parameters cell: its literals and the scalars that it computed are new or stand anew."""
    bound = (*flow.literals, *flow.computed)
    kept = {name: value for name, value in known.items() if name not in bound}
    return kept | _redacted(values(bound, namespace))


def spool(model: FittedModel, run: str, settings: Settings) -> ModelSpool:
    """Write an estimator to the spool, readable by its owner only, from where the writer takes it.

    Raises
    ------
    UsageError
        When the estimator holds a value that is known as a secret, or a token: whoever has the model could read it.
    """
    import cloudpickle

    content = cloudpickle.dumps(model.estimator)
    if KNOWN.are_in(content):
        fact = f"{model.name} was not kept: the value of a Secret stands in it"
        raise UsageError(fact, remedy="Give the estimator no secret; read it where it is used")
    if token_in(content):
        fact = f"{model.name} was not kept: a text in it has the shape of an access token or a private key"
        raise UsageError(fact, remedy="Look at its parameters and at the names of the columns that it was fitted on")
    folder = settings.folder / "spool" / run
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(model.name.encode()).hexdigest()[:16]}.pkl"
    _write_private(path, content)
    kind = type(model.estimator)
    return ModelSpool(
        name=model.name,
        type=f"{kind.__module__}.{kind.__qualname__}",
        path=str(path),
        digest=hashlib.sha256(content).hexdigest(),
        parameters={redact(n): redact_scalar(n, v) for n, v in scalar_parameters(model.estimator).items()},
        import_paths=project_paths(),
    )


def build(model: FittedModel, suites: Iterable[Suite], findings: list[Finding], content: Mapping[str, str]) -> Contract:
    """The contract of a model, from the tables it was fitted and evaluated on.

    Parameters
    ----------
    findings
        Takes what the tables did not give.
    content
        Digests of whole tables by their names.

    Raises
    ------
    CellopsError
        When the cell does not show the tables, or the model cannot have a contract.
    """
    from cellops.packaging.contract import build_contract

    if not is_model(model.estimator):
        kind = type(model.estimator)
        fact = (
            f"{model.name} has no contract: a {kind.__module__.partition('.')[0]} {kind.__qualname__} has no get_params"
        )
        remedy = "Fit an estimator with scikit-learn's methods: XGBClassifier, LGBMRegressor, or skorch for torch"
        raise CellopsError(fact, remedy=remedy)
    if model.training is None:
        fact = f"The cell does not show what {model.name} was fitted on"
        remedy = f"Write {model.name}.fit(X, y) with the names of tables, or: %%mlops run --train X,y --test X2,y2"
        raise CellopsError(fact, remedy=remedy)
    if not all(is_table(table.value) for table in (*model.training, *(model.evaluation or ()))):
        kind = type(model.training[0].value)
        fact = (
            f"{model.name} has no contract: it was fitted on a {kind.__module__.partition('.')[0]} {kind.__qualname__}"
        )
        raise CellopsError(fact, remedy="Fit it on pandas: X.to_pandas()")
    training = (model.training[0].value, model.training[1].value)
    evaluation = (model.evaluation[0].value, model.evaluation[1].value) if model.evaluation else None
    suite = _merged(suites, training[0])
    return build_contract(
        model.estimator,
        training,
        evaluation,
        suite=suite,
        findings=findings,
        content=content.get(model.training[0].name),
    )


def _merged(suites: Iterable[Suite], inputs: object) -> Suite | None:
    """The expectations of the session that speak of the model's inputs, as one suite."""
    columns = {str(name) for name in getattr(inputs, "columns", ())}
    kept = [e for suite in suites for e in suite.expectations if e.columns and set(e.columns) <= columns]
    names = [suite.name for suite in suites]
    return Suite(name="+".join(names), expectations=tuple(kept)) if kept else None


def _named(
    options: RunOptions, namespace: Namespace, models: tuple[FittedModel, ...]
) -> tuple[Pair | None, Pair | None]:
    """The tables that the options name.

    Raises
    ------
    UsageError
        When they are no tables, or no model was fitted that they could belong to.
    """
    pairs = named_tables(options.training, namespace), named_tables(options.evaluation, namespace)
    if not models:
        fact = "The options name tables, and the cell kept no fitted model that they belong to"
        raise UsageError(fact, remedy="Fit the model in this cell, or leave --train and --test away")
    return pairs


def _with_tables(model: FittedModel, named: tuple[Pair | None, Pair | None]) -> FittedModel:
    """Tables that the options name win over those that the source shows."""
    return FittedModel(model.name, model.estimator, named[0] or model.training, named[1] or model.evaluation)


def _tables(model: FittedModel) -> list[tuple[str, Table]]:
    """The model's tables with the role of each."""
    roles = (("training", model.training), ("evaluation", model.evaluation))
    return [(role, table) for role, pair in roles if pair for table in pair]


def _used(models: Iterable[FittedModel], others: Iterable[tuple[str, Table]]) -> list[tuple[str, Table]]:
    """The models' tables, and other data that the cell gave to estimators and metrics, each name once in a role."""
    tables = [pair for model in models for pair in _tables(model)]
    known = {table.name for _, table in tables}
    rest = [(role, table) for role, table in others if table.name not in known]
    return list({(role, table.name): (role, table) for role, table in (*tables, *rest)}.values())


def _evaluated(models: Iterable[FittedModel]) -> list[tuple[Pair, Pair]]:
    """What models were fitted on with what they are evaluated on, each once."""
    pairs = [(model.training, model.evaluation) for model in models]
    return list({(t[0].name, e[0].name): (t, e) for t, e in pairs if t and e}.values())


def _model_parameters(model: FittedModel) -> Parameters:
    return {f"{model.name}.{name}": value for name, value in scalar_parameters(model.estimator).items()}


def _redacted(given: Parameters) -> Parameters:
    return {redact(name): redact_value(name, value) for name, value in given.items()}


def _attempt(seen: list[Finding], where: str, make: Callable[[], T]) -> T | None:
    """The thing made, or nothing and a finding that says why."""
    try:
        return make()
    except CellopsError as error:
        seen.append(_incomplete(where, error.fact, error.remedy))
    except KeyboardInterrupt:
        seen.append(_incomplete(where, "this part of the record was interrupted", "Run the cell again to have it"))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's estimator runs here
        text = redact(f"{type(error).__name__}: {error}")[:200]
        seen.append(_incomplete(where, text, "The run itself is complete; this part of its record is not"))
    return None


def _incomplete(where: str, fact: str, remedy: str) -> Finding:
    return Finding(code="incomplete-evidence", severity=Severity.WARNING, where=where, seen=fact, remedy=remedy)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
