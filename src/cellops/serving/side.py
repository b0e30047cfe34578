"""A package that may answer rows, with all that its contract says of them: the champion's side, or the fallback's."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cellops.data.arrays import Array
from cellops.data.decoder import Columns
from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import Predictions
from cellops.packaging.stopping import check_stop
from cellops.records.profile import ColumnKind
from cellops.serving import chunks
from cellops.serving.handling import Handling
from cellops.serving.imputation import Imputation
from cellops.serving.metrics import ModelMetrics
from cellops.serving.output_check import Mask, OutputCheck
from cellops.serving.rule_check import NO_ROWS, Rows, RuleCheck

MOST_CALLS = 64
"""Of a model in one request: rows on which it fails are told apart by halves, and the rest of them is given up.

It is given up earlier where it fails on all that it is asked.
"""
STRICT: Mapping[ColumnKind, type] = {ColumnKind.INTEGER: np.int64, ColumnKind.BOOLEAN: np.bool_}
"""Kinds of column that are held otherwise where values may be missing."""


@dataclass(frozen=True)
class Piece:
    """Answers to some rows of a request."""

    rows: Rows
    predictions: Predictions
    package: str
    """Digest of the one that gave them."""


class Side:
    """One package.

    Parameters
    ----------
    package
        With its model.
    metrics
        Where times and odd rows are counted.
    refused_answers
        Gives the rows of labels that are no answers, though the model gave them.
    """

    def __init__(self, package: LoadedPackage, metrics: ModelMetrics, refused_answers: Callable[[Array], Rows]) -> None:
        self.name, self.digest = package.manifest.name, package.digest
        self._predictor, self._metrics = package.predictor, metrics
        schema = package.contract.schema
        self.names = tuple(field.name for field in schema.inputs)
        self.required = tuple(field.name for field in schema.inputs if not field.nullable)
        self._strict = {f.name: STRICT[f.kind] for f in schema.inputs if not f.nullable and f.kind in STRICT}
        self._imputation = Imputation(package.contract, self.names)
        self._check = RuleCheck(package.contract, metrics)
        self._output = OutputCheck(package.contract)
        self._refused_answers = refused_answers

    def imputed(self, columns: Columns, handling: Handling, numbers: Rows | None = None) -> Columns:
        """Its own inputs among columns, with its defaults."""
        own = {name: columns[name] for name in self.names}
        return self._imputation.imputed(own, handling, numbers)

    def lacking(self, columns: Columns) -> Rows:
        """The rows in which an input is missing that the model cannot do without."""
        lacks = [_missing(columns[name]) for name in self.required]
        return np.flatnonzero(np.logical_or.reduce(lacks)) if lacks else NO_ROWS

    def warnings(self, columns: Columns, numbers: Rows) -> list[str]:
        """Hold rows against its rules; raises `InputError` for those that reject."""
        return self._check.warnings(columns, len(numbers), numbers)

    def able_rows(self, columns: Columns) -> Rows:
        """The rows that it may be asked for: they lack nothing, and break no rule that rejects."""
        every = np.arange(len(next(iter(columns.values()))))
        return np.setdiff1d(every, np.union1d(self.lacking(columns), self._check.refused_rows(columns)))

    def answers(self, columns: Columns, numbers: Rows) -> tuple[list[Piece], Exception | None]:
        """Answer the rows that it can.

        Parameters
        ----------
        columns
            Of these rows.
        numbers
            Their numbers in the request.

        Returns
        -------
        pieces, cause
            What it answers, and the first error of those on which it failed.
        """
        pieces, cause = list[Piece](), None
        waiting: list[Rows] = [np.arange(len(numbers))]
        # One row on which it fails is found after as many failures as there are halvings.
        patience = len(numbers).bit_length() + 3
        for calls in range(MOST_CALLS):
            if not waiting or (not pieces and calls >= patience):
                break
            part = waiting.pop()
            try:
                predictions = self._predict(columns if len(part) == len(numbers) else taken(columns, part))
            except Exception as error:  # noqa: BLE001 - whatever a model raises, others may answer
                check_stop()
                cause = cause or error
                half = len(part) // 2
                waiting += [part[half:], part[:half]] if half else []
                continue
            good = self._good_rows(predictions, len(part))
            if len(good) == len(part):
                pieces.append(Piece(numbers[part], predictions, self.digest))
            elif len(good):
                pieces.append(Piece(numbers[part[good]], predictions.of(good), self.digest))
        return pieces, cause

    def strict(self, columns: Columns) -> Columns:
        """Columns without missing values where it needs them all, in the types that it was trained on."""
        typed: Columns = {name: columns[name].astype(dtype, copy=False) for name, dtype in self._strict.items()}
        return {**columns, **typed} if typed else columns

    def _predict(self, columns: Columns) -> Predictions:
        strict = self.strict(columns)
        started = time.perf_counter()
        predictions = chunks.predict(self._predictor, strict, len(next(iter(strict.values()))))
        self._metrics.predict_seconds.observe(time.perf_counter() - started)
        return predictions

    def _good_rows(self, predictions: Predictions, rows: int) -> Rows:
        if self._output.holds(predictions, rows):
            refused = self._refused_answers(predictions.labels)
            return np.setdiff1d(np.arange(rows), refused) if len(refused) else np.arange(rows)
        good = np.flatnonzero(self._output.valid_rows(predictions, rows))
        return np.delete(good, self._refused_answers(predictions.labels[good])) if len(good) else NO_ROWS


def _missing(values: Array) -> Mask:
    """Which values of a typed column are missing."""
    if values.dtype.kind == "O":
        return np.array([value is None for value in values.tolist()], dtype=np.bool_)
    return values != values if values.dtype.kind in "fM" else np.zeros(len(values), dtype=np.bool_)  # noqa: PLR0124 - NaN


def taken(columns: Columns, rows: Rows) -> Columns:
    """Some of the rows."""
    return {name: values[rows] for name, values in columns.items()}


def merged(pieces: Sequence[Piece]) -> Predictions:
    """The answers to all rows in their order, from pieces that have each of them once."""
    if len(pieces) == 1:
        return pieces[0].predictions
    order = np.argsort(np.concatenate([piece.rows for piece in pieces]))
    labels = np.concatenate([piece.predictions.labels for piece in pieces])
    chances = [piece.predictions.probabilities for piece in pieces]
    given = [one for one in chances if one is not None]
    return Predictions(labels[order], np.concatenate(given)[order] if given else None)
