"""What a run can show for itself when its cell has ended: numbers, tables, models and the contract."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from cellops.capture import findings as checks
from cellops.capture.content.fingerprint import fingerprint
from cellops.capture.content.rows import compare
from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.environment.modules import code_digest, not_kept
from cellops.capture.files.watcher import Files
from cellops.capture.names.hidden_state import History
from cellops.capture.quiet import quiet
from cellops.capture.randomness import rng
from cellops.capture.redaction import redact, redact_value
from cellops.capture.results.results import FittedModel, Namespace, Results, collect, scalar_parameters, values
from cellops.capture.results.splits import shared_rows, splits_of_run
from cellops.capture.results.tables import Pair, Table, data_of_calls, named_tables
from cellops.capture.watcher import OpenCell
from cellops.errors import CellopsError, UsageError
from cellops.flows.answered_rows import keep_rows
from cellops.flows.check_split import leaks_of_run
from cellops.flows.contract import make_contract
from cellops.flows.gate_figures import Measured, asked, measure, missed_by, unmeasured
from cellops.flows.open_run import OpenRun, RunOptions
from cellops.flows.spool import spool
from cellops.records.base import Value
from cellops.records.cell import CellRecord
from cellops.records.contract import Suite
from cellops.records.finding import Finding, Severity
from cellops.records.run import RunClosed, RunStatus
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
        contract = attempt(f"model {own.name}", partial(make_contract, own, suites, seen, content)) if own else None
        if own is not None and own.training is not None and contract is not None and spools[0] is not None:
            attempt(f"model {own.name}", partial(keep_rows, spools[0], own.training[0].value))
        gates, columns = asked(run.options), run.options.groups
        found = None
        if gates or columns:
            found = attempt(where, partial(measure, gates, results.metrics, own, contract, namespace, columns=columns))
            seen += unmeasured(columns, found or Measured(), contract, where)
    tables = tuple({(d.name, d.role): d for d in data if d is not None}.values())
    overlaps = tuple(overlap for overlap in compared if overlap is not None)
    seen += checks.evaluated_on_training_data(tables, where) or [f for o in overlaps for f in shared_rows(o, where)]
    seen += attempt(where, partial(leaks_of_run, closed.splits, _evaluated(models), where)) or []
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
    splits = _attempt(seen, where, partial(splits_of_run, trail, record, cells)) or ()
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
