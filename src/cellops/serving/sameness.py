"""Whether rows get the same answers alone as beside others, so that requests may be answered together."""

from collections.abc import Mapping, Sequence

import numpy as np

from cellops.packaging.predictor import Array, Predictions, Predictor

TRIED = 16
SIZES = (2, 5, 16)


def answers_alike(predictor: Predictor, columns: Mapping[str, Array]) -> bool:
    """Whether a model gives rows bit for bit the same answers alone as beside others.

    Libraries of linear algebra may add in another order where there are more rows, and the last bits differ then. It is
    tried with a few rows: no proof, but where it differs at all, it differs for one row in three.
    """
    rows = min(TRIED, len(next(iter(columns.values()))))
    alone = [predictor.predict(_part(columns, row, row + 1)) for row in range(rows)]
    return all(
        _same(predictor.predict(_part(columns, start, start + size)), alone[start : start + size])
        for size in SIZES
        for start in range(0, rows - size + 1, size)
    )


def _part(columns: Mapping[str, Array], start: int, end: int) -> Mapping[str, Array]:
    return {name: values[start:end] for name, values in columns.items()}


def _same(together: Predictions, alone: Sequence[Predictions]) -> bool:
    labels = np.concatenate([predictions.labels for predictions in alone])
    chances = [predictions.probabilities for predictions in alone if predictions.probabilities is not None]
    if together.probabilities is None or len(chances) < len(alone):
        return not chances and together.probabilities is None and _equal(together.labels, labels)
    return _equal(together.labels, labels) and _equal(together.probabilities, np.concatenate(chances))


def _equal(some: Array, others: Array) -> bool:
    return some.dtype == others.dtype and bool(np.array_equal(some, others))
