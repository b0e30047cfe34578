"""Whether what a model gives can be an answer: a server never passes NaN on as one."""

import sys

import numpy as np
import numpy.typing as npt

from cellops.packaging.predictor import Predictions
from cellops.records.contract import Contract, Task

Mask = npt.NDArray[np.bool_]
MANY = 1000
TOLERANCE = 1e-3
"""How far the probabilities of a row may be from 1 together: they may have been made in single precision."""


class OutputCheck:
    """What the contract says of answers: finite numbers, known classes, probabilities that come to 1.

    Probabilities that did not come to 1 in training, in the parity rows, are scores, and need not.
    """

    def __init__(self, contract: Contract) -> None:
        schema, parity = contract.schema, contract.parity.probabilities
        self._number = schema.task is Task.REGRESSION
        self._classes = frozenset(schema.classes)
        # Many labels that follow from the probabilities take longer to look up than the model takes for them.
        self._most_looked_up = MANY if schema.label_is_most_probable else sys.maxsize
        self._width = len(schema.classes) if schema.probabilities else 0
        self._ones = np.ones(self._width)
        self._add_up = parity is not None and bool((np.abs(np.asarray(parity) @ self._ones - 1) <= TOLERANCE).all())

    def holds(self, predictions: Predictions, rows: int) -> bool:
        """Whether every one of `rows` rows has an answer."""
        labels, chances = predictions.labels, predictions.probabilities
        if np.shape(labels) != (rows,):
            return False
        if self._number:
            return bool(np.isfinite(np.asarray(labels, dtype=float)).all())
        if rows <= self._most_looked_up and not self._classes.issuperset(labels.tolist()):
            return False
        return not self._width or self._likely(chances, rows)

    def valid_rows(self, predictions: Predictions, rows: int) -> Mask:
        """Which of `rows` rows have an answer, shape (rows,)."""
        labels, chances = predictions.labels, predictions.probabilities
        if np.shape(labels) != (rows,):
            return np.zeros(rows, dtype=np.bool_)
        if self._number:
            finite: Mask = np.isfinite(np.asarray(labels, dtype=float))
            return finite
        known = np.array([label in self._classes for label in labels.tolist()], dtype=np.bool_)
        if not self._width:
            return known
        if chances is None or chances.shape != (rows, self._width):
            return np.zeros(rows, dtype=np.bool_)
        valid: Mask = known & np.isfinite(chances).all(axis=1)
        if self._add_up:
            valid &= (np.abs(chances @ self._ones - 1) <= TOLERANCE) & (chances.min(axis=1) >= -TOLERANCE)
        return valid

    def _likely(self, chances: npt.NDArray[np.float64] | None, rows: int) -> bool:
        if chances is None or chances.shape != (rows, self._width):
            return False
        if not self._add_up:
            return bool(np.isfinite(chances).all())
        if rows == 1:
            # Of one row Python has added up its few numbers before numpy has begun.
            single: list[float] = chances[0].tolist()
            return abs(sum(single) - 1) <= TOLERANCE and min(single) >= -TOLERANCE
        # What is not finite makes a sum that is not, and NaN is never within the tolerance.
        return bool(np.abs(chances @ self._ones - 1).max() <= TOLERANCE and chances.min() >= -TOLERANCE)
