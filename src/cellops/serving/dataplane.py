"""The data plane of a package: contract check, model, output check, log. It knows no protocol and no HTTP."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import msgspec

from cellops.data.decoder import Columns
from cellops.data.matrix import Matrix
from cellops.errors import CellopsError, InputError
from cellops.monitoring.answered import Answered
from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import Predictions, SklearnPredictor
from cellops.packaging.stopping import STOP, Stop, check_stop
from cellops.records.base import Value
from cellops.serving import chunks
from cellops.serving.awaited import Awaited, told_at_once
from cellops.serving.batching import INTERPRETED, QUICK, Batcher, Gather
from cellops.serving.explanations import Explanations
from cellops.serving.failures import is_discreet, no_answer
from cellops.serving.limits import Limits
from cellops.serving.metrics import ModelMetrics
from cellops.serving.output_check import OutputCheck
from cellops.serving.policies import NOTHING, Declared, Handled, Policies, accepted, declares
from cellops.serving.rule_check import RuleCheck


class Call(msgspec.Struct, frozen=True):
    """The circumstances of a request."""

    prediction_id: str
    request_id: str
    time: int
    """When its rows happened, in nanoseconds since the epoch, UTC."""
    received: int
    protocol: str
    size: int = 0
    """Bytes of its body."""


class Answer(msgspec.Struct, frozen=True):
    predictions: Predictions
    warnings: tuple[str, ...] = ()
    """What was odd about the rows and was answered all the same."""


class Explained(msgspec.Struct, frozen=True):
    predictions: Predictions
    explanations: list[dict[str, Any]]
    """One for each row, as clients are told."""
    warnings: tuple[str, ...] = ()


def _admit_all() -> None:
    pass


class InvalidError(Exception):
    """What the model gave is no answer."""


def _forget(_answered: Answered, _rows: int) -> bool:
    return True


class DataPlane:
    """Answers typed columns.

    Parameters
    ----------
    package
        What answers.
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
    gather
        Whether requests that wait may be answered together.
    """

    def __init__(
        self,
        package: LoadedPackage,
        metrics: ModelMetrics,
        limits: Limits,
        record: Callable[[Answered, int], bool] = _forget,
        *,
        declared: Declared = NOTHING,
        admit: Callable[[], None] = _admit_all,
        gather: Gather = False,
    ) -> None:
        self._package = package
        self._metrics = metrics
        self._record = record
        self._admit = admit
        self._explanations = Explanations(package, limits)
        quick = INTERPRETED if isinstance(package.predictor, SklearnPredictor) else QUICK
        self._batcher: Batcher | None = Batcher(self._ask, gather=gather, quick=quick)
        fallback = declared.fallback.contract if declared.fallback else None
        self.contract = package.contract.replace(schema=accepted(package.contract, fallback))
        """The package's, as it holds for requests."""
        self._check = RuleCheck(package.contract, metrics)
        self._outputs = OutputCheck(package.contract)
        self._policies = Policies([package], metrics, declared) if declares(package.contract, declared) else None
        self._is_discreet = is_discreet(package.contract)

    def close(self) -> None:
        """Let go of the packages at once: what gathers requests refers back to this, and collecting may take long."""
        self._batcher = None

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
        warnings = self._check.warnings(columns, _rows_of(columns)) if self._policies is None else ()
        return self._complete(self.of_checked(columns), columns, call, warnings)

    def of_checked(self, columns: Columns) -> Handled:
        """Answer columns that were held against the rules of the contract already, and log nothing.

        Raises
        ------
        InputError, InferenceError
            As `answer` does.
        """
        rows = _rows_of(columns)
        if self._policies is None:
            return Handled(self._predict(columns, rows), (), None, None)
        return self._policies.answer(self._package.digest, columns, rows)

    def refuses(self, columns: Columns) -> bool:
        """Whether some rows break a rule that rejects, or lack what the model needs."""
        try:
            own = columns if self._policies is None else self._policies.own_rows(columns)[0]
        except InputError:
            return True
        return len(self._check.refused_rows(own)) > 0

    def ask(self, columns: Columns, call: Call, pool: Executor, hear: Callable[[Answer | Exception], None]) -> Awaited:
        """The same on the event loop, where requests that wait at the same time may be answered by one call.

        `hear` is told the answer, or what `answer` raises, before this returns or later.
        """
        if self._policies is not None:
            return self._ask_in_thread(columns, call, pool, hear)
        assert self._batcher is not None  # noqa: S101 - nothing is asked after the end
        try:
            self._admit()
            rows = _rows_of(columns)
            warnings = self._check.warnings(columns, rows)
        except CellopsError as error:
            return told_at_once(hear, error)

        def answered(predictions: Predictions | Exception) -> None:
            told: Answer | Exception
            if isinstance(predictions, Exception):
                told = self._told(columns, predictions)
            else:
                try:
                    told = self._complete(Handled(predictions, (), None, None), columns, call, warnings)
                except Exception as error:  # noqa: BLE001 - others wait for their answers beside this one
                    told = error
            hear(told)

        return self._batcher.ask(columns, rows, pool, answered)

    def _ask_in_thread(
        self, columns: Columns, call: Call, pool: Executor, hear: Callable[[Answer | Exception], None]
    ) -> Awaited:
        stop, awaited = Stop(), Awaited(hear)
        awaited.stop = stop.ask

        def work() -> Answer:
            token = STOP.set(stop)
            try:
                return self.answer(columns, call)
            finally:
                STOP.reset(token)

        def came(answered: "asyncio.Future[Answer]") -> None:
            if not answered.cancelled():
                awaited.tell(answered.exception() or answered.result())

        asyncio.get_running_loop().run_in_executor(pool, work).add_done_callback(came)
        return awaited

    def _complete(self, handled: Handled, columns: Columns, call: Call, warnings: Sequence[str]) -> Answer:
        predictions = handled.predictions
        entry = Answered(
            prediction_id=call.prediction_id,
            request_id=call.request_id,
            time=call.time,
            received=call.received,
            protocol=call.protocol,
            package=self._package.digest,
            columns=columns,
            labels=predictions.labels,
            probabilities=predictions.probabilities,
            handled=handled.notes,
            packages=handled.packages,
            size=call.size,
        )
        check_stop()
        rows = len(predictions.labels)
        self._record(entry, rows)
        self._metrics.rows.observe(rows)
        return Answer(predictions, (*warnings, *handled.warnings))

    def explain(self, columns: Columns, explained_class: Value = None) -> Explained:
        """Check the columns and predict as `answer` does, and explain each prediction; nothing of it is logged.

        What is explained is the model's own prediction, with defaults for what is imputed: of `explained_class`, or of
        the class that `outcome` chooses.

        Raises
        ------
        InputError, InferenceError
            As `answer` does; also for rows that only a fallback could answer.
        LimitError, UnsupportedError, DeadlineError
            As `Explanations` does.
        """
        rows = _rows_of(columns)
        self._explanations.check_rows(rows)
        about = self._explanations.class_named(explained_class)
        own, said = (columns, list[str]()) if self._policies is None else self._policies.own_rows(columns)
        warnings = [*self._check.warnings(own, rows), *said]
        predictions = self._predict(own, rows)
        with self._metrics.explain_seconds.time():
            documents, evaluations = self._explanations.explain(own, predictions, about)
        self._metrics.explain_evaluations.inc(evaluations)
        return Explained(predictions, documents, tuple(warnings))

    def _predict(self, columns: Columns, rows: int) -> Predictions:
        try:
            return self._ask(columns, rows)
        except Exception as error:
            check_stop()
            raise self._told(columns, error) from error

    def _ask(self, columns: Columns, rows: int) -> Predictions:
        started = time.perf_counter()
        predictions = chunks.predict(self._package.predictor, columns, rows)
        self._metrics.predict_seconds.observe(time.perf_counter() - started)
        if not self._outputs.holds(predictions, rows):
            raise InvalidError
        return predictions

    def _told(self, columns: Columns, error: Exception) -> CellopsError:
        cause = None if isinstance(error, InvalidError) else error
        return no_answer(columns, cause, is_discreet=self._is_discreet)


def _rows_of(columns: Columns) -> int:
    rows = columns.rows if type(columns) is Matrix else len(next(iter(columns.values())))
    if not rows:
        fact = "The request has no rows"
        raise InputError(fact, remedy="Send at least one")
    return rows
