"""In the kernel: what gates and `--group` ask for and the cell did not compute, and the gates that a run has missed."""

import os
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from cellops.capture.redaction import redact
from cellops.capture.results.results import FittedModel
from cellops.flows.open_run import RunOptions
from cellops.records.contract import Contract
from cellops.records.finding import Finding, Severity
from cellops.records.gate import GateFigure, GateResult, not_passed
from cellops.records.run import RunClosed, RunOpened

if TYPE_CHECKING:
    import pandas as pd

    from cellops.pipeline.gates.words import GroupCall


LONGEST_REASON = 200
NO_MODEL = "the run has no model with a contract and evaluation rows"
GATES = "CELLOPS_EXECUTION_GATES"
"""The variable by which an execution tells its kernels the gates of all its runs, one a line."""


def asked(options: RunOptions) -> tuple[str, ...]:
    """The gates that a run answers for: its own, and as a part of an execution those of the execution."""
    return (*options.gates, *os.environ.get(GATES, "").splitlines())


class Measured(NamedTuple):
    """Metrics by name, and what is behind each, or why there is none."""

    metrics: Mapping[str, float] = {}
    figures: tuple[GateFigure, ...] = ()


def measure(
    texts: tuple[str, ...],
    computed: Mapping[str, float],
    model: FittedModel | None,
    contract: Contract | None,
    namespace: Mapping[str, Any],
    *,
    columns: tuple[str, ...] = (),
) -> Measured:
    """Measure what gates name and the run has not computed, on its first model and that model's evaluation rows.

    Parameters
    ----------
    texts
        The gates.
    computed
        The metrics that the run has.
    model, contract
        The model that was kept first, and its contract; without them there are no figures, and a reason.
    namespace
        Where a column stands that the model does not take: under its own name, one value for each evaluation row.
    columns
        Those by whose groups a run is to be measured, whatever its gates ask.

    Raises
    ------
    UsageError
        When a gate cannot be read.
    """
    from cellops.pipeline.gates.grammar import read_all
    from cellops.pipeline.gates.words import LATENCY

    gates = read_all(texts)
    calls = {group.name: group for gate in gates for group in gate.groups}
    calls |= {group.name: group for column in columns for group in _of_column(column, contract)}
    named = {name: LATENCY.fullmatch(name) for gate in gates for name in gate.names if name not in computed}
    percentiles = {name: int(found[1]) for name, found in named.items() if found}
    if not calls and not percentiles:
        return Measured()
    try:
        figures = tuple(_figures(calls.values(), percentiles, model, contract, namespace))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's estimator runs here
        reason = redact(f"the model did not answer: {type(error).__name__}: {error}")[:LONGEST_REASON]
        figures = tuple(GateFigure(name=name, reason=reason) for name in (*calls, *percentiles))
    return Measured({figure.name: figure.value for figure in figures if figure.value is not None}, figures)


def unmeasured(columns: Iterable[str], found: Measured, contract: Contract | None, where: str) -> Iterator[Finding]:
    """The columns by whose groups a run could not be measured, with the reason."""
    for column in columns:
        names = {call.name for call in _of_column(column, contract)}
        reasons = {figure.name: figure.reason for figure in found.figures if figure.name in names and figure.reason}
        if names and len(reasons) < len(names):
            continue
        yield Finding(
            code="incomplete-evidence",
            severity=Severity.WARNING,
            where=where,
            seen=f"the model is not measured by groups of {column}: {next(iter(reasons.values()), NO_MODEL)}",
            remedy="Name a column of the evaluation rows, or a Series with their index, and evaluate on enough rows",
        )


def _of_column(column: str, contract: Contract | None) -> "Iterator[GroupCall]":
    """What says most of how a model treats groups: how far apart the best and the worst of them are."""
    from cellops.packaging.groups import figures_of_groups
    from cellops.pipeline.gates.words import GroupCall

    for figure in figures_of_groups(contract.schema) if contract is not None else ():
        yield GroupCall(function="gap_group", figure=figure, column=column)


def _figures(
    calls: "Iterable[GroupCall]",
    percentiles: Mapping[str, int],
    model: FittedModel | None,
    contract: Contract | None,
    namespace: Mapping[str, Any],
) -> Iterator[GateFigure]:
    if model is None or contract is None or model.evaluation is None:
        yield from (GateFigure(name=name, reason=NO_MODEL) for name in (*(call.name for call in calls), *percentiles))
        return
    yield from _grouped(calls, model, contract, namespace)
    for name, percent in percentiles.items():
        yield _latency(name, percent, model, contract)


def _latency(name: str, percent: int, model: FittedModel, contract: Contract) -> GateFigure:
    from cellops.packaging.latency import FEWEST, latency
    from cellops.packaging.predictor import SklearnPredictor

    value = latency(SklearnPredictor(model.estimator, contract.schema), _inputs(model, contract), percent)
    reason = f"fewer than {FEWEST} rows were answered in time" if value is None else ""
    return GateFigure(name=name, value=value, reason=reason)


def _grouped(
    calls: "Iterable[GroupCall]", model: FittedModel, contract: Contract, namespace: Mapping[str, Any]
) -> Iterator[GateFigure]:
    from cellops.packaging.groups import group_figure
    from cellops.packaging.predictor import SklearnPredictor

    assert model.evaluation is not None  # noqa: S101 - `_figures` has looked
    inputs, target = (table.value for table in model.evaluation)
    answers = None
    for call in calls:
        column = _column(call.column, inputs, namespace)
        if isinstance(column, str):
            yield GateFigure(name=call.name, reason=f"the evaluation rows have no column {call.column}, and {column}")
            continue
        answers = answers or SklearnPredictor(model.estimator, contract.schema).answer(_inputs(model, contract))
        found = group_figure(
            call.name,
            call.function,
            call.figure,
            call.smallest,
            schema=contract.schema,
            target=target,
            answers=answers,
            column=column,
        )
        yield _without_secrets(found)


def _inputs(model: FittedModel, contract: Contract) -> "pd.DataFrame":
    assert model.evaluation is not None  # noqa: S101 - `_figures` has looked
    table: pd.DataFrame = model.evaluation[0].value
    return table[[field.name for field in contract.schema.inputs]]


def _column(name: str, inputs: "pd.DataFrame", namespace: Mapping[str, Any]) -> "pd.Series[Any] | str":
    """The column of the evaluation rows; else a Series of that name in the notebook that has the same index.

    Where there is neither, why the variable of that name is none.
    """
    import pandas as pd

    if name in inputs.columns:
        found: pd.Series[Any] = inputs[name]
        return found.reset_index(drop=True)
    if name not in namespace:
        near = get_close_matches(name, [one for one in inputs.columns if type(one) is str], n=1)
        return f"the notebook no variable of that name{f' (did you mean {near[0]}?)' if near else ''}"
    beside = namespace[name]
    if type(beside) is not pd.Series:
        return f"the variable {name} is of type {type(beside).__name__}, no Series with their index"
    if not beside.index.equals(inputs.index):
        return f"the Series {name} has another index than they: {len(beside)} rows beside {len(inputs)}"
    return beside.reset_index(drop=True)


def _without_secrets(figure: GateFigure) -> GateFigure:
    """Names of groups are values of the data."""
    groups = tuple(g.replace(name=redact(g.name)) if isinstance(g.name, str) else g for g in figure.groups)
    extremes = tuple(redact(name) if isinstance(name, str) else name for name in figure.extremes)
    return figure.replace(groups=groups, extremes=extremes)


def missed_by(opened: RunOpened, closed: RunClosed) -> list[Finding]:
    """The gates of its own header that a run has missed; what asks for the champion is left to `cellops execute`."""
    if not opened.gates:
        return []
    from cellops.pipeline.gates.grammar import read_all
    from cellops.pipeline.gates.judging import judge as judge_one

    gates = [gate for gate in read_all(opened.gates) if not gate.champion]
    results = [judge_one(gate, (opened, closed), lambda _: None) for gate in gates]
    return [_finding(result) for result in not_passed(results)]


def _finding(result: GateResult) -> Finding:
    return Finding(
        code="gate-missed",
        severity=Severity.ERROR,
        where=f"run {result.name}",
        seen=f"the gate {redact(result.gate)} was not passed: {redact(result.said)}",
        remedy="As a part of cellops execute it ends with exit code 3",
    )
