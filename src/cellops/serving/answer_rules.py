"""The rules of a contract on what is predicted: an answer that breaks one is refused, replaced or named."""

import numpy as np

from cellops.data.arrays import Array
from cellops.data.expectations import RowChecker, broken_rows
from cellops.data.problems import row_numbers
from cellops.errors import SettingsError
from cellops.packaging.defaults import default_column
from cellops.packaging.predictor import Predictions
from cellops.records.contract import Action, Contract, Expectation, Schema, Suite, Task
from cellops.serving.handling import Handling
from cellops.serving.imputation import Imputation
from cellops.serving.metrics import ModelMetrics
from cellops.serving.rule_check import NO_ROWS, Rows

FALLBACK_ANSWER = "fallback answer"


class AnswerRules:
    """The rules with an action on the target of a contract.

    Parameters
    ----------
    contract
        Its suite has them.
    metrics
        Where broken ones are counted.
    constant
        The operator's fallback answer; None for the default of the first rule that imputes.
    """

    def __init__(self, contract: Contract, metrics: ModelMetrics, constant: str | None) -> None:
        schema, suite = contract.schema, contract.suite or Suite(name="none")
        self._target, self._schema, self._metrics = schema.target, schema, metrics
        rules = [rule for rule in suite.expectations if is_answer_rule(rule, schema)]
        self._rejecting = [rule for rule in rules if rule.action is Action.REJECT]
        self._warning = [rule for rule in rules if rule.action is Action.WARN]
        self._imputation = Imputation(contract, [schema.target])
        self._rejects = RowChecker(suite.replace(expectations=tuple(self._rejecting)), [schema.target])
        self._fallback = _fallback(schema, constant, self._imputation.rules)

    @property
    def has_fallback(self) -> bool:
        """Whether there is an answer for rows that no model answers."""
        return self._fallback is not None

    def refused_rows(self, labels: Array) -> Rows:
        """The rows whose answer breaks a rule that rejects."""
        if not self._rejecting or self._rejects.surely_hold({self._target: labels}, len(labels)):
            return NO_ROWS
        table = {self._target: _held(labels)}
        return np.unique(np.concatenate([broken_rows(rule, table) for rule in self._rejecting]))

    def fallback(self, rows: int) -> Predictions:
        """The fallback answer, `rows` times."""
        assert self._fallback is not None  # noqa: S101 - as `has_fallback` said
        labels = np.repeat(self._fallback, rows)
        return Predictions(labels, self._certain(labels))

    def applied(self, predictions: Predictions, handling: Handling) -> tuple[Predictions, list[str]]:
        """Answers with defaults where they break rules, and a warning for each other rule that is broken."""
        given = {self._target: _held(predictions.labels)}
        labels = self._imputation.imputed(given, handling, kind=FALLBACK_ANSWER)[self._target]
        if labels is not given[self._target]:
            rows = np.flatnonzero(labels != given[self._target])
            chances = predictions.probabilities
            certain = self._certain(labels[rows])
            if chances is not None and certain is not None:
                chances = chances.copy()
                chances[rows] = certain
            predictions = Predictions(labels, chances)
        return predictions, self._warnings(labels)

    def _warnings(self, labels: Array) -> list[str]:
        said = []
        for rule in self._warning:
            rows = broken_rows(rule, {self._target: labels})
            if len(rows):
                self._metrics.count_failures(rule.rule, self._target, rule.severity.value, len(rows))
                said.append(f"{rule.rule} {self._target}: {row_numbers(rows.tolist())}")
        return said

    def _certain(self, labels: Array) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]] | None":
        """Probabilities of 1 for labels that no model gave."""
        if not self._schema.probabilities:
            return None
        places = [self._schema.classes.index(label) for label in labels.tolist()]
        return np.eye(len(self._schema.classes))[places]


def is_answer_rule(rule: Expectation, schema: Schema) -> bool:
    """Whether a rule says what is done with answers."""
    return rule.columns == (schema.target,) and rule.action is not None


def _fallback(schema: Schema, constant: str | None, imputing: tuple[Expectation, ...]) -> Array | None:
    if constant is None:
        return default_column(imputing[0], schema) if imputing else None
    if schema.task is Task.CLASSIFICATION:
        for place, known in enumerate(schema.classes):
            if constant in (str(known), str(known).lower()):
                return np.array(schema.classes)[place : place + 1]
        fact = f"CELLOPS_SERVER_FALLBACK_ANSWER is none of the classes of {schema.target}"
        raise SettingsError(fact, received=constant, remedy=f"Use one of: {', '.join(map(str, schema.classes))}")
    try:
        number = float(constant)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        fact = f"CELLOPS_SERVER_FALLBACK_ANSWER is no number, as {schema.target} is"
        raise SettingsError(fact, received=constant, remedy="Give a number")
    return np.array([number])


def _held(labels: Array) -> Array:
    """Labels as rules read a column: texts as objects."""
    return labels.astype(object) if labels.dtype.kind == "U" else labels
