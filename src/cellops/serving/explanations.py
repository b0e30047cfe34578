"""Why the model answered so: each input's share of an answer, held against the background that the package carries."""

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cellops.data.column import Numbers
from cellops.data.decoder import Columns, decode_columns
from cellops.data.problems import listed
from cellops.errors import CellopsError, DeadlineError, InputError, LimitError
from cellops.explain.shapley import Attribution, attribution
from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import Predictions
from cellops.packaging.threads import Threads
from cellops.records.base import Value
from cellops.records.contract import Contract, Task
from cellops.serving.chunks import asked
from cellops.serving.errors import UnsupportedError, failure
from cellops.serving.limits import Limits

TWO = 2


@dataclass(frozen=True)
class Outcome:
    """The number that is explained: one of those that the model gives for a row."""

    unit: str
    label: Value = None
    """The class of which it is the probability, or that it tells from all others; None for regression."""
    place: int | None = None
    """The column of the probabilities."""

    def of(self, predictions: Predictions) -> Numbers:
        """The number for each row."""
        if self.place is not None and predictions.probabilities is not None:
            return predictions.probabilities[:, self.place]
        if self.label is not None:
            return np.asarray(predictions.labels == self.label, dtype=np.float64)
        return np.asarray(predictions.labels, dtype=np.float64)


def outcome(contract: Contract, predicted: Value, named: Value = None) -> Outcome:
    """What is explained of a row.

    The class that is `named`, else of two classes always the positive one, of more the one that was predicted.
    """
    schema = contract.schema
    if schema.task is Task.REGRESSION:
        return Outcome(schema.target)
    label = predicted if named is None else named
    if named is None and len(schema.classes) == TWO:
        known = contract.performance.positive if contract.performance else None
        label = known if known in schema.classes else schema.classes[-1]
    if not schema.probabilities:
        return Outcome(f"1 where {schema.target} is {_said(label)}, else 0", label)
    return Outcome(f"probability of {schema.target} being {_said(label)}", label, schema.classes.index(label))


def _same(known: Value, named: Value) -> bool:
    """Whether a value of JSON is the class: 1 is not true."""
    return known == named and isinstance(known, bool) == isinstance(named, bool)


def _said(label: Value) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


class Explanations:
    """Explains the answers of one package.

    Parameters
    ----------
    package
        The package with its model and its background.
    limits
        How much of it a request may ask for.
    """

    def __init__(self, package: LoadedPackage, limits: Limits) -> None:
        self._package = package
        self._limits = limits
        self._threads = Threads()

    def check_rows(self, rows: int) -> None:
        """Refuse what cannot be explained, before anything is computed.

        Raises
        ------
        UnsupportedError
            When the package has no background.
        LimitError
            When there are too many rows.
        """
        if self._package.contract.background is None:
            fact = "The package has no background, the rows that an explanation holds a row against"
            raise UnsupportedError(fact, remedy="Package the run anew")
        if rows > self._limits.explained_rows:
            fact = f"The request has {rows} rows, and the server explains {self._limits.explained_rows} at a time"
            raise LimitError(fact, remedy="Send fewer rows at a time, or raise CELLOPS_SERVER_EXPLAIN_ROWS")

    def class_named(self, named: Value) -> Value:
        """The class of the model that a request names; None where it names none.

        Raises
        ------
        InputError
            When the model has no such class.
        """
        if named is None:
            return None
        classes = self._package.contract.schema.classes
        found = next((known for known in classes if _same(known, named)), None)
        if found is None and not classes:
            fact = "The model has no classes, and the body names one"
            raise InputError(fact, remedy="Leave out the field class")
        if found is None:
            fact = "The field class is not a class of the model"
            raise InputError(fact, remedy=f"The classes are {listed(map(repr, classes))}")
        return found

    def explain(
        self, columns: Columns, predictions: Predictions, named: Value = None
    ) -> tuple[list[dict[str, Any]], int]:
        """One explanation for each row, as it is said to clients, and how often the model answered for them.

        Parameters
        ----------
        named
            The class that is explained, as `class_named` gives it; by default as `outcome` chooses.

        Raises
        ------
        LimitError
            When the model has so many inputs that the evaluations that are allowed do not suffice.
        DeadlineError
            When it takes too long; the model is not asked any more then.
        InferenceError
            When the model fails on rows that are partly of the background, or gives no finite numbers for them.
        """
        deadline = time.monotonic() + self._limits.explain_seconds
        labels = predictions.labels.tolist()
        # One processor for an explanation, whatever it takes: the others are for predictions.
        with self._threads.for_rows(1):
            explained = [outcome(self._package.contract, label, named) for label in labels]
            made = [self._row(columns, row, each, deadline) for row, each in enumerate(explained)]
        return [document for document, _ in made], sum(found.evaluations for _, found in made)

    @cached_property
    def _background(self) -> Columns:
        contract = self._package.contract
        return decode_columns(contract.schema, contract.background.inputs) if contract.background else {}

    def _row(
        self, columns: Columns, row: int, explained: Outcome, deadline: float
    ) -> tuple[dict[str, Any], Attribution]:
        alone = {name: values[row : row + 1] for name, values in columns.items()}

        def answer(mixed: Columns) -> Numbers:
            self._check_time(deadline)
            return explained.of(asked(self._package.predictor, mixed))

        fact = "The model failed on the row mixed with rows of the background"
        try:
            found = attribution(alone, self._background, answer, evaluations=self._limits.explain_evaluations)
        except CellopsError:
            raise
        except Exception as error:
            is_discreet = any(field.personal is not None for field in self._package.contract.schema.inputs)
            raise failure(fact, error, is_discreet=is_discreet) from error
        if not found.adds_up:
            raise failure(fact)
        return _document(explained, found, list(self._background)), found

    def _check_time(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            fact = f"The explanation took longer than {self._limits.explain_seconds:g} s"
            remedy = "Send fewer rows, lower CELLOPS_SERVER_EXPLAIN_EVALUATIONS or raise CELLOPS_SERVER_EXPLAIN_SECONDS"
            raise DeadlineError(fact, remedy=remedy)


def _document(explained: Outcome, found: Attribution, names: list[str]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "unit": explained.unit,
        "value": found.value,
        "base": found.base,
        "contributions": dict(zip(names, found.contributions.tolist(), strict=True)),
        "method": "exact" if found.errors is None else "sampled",
        "background_rows": found.background,
        "evaluations": found.evaluations,
    }
    if explained.label is not None:
        document["class"] = explained.label
    if found.errors is not None:
        document["standard_errors"] = dict(zip(names, found.errors.tolist(), strict=True))
    return document
