"""The data plane: contract check, strategy, model, output check, log. It knows no protocol and no HTTP."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

import msgspec
import numpy as np

from cellops.data.decoder import Columns, unseen
from cellops.data.expectations import RowChecker, check
from cellops.data.problems import row_numbers
from cellops.errors import CellopsError, InputError
from cellops.monitoring.prediction_log import Answered
from cellops.packaging.predictor import Predictions
from cellops.records.contract import Contract, Suite, Task
from cellops.records.expectation import ExpectationResult
from cellops.records.finding import Severity
from cellops.serving.batching import Batcher
from cellops.serving.errors import failure
from cellops.serving.explanations import Explanations
from cellops.serving.limits import Limits
from cellops.serving.metrics import ModelMetrics
from cellops.serving.strategies.strategy import Slot, Strategy

LARGEST = float(np.finfo(np.float32).max)


class InvalidError(Exception):
    """What the model gave is no answer."""


class Call(msgspec.Struct, frozen=True):
    """The circumstances of a request."""

    prediction_id: str
    request_id: str
    time: int
    """When its rows happened, in nanoseconds since the epoch, UTC."""
    received: int
    protocol: str


class Answer(msgspec.Struct, frozen=True):
    predictions: Predictions
    warnings: tuple[str, ...] = ()
    """What was odd about the rows and was answered all the same."""


class _Asked(msgspec.Struct, frozen=True):
    """A question that the model may answer."""

    columns: Columns
    rows: int
    call: Call
    slot: Slot
    warnings: tuple[str, ...]


class Explained(msgspec.Struct, frozen=True):
    predictions: Predictions
    explanations: list[dict[str, Any]]
    """One for each row, as clients are told."""
    warnings: tuple[str, ...] = ()


def _forget(_answered: Answered, _rows: int) -> bool:
    return True


class DataPlane:
    """Answers typed columns.

    Parameters
    ----------
    strategy
        Chooses the package that answers.
    metrics
        Where times and odd rows are counted.
    limits
        How much may be explained.
    record
        Takes each answered request for the log.
    gather
        Whether requests that wait for a slot may be answered together.
    """

    def __init__(
        self,
        strategy: Strategy,
        metrics: ModelMetrics,
        limits: Limits,
        record: Callable[[Answered, int], bool] = _forget,
        gather: Callable[[Slot], bool] = lambda _slot: False,
    ) -> None:
        self._strategy = strategy
        self._metrics = metrics
        self._record = record
        self._batchers = {
            slot.package.digest: Batcher(partial(self._ask, slot), gather=gather(slot)) for slot in strategy.slots
        }
        self._explanations = {slot.package.digest: Explanations(slot.package, limits) for slot in strategy.slots}
        self.contract = strategy.slots[0].package.contract
        self._rules = _rules(self.contract)
        self._has_categories = any(field.categories is not None for field in self.contract.schema.inputs)

    def answer(self, columns: Columns, call: Call) -> Answer:
        """Check the columns, predict, check the prediction, and log both.

        Raises
        ------
        InputError
            When there are no rows, or some break a rule of severity `error`.
        InferenceError
            When the model fails or gives what cannot be an answer.
        """
        asked = self._admit(columns, call)
        return self._complete(asked, self._predict(asked.slot, columns, asked.rows))

    async def answer_beside_others(self, columns: Columns, call: Call, pool: Executor) -> Answer:
        """The same on the event loop, where requests that wait at the same time may be answered by one call."""
        asked = self._admit(columns, call)
        try:
            predictions = await self._batchers[asked.slot.package.digest].predict(columns, asked.rows, pool)
        except Exception as error:
            raise _failed(columns, error) from error
        return self._complete(asked, predictions)

    def _predict(self, slot: Slot, columns: Columns, rows: int) -> Predictions:
        try:
            return self._ask(slot, columns, rows)
        except Exception as error:
            raise _failed(columns, error) from error

    def _ask(self, slot: Slot, columns: Columns, rows: int) -> Predictions:
        started = time.perf_counter()
        predictions = slot.package.predictor.predict(columns)
        self._metrics.predict_seconds.observe(time.perf_counter() - started)
        if not _valid(slot.package.contract, predictions, rows):
            raise InvalidError
        return predictions

    def _admit(self, columns: Columns, call: Call) -> _Asked:
        rows = _rows_of(columns)
        warnings = (*self._check_rules(columns, rows), *self._note_unseen(columns))
        return _Asked(columns, rows, call, self._strategy.choose(call.request_id), warnings)

    def _complete(self, asked: _Asked, predictions: Predictions) -> Answer:
        package, call = asked.slot.package, asked.call
        entry = Answered(
            prediction_id=call.prediction_id,
            request_id=call.request_id,
            time=call.time,
            received=call.received,
            protocol=call.protocol,
            package=package.digest,
            columns=asked.columns,
            labels=predictions.labels,
            probabilities=predictions.probabilities,
        )
        self._record(entry, asked.rows)
        self._metrics.rows.observe(asked.rows)
        return Answer(predictions, asked.warnings)

    def explain(self, columns: Columns, call: Call) -> Explained:
        """Check the columns and predict as `answer` does, and explain each prediction; nothing of it is logged.

        Raises
        ------
        InputError, InferenceError
            As `answer` does.
        LimitError, UnsupportedError, DeadlineError
            As `Explanations` does.
        """
        rows = _rows_of(columns)
        slot = self._strategy.choose(call.request_id)
        explanations = self._explanations[slot.package.digest]
        explanations.check_rows(rows)
        warnings = [*self._check_rules(columns, rows), *self._note_unseen(columns)]
        predictions = self._predict(slot, columns, rows)
        with self._metrics.explain_seconds.time():
            documents, evaluations = explanations.explain(columns, predictions)
        self._metrics.explain_evaluations.inc(evaluations)
        return Explained(predictions, documents, tuple(warnings))

    def _check_rules(self, columns: Columns, rows: int) -> list[str]:
        """Refuse rows that break a rule of severity `error`; give a warning for each other rule that is broken."""
        if not self._rules.suite.expectations or self._rules.surely_hold(columns, rows):
            return []
        failures = check(self._rules.suite, columns).failures()
        for found in failures:
            rule = found.expectation
            self._metrics.count_failures(rule.rule, rule.columns[0], rule.severity.value, found.failed)
        refused = [found for found in failures if found.expectation.severity is Severity.ERROR]
        if refused:
            raise _refusal(refused)
        return [f"{f.expectation.rule} {','.join(f.expectation.columns)}: {f.failed} rows" for f in failures]

    def _note_unseen(self, columns: Columns) -> list[str]:
        found = unseen(self.contract.schema, columns) if self._has_categories else {}
        for column, categories in found.items():
            strange = set(categories)
            self._metrics.count_unseen(column, sum(value in strange for value in columns[column].tolist()))
        return [f"unseen category in {column}" for column in found]


def _failed(columns: Columns, error: Exception) -> CellopsError:
    """What a client is told when the model raises."""
    if isinstance(error, CellopsError):
        return error
    try:
        _refuse_too_large(columns)
    except InputError as refusal:
        return refusal
    if isinstance(error, InvalidError):
        return failure("The model gave no valid answer for these rows")
    return failure("The model failed on these rows", error)


def _rows_of(columns: Columns) -> int:
    rows = len(next(iter(columns.values())))
    if not rows:
        fact = "The request has no rows"
        raise InputError(fact, remedy="Send at least one")
    return rows


def _rules(contract: Contract) -> RowChecker:
    names = [field.name for field in contract.schema.inputs]
    return RowChecker(contract.suite or Suite(name="none"), names)


def _refusal(failures: Sequence[ExpectationResult]) -> InputError:
    """One error for the rules that are broken; it names rows, never their values."""
    facts = []
    for result in failures:
        rule = result.expectation
        where = row_numbers(result.failed_rows, result.failed).capitalize()
        reason = f" ({rule.reason})" if rule.reason else ""
        facts.append(f"{where}: {', '.join(rule.columns)} breaks {rule.rule}{_arguments(result)}{reason}")
    first = failures[0]
    return InputError(
        "; ".join(facts),
        remedy="Correct the rows, or leave them out",
        column=first.expectation.columns[0],
        rows=list(first.failed_rows),
        rule=first.expectation.rule,
        reason=first.expectation.reason,
    )


def _arguments(result: ExpectationResult) -> str:
    given = result.expectation.arguments
    return f" [{', '.join(f'{name}={value}' for name, value in given.items())}]" if given else ""


def _refuse_too_large(columns: Columns) -> None:
    """Many models compute in single precision, and fail on a number beyond it: the row is wrong then, not the model."""
    for name, values in columns.items():
        rows = np.flatnonzero(np.abs(values) > LARGEST).tolist() if values.dtype.kind == "f" else []
        if rows:
            fact = f"Column {name}, {row_numbers(rows)}: a number beyond {LARGEST:.2g}, on which the model failed"
            raise InputError(fact, remedy=f"Send a smaller number for {name}", column=name, rows=rows)


def _valid(contract: Contract, predictions: Predictions, rows: int) -> bool:
    """What a model gives is held against the contract too: a server never passes NaN on as an answer."""
    schema, chances = contract.schema, predictions.probabilities
    shaped = np.shape(predictions.labels) == (rows,)
    if schema.task is Task.REGRESSION:
        shaped = shaped and bool(np.isfinite(np.asarray(predictions.labels, dtype=float)).all())
    if schema.probabilities:
        shaped = shaped and chances is not None and chances.shape == (rows, len(schema.classes))
        shaped = shaped and bool(np.isfinite(np.asarray(chances)).all())
    return shaped
