"""Many rows in several parts, so that work for which nobody waits any more ends between two of them."""

import numpy as np

from cellops.data.decoder import Columns
from cellops.packaging.predictor import Predictions, Predictor
from cellops.packaging.stopping import STOP, check_stop

CHUNK_ROWS = 10_000
"""Enough for a model to be as fast as on all rows at once."""


def predict(predictor: Predictor, columns: Columns, rows: int) -> Predictions:
    """Answer rows; in one go up to a chunk of them, and where nobody could ask for an end, as in a batch.

    Raises
    ------
    DeadlineError
        When the work was asked to end.
    Exception
        Whatever the model raises.
    """
    if rows <= CHUNK_ROWS or STOP.get() is None:
        return asked(predictor, columns)
    parts = [
        asked(predictor, {name: values[start : start + CHUNK_ROWS] for name, values in columns.items()})
        for start in range(0, rows, CHUNK_ROWS)
    ]
    chances = [part.probabilities for part in parts if part.probabilities is not None]
    return Predictions(
        np.concatenate([part.labels for part in parts]),
        np.concatenate(chances) if chances else None,
    )


def asked(predictor: Predictor, columns: Columns) -> Predictions:
    """Call a model, unless the work was asked to end; what would end more than the request is an ordinary error."""
    check_stop()
    try:
        return predictor.predict(columns)
    except (StopIteration, SystemExit) as error:
        message = f"{type(error).__name__} in the model"
        raise RuntimeError(message) from error
