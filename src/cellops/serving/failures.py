"""What a client is told when no model could answer."""

import logging
import uuid

import numpy as np

from cellops.data.decoder import Columns
from cellops.data.problems import row_numbers
from cellops.errors import CellopsError, InputError
from cellops.serving.errors import InferenceError

LARGEST = float(np.finfo(np.float32).max)
logger = logging.getLogger(__name__)


def failure(fact: str, cause: BaseException | None = None) -> InferenceError:
    """An error that tells the client no more than an id, under which the cause stands in the server's own log."""
    error_id = uuid.uuid4().hex
    logger.error("%s, error id %s", fact, error_id, exc_info=cause)
    return InferenceError(fact, remedy=f"Give the error id {error_id} to those who run the server", error_id=error_id)


def no_answer(columns: Columns, cause: Exception | None) -> CellopsError:
    """Why there is no answer for rows: they are wrong themselves, the model failed, or gave what is none."""
    if isinstance(cause, CellopsError):
        return cause
    found = _too_large(columns)
    if found is not None:
        return found
    fact = "The model gave no valid answer for these rows" if cause is None else "The model failed on these rows"
    return failure(fact, cause)


def _too_large(columns: Columns) -> InputError | None:
    """Many models compute in single precision, and fail on a number beyond it: the row is wrong then, not the model."""
    for name, values in columns.items():
        rows = np.flatnonzero(np.abs(values) > LARGEST).tolist() if values.dtype.kind == "f" else []
        if rows:
            fact = f"Column {name}, {row_numbers(rows)}: a number beyond {LARGEST:.2g}, on which the model failed"
            return InputError(fact, remedy=f"Send a smaller number for {name}", column=name, rows=rows)
    return None
