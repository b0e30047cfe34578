"""The data plane: contract check, strategy, model, output check, log. It knows no protocol and no HTTP."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cellops.data.decoder import Columns
from cellops.errors import CellopsError, InputError
from cellops.monitoring.prediction_log import Answered
from cellops.packaging.predictor import Predictions
from cellops.packaging.stopping import check_stop
from cellops.serving import chunks
from cellops.serving.explanations import Explanations
from cellops.serving.failures import is_discreet, no_answer
from cellops.serving.limits import Limits
from cellops.serving.metrics import ModelMetrics
from cellops.serving.output_check import OutputCheck
from cellops.serving.policies import NOTHING, Declared, Handled, Policies, accepted, declares
from cellops.serving.rule_check import RuleCheck
from cellops.serving.strategies.strategy import Slot, Strategy


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
    declared
        What the operator wants done with rows that cannot simply be answered.
    admit
        Raises where the log could not take an answer, before the model works for it.
    """

    def __init__(
        self,
        strategy: Strategy,
        metrics: ModelMetrics,
        limits: Limits,
        record: Callable[[Answered, int], bool] = _forget,
        *,
        declared: Declared = NOTHING,
        admit: Callable[[], None] = _admit_all,
    ) -> None:
        self._strategy = strategy
        self._metrics = metrics
        self._record = record
        self._admit = admit
        self._explanations = {slot.package.digest: Explanations(slot.package, limits) for slot in strategy.slots}
        packages = [slot.package for slot in strategy.slots]
        package = packages[0]
        fallback = declared.fallback.contract if declared.fallback else None
        self.contract = package.contract.replace(schema=accepted(package.contract, fallback))
        """That of the champion, as it holds for requests."""
        self._check = RuleCheck(package.contract, metrics)
        self._outputs = {each.digest: OutputCheck(each.contract) for each in packages}
        self._policies = Policies(packages, metrics, declared) if declares(package.contract, declared) else None
        self._is_discreet = is_discreet(package.contract)

    def answer(self, columns: Columns, call: Call) -> Answer:
        """Check the columns, predict, check the prediction, and log both.

        Raises
        ------
        InputError
            When there are no rows, some break a rule that rejects, or the operator's rules refuse them.
        InferenceError
            When the model fails or gives what cannot be an answer, and nothing stands in for it.
        DeadlineError
            When nobody waits for the answer any more; it is not logged then.
        NotReadyError
            When the log cannot be written, and nothing shall be answered that is not logged.
        """
        self._admit()
        rows = _rows_of(columns)
        slot = self._strategy.choose(call.request_id)
        if self._policies is None:
            handled = self._plain(slot, columns, rows)
        else:
            handled = self._policies.answer(slot.package.digest, columns, rows)
        predictions = handled.predictions
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
            handled=handled.notes,
            packages=handled.packages,
        )
        check_stop()
        self._record(entry, rows)
        self._metrics.rows.observe(rows)
        return Answer(predictions, handled.warnings)

    def explain(self, columns: Columns, call: Call) -> Explained:
        """Check the columns and predict as `answer` does, and explain each prediction; nothing of it is logged.

        What is explained is the model's own prediction, with defaults for what is imputed.

        Raises
        ------
        InputError, InferenceError
            As `answer` does; also for rows that only a fallback could answer.
        LimitError, UnsupportedError, DeadlineError
            As `Explanations` does.
        """
        rows = _rows_of(columns)
        slot = self._strategy.choose(call.request_id)
        explanations = self._explanations[slot.package.digest]
        explanations.check_rows(rows)
        own, said = (columns, list[str]()) if self._policies is None else self._policies.own_rows(columns)
        warnings = [*self._check.warnings(own, rows), *said]
        predictions = self._predict(slot, own, rows)
        with self._metrics.explain_seconds.time():
            documents, evaluations = explanations.explain(own, predictions)
        self._metrics.explain_evaluations.inc(evaluations)
        return Explained(predictions, documents, tuple(warnings))

    def _plain(self, slot: Slot, columns: Columns, rows: int) -> Handled:
        """Answer where nothing is declared: rows are refused, or are the model's."""
        warnings = self._check.warnings(columns, rows)
        return Handled(self._predict(slot, columns, rows), tuple(warnings), None, None)

    def _predict(self, slot: Slot, columns: Columns, rows: int) -> Predictions:
        started = time.perf_counter()
        try:
            predictions = chunks.predict(slot.package.predictor, columns, rows)
        except CellopsError:
            raise
        except Exception as error:
            check_stop()
            raise no_answer(columns, error, is_discreet=self._is_discreet) from error
        self._metrics.predict_seconds.observe(time.perf_counter() - started)
        if not self._outputs[slot.package.digest].holds(predictions, rows):
            raise no_answer(columns, None)
        return predictions


def _rows_of(columns: Columns) -> int:
    rows = len(next(iter(columns.values())))
    if not rows:
        fact = "The request has no rows"
        raise InputError(fact, remedy="Send at least one")
    return rows
