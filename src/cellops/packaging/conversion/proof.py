"""Whether two models answer the same."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cellops.data.arrays import Array
from cellops.packaging.predictor import Predictions, Predictor
from cellops.records.contract import Schema, Task


@dataclass(frozen=True)
class Proof:
    rows: int
    difference: float
    """The greatest difference of a probability or number; infinite where one is not finite and the other is."""
    labels: int
    """How many rows got another label, though it was no tie."""

    def holds(self, tolerance: float) -> bool:
        return self.labels == 0 and self.difference <= tolerance

    def said(self, tolerance: float) -> str:
        """How far they are apart, for an error."""
        return f"{self.labels} of {self.rows} labels, by up to {self.difference:.2g} where {tolerance:.2g} is taken"


def compare(schema: Schema, first: Predictor, second: Predictor, rows: Mapping[str, Array], tolerance: float) -> Proof:
    """Ask both for the same rows.

    Parameters
    ----------
    tolerance
        Classes whose chances differ by less are a tie: any of them is a right label.
    """
    expected, given = first.predict(rows), second.predict(rows)
    count = len(expected.labels)
    if schema.task is Task.REGRESSION:
        return Proof(count, _greatest(expected.labels, given.labels), 0)
    other = np.asarray(expected.labels) != np.asarray(given.labels)
    if expected.probabilities is None or given.probabilities is None:
        return Proof(count, 0.0, int(np.count_nonzero(other)))
    difference = _greatest(expected.probabilities, given.probabilities)
    return Proof(count, difference, int(np.count_nonzero(other & ~_ties(schema, expected, given, tolerance))))


def _greatest(expected: Array, given: Array) -> float:
    apart = np.abs(np.asarray(expected, dtype=float) - np.asarray(given, dtype=float))
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0))


def _ties(schema: Schema, expected: Predictions, given: Predictions, tolerance: float) -> Array:
    places = {label: place for place, label in enumerate(schema.classes)}
    chances, rows = np.asarray(expected.probabilities), np.arange(len(expected.labels))
    first = chances[rows, [places[label] for label in expected.labels.tolist()]]
    second = chances[rows, [places.get(label, 0) for label in given.labels.tolist()]]
    return np.asarray(np.abs(first - second) <= tolerance)
