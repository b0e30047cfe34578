"""Models of xgboost and lightgbm as the server sees them: their own numbers, and no scikit-learn around them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cellops.errors import IntegrityError
from cellops.packaging.predictor import Array, Predictions, to_frame, to_matrix
from cellops.records.contract import Schema
from cellops.records.profile import ColumnKind

NUMERIC = frozenset({ColumnKind.NUMBER, ColumnKind.INTEGER, ColumnKind.BOOLEAN})


class BoosterPredictor:
    """A booster that was fitted on a DataFrame.

    Parameters
    ----------
    score
        From a matrix of shape (rows, inputs), or the table where a column is of categories, to the chance of the second
        class (rows,), the chances of all classes (rows, classes), or the predicted numbers (rows,).
    reads
        How many columns it reads.
    """

    def __init__(self, score: Callable[[Any], Any], schema: Schema, *, reads: int) -> None:
        if reads != len(schema.inputs):
            fact = f"The model reads {reads} columns where the contract has {len(schema.inputs)}"
            raise IntegrityError(fact, remedy="Build the package again from its run")
        self._score = score
        self._schema = schema
        self._classes = np.array(schema.classes)
        self._numeric = all(field.kind in NUMERIC and field.dtype != "object" for field in schema.inputs)

    def predict(self, columns: Mapping[str, Array]) -> Predictions:
        rows = to_matrix(self._schema, columns) if self._numeric else to_frame(self._schema, columns)
        scores = np.asarray(self._score(rows))
        if not self._schema.classes:
            return Predictions(scores.astype(np.float64), None)
        # In the booster's own precision, as its estimators do it.
        chances = np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
        if chances.shape[1] != len(self._classes):
            fact = f"The model knows {chances.shape[1]} classes where the contract has {len(self._classes)}"
            raise IntegrityError(fact, remedy="Build the package again from its run")
        labels = self._classes[chances.argmax(axis=1)]
        return Predictions(labels, chances.astype(np.float64) if self._schema.probabilities else None)
