"""Why rows have no answer."""

import numpy as np

from cellops.data.decoder import Columns
from cellops.data.problems import row_numbers
from cellops.errors import CellopsError, InputError
from cellops.serving.errors import failure

LARGEST = float(np.finfo(np.float32).max)


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
