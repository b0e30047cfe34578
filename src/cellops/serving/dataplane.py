"""The data plane: contract check, strategy, model, output check, log. It knows no protocol and no HTTP."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellops.data.decoder import Columns, unseen
from cellops.data.expectations import RowChecker, check
from cellops.data.problems import row_numbers
from cellops.errors import CellopsError, InputError
from cellops.monitoring.prediction_log import Answered
from cellops.packaging.predictor import Predictions
from cellops.packaging.stopping import check_stop
from cellops.records.contract import Contract, Suite, Task
from cellops.records.expectation import ExpectationResult
from cellops.records.finding import Severity
from cellops.serving import chunks
from cellops.serving.errors import failure
from cellops.serving.explanations import Explanations
from cellops.serving.limits import Limits
from cellops.serving.metrics import ModelMetrics
from cellops.serving.strategies.strategy import Slot, Strategy

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Call:
    """The circumstances of a request."""

    prediction_id: str
    request_id: str
    time: int
    """When its rows happened, in nanoseconds since the epoch, UTC."""
    received: int
    protocol: str


@dataclass(frozen=True, slots=True)
class Answer:
    predictions: Predictions
    warnings: tuple[str, ...] = ()
    """What was odd about the rows and was answered all the same."""


@dataclass(frozen=True, slots=True)
class Explained:
    predictions: Predictions
    explanations: list[dict[str, Any]]
    """One for each row, as clients are told."""
    warnings: tuple[str, ...] = ()


def _admit_all() -> None:
    pass


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
    admit
        Raises where the log could not take an answer, before the model works for it.
    """

    def __init__(
        self,
        strategy: Strategy,
        metrics: ModelMetrics,
        limits: Limits,
        record: Callable[[Answered, int], bool] = _forget,
        admit: Callable[[], None] = _admit_all,
    ) -> None:
        self._strategy = strategy
        self._metrics = metrics
        self._record = record
        self._admit = admit
        self._explanations = {slot.package.digest: Explanations(slot.package, limits) for slot in strategy.slots}
        self.contract = strategy.slots[0].package.contract
        self._rules = _rules(self.contract)
        self._is_discreet = any(field.personal is not None for field in self.contract.schema.inputs)

    def answer(self, columns: Columns, call: Call) -> Answer:
        """Check the columns, predict, check the prediction, and log both.

        Raises
        ------
        InputError
            When there are no rows, or some break a rule of severity `error`.
        InferenceError
            When the model fails or gives what cannot be an answer.
        DeadlineError
            When nobody waits for the answer any more; it is not logged then.
        NotReadyError
            When the log cannot be written, and nothing shall be answered that is not logged.
        """
        self._admit()
        rows = _rows_of(columns)
        warnings = [*self._check_rules(columns, rows), *self._note_unseen(columns)]
        slot = self._strategy.choose(call.request_id)
        predictions = self._predict(slot, columns, rows)
        entry = Answered(
            prediction_id=call.prediction_id,
            request_id=call.request_id,
            time=call.time,
            received=call.received,
            protocol=call.protocol,
            package=slot.package.digest,
            columns=columns,
            labels=predictions.labels,
            probabilities=predictions.probabilities,
        )
        check_stop()
        self._record(entry, rows)
        self._metrics.rows.observe(rows)
        return Answer(predictions, tuple(warnings))

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
        if not self._rules.suite.expectations or (rows == 1 and self._rules.surely_holds(columns)):
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
        found = unseen(self.contract.schema, columns)
        for column, categories in found.items():
            strange = set(categories)
            self._metrics.count_unseen(column, sum(value in strange for value in columns[column].tolist()))
        return [f"unseen category in {column}" for column in found]

    def _predict(self, slot: Slot, columns: Columns, rows: int) -> Predictions:
        started = time.perf_counter()
        try:
            predictions = chunks.predict(slot.package.predictor, columns, rows)
        except CellopsError:
            raise
        except Exception as error:
            check_stop()
            _refuse_too_large(columns)
            fact = "The model failed on these rows"
            raise failure(fact, error, is_discreet=self._is_discreet) from error
        self._metrics.predict_seconds.observe(time.perf_counter() - started)
        if not _valid(slot.package.contract, predictions, rows):
            _refuse_too_large(columns)
            fact = "The model gave no valid answer for these rows"
            raise failure(fact)
        return predictions


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
