"""The model as the server sees it: columns in, labels and probabilities out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from cellops.errors import InputError
from cellops.records.contract import Field, Schema

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]
TEXT_IN_NUMPY = "OU"
"""Kinds of dtype that numpy gives to `object`, and to `str` where pandas has none of its own (before pandas 3)."""
SHOWN_ROWS = 10


@dataclass(frozen=True)
class Predictions:
    labels: Array
    """Shape (rows,): classes, or numbers for regression."""
    probabilities: npt.NDArray[np.float64] | None
    """Shape (rows, classes), in the order of the schema's classes; None for models that give none."""


class Predictor(Protocol):
    def predict(self, columns: Mapping[str, Array]) -> Predictions:
        """Answer rows that are given as columns, typed as `data.decoder` types them."""


class SklearnPredictor:
    """A scikit-learn estimator that was fitted on a DataFrame."""

    def __init__(self, estimator: Any, schema: Schema) -> None:
        self._estimator = estimator
        self._schema = schema
        self._classes = np.array(schema.classes) if schema.classes else None

    def predict(self, columns: Mapping[str, Array]) -> Predictions:
        frame = to_frame(self._schema, columns)
        if not self._schema.probabilities:
            return Predictions(np.asarray(self._estimator.predict(frame)), None)
        probabilities = np.asarray(self._estimator.predict_proba(frame), dtype=np.float64)
        if self._schema.label_is_most_probable and self._classes is not None:
            return Predictions(self._classes[probabilities.argmax(axis=1)], probabilities)
        return Predictions(np.asarray(self._estimator.predict(frame)), probabilities)


def to_frame(schema: Schema, columns: Mapping[str, Array]) -> "pd.DataFrame":
    """The columns as the DataFrame that the model was fitted on: the same names, order and dtypes.

    Raises
    ------
    InputError
        When a number does not fit the dtype of its column.
    """
    import pandas as pd

    if all(field.dtype == "float64" for field in schema.inputs):
        # One block: pandas and scikit-learn take half the time of a frame made column by column.
        names = [field.name for field in schema.inputs]
        return pd.DataFrame(np.column_stack([columns[name] for name in names]), columns=names, copy=False)
    return pd.DataFrame({field.name: _fitted(field, columns[field.name]) for field in schema.inputs}, copy=False)


def _fitted(field: Field, values: Array) -> "Array | pd.Series[Any]":
    """One column in the dtype that the model was fitted on."""
    import pandas as pd

    dtype = pd.api.types.pandas_dtype(field.dtype)
    if dtype.kind in TEXT_IN_NUMPY and isinstance(dtype, np.dtype):
        held = pd.Series(values, dtype=object)
        return held.where(held.notna(), None if field.missing_is_none else np.nan)
    if values.dtype == dtype:
        return values
    if dtype.kind in "iuf":
        held_in: Any = getattr(dtype, "numpy_dtype", dtype)
        _require_range(field, values, held_in)
    fitted: pd.Series[Any] = pd.Series(values).astype(dtype)
    return fitted


def _require_range(field: Field, values: Array, dtype: "np.dtype[Any]") -> None:
    """A number too large for its dtype would become another one or infinite, or be refused without its name."""
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    rows = np.flatnonzero((values < limits.min) | (values > limits.max))
    if len(rows):
        fact = f"Column {field.name} has a number outside of {limits.min} to {limits.max} ({dtype}) in row {rows[0]}"
        raise InputError(fact, remedy="Send a smaller number", column=field.name, rows=rows[:SHOWN_ROWS].tolist())
