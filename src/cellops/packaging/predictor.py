"""The model as the server sees it: columns in, labels and probabilities out."""

from collections.abc import Mapping
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from cellops.data.matrix import array_of
from cellops.errors import InputError
from cellops.packaging.threads import Threads
from cellops.packaging.unnamed import unnamed
from cellops.records.contract import Field, Schema

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]
TEXT_IN_NUMPY = "OU"
"""Kinds of dtype that numpy gives to `object`, and to `str` where pandas has none of its own (before pandas 3)."""
SHOWN_ROWS = 10
FEW_CLASSES = 8


class Predictions(msgspec.Struct, frozen=True):
    labels: Array
    """Shape (rows,): classes, or numbers for regression."""
    probabilities: npt.NDArray[np.float64] | None
    """Shape (rows, classes), in the order of the schema's classes; None for models that give none."""

    def of(self, rows: npt.NDArray[np.intp] | slice) -> "Predictions":
        """The answers for some of the rows."""
        return Predictions(self.labels[rows], None if self.probabilities is None else self.probabilities[rows])


class Predictor(Protocol):
    def predict(self, columns: Mapping[str, Array]) -> Predictions:
        """Answer rows that are given as columns, typed as `data.decoder` types them."""


MOST_PROBABLE = frozenset(
    {
        "sklearn.calibration.CalibratedClassifierCV",
        "sklearn.ensemble._bagging.BaggingClassifier",
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.ensemble._gb.GradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.tree._classes.DecisionTreeClassifier",
        "sklearn.tree._classes.ExtraTreeClassifier",
    }
)
"""Classifiers whose label is that of the largest probability by definition; any other is asked for both."""


def label_is_most_probable(estimator: Any) -> bool:
    """Whether the label of a classifier, the last step of a Pipeline for one, follows from its probabilities."""
    from sklearn.pipeline import Pipeline

    final = estimator.steps[-1][1] if type(estimator) is Pipeline else estimator
    return f"{type(final).__module__}.{type(final).__qualname__}" in MOST_PROBABLE


def single_label(labels: Any) -> Array:
    """Labels of shape (rows,), also from a model that was fitted on a table of one target."""
    array = np.asarray(labels)
    return array[:, 0] if array.ndim > 1 and array.shape[1:] == (1,) else array


class SklearnPredictor:
    """A scikit-learn estimator that was fitted on a DataFrame.

    Rows of nothing but doubles are given to it as an array where that is all that it makes of a table; the first of
    them are answered in both ways, which must agree to the last bit.
    """

    def __init__(self, estimator: Any, schema: Schema) -> None:
        self._estimator = estimator
        self._schema = schema
        self._classes = np.array(schema.classes) if schema.classes else None
        self._one_call = schema.label_is_most_probable and label_is_most_probable(estimator)
        self._threads = Threads()
        self._doubles = doubles(schema)
        self._untried = unnamed(estimator) if self._doubles is not None else None
        self._of_arrays: Any = None

    def predict(self, columns: Mapping[str, Array]) -> Predictions:
        if self._doubles is None:
            return self.answer(to_frame(self._schema, columns))
        matrix = array_of(columns, self._doubles)
        rows = to_matrix(self._schema, columns) if matrix is None else matrix
        if self._of_arrays is not None:
            return self._answer(self._of_arrays, rows)
        answer = self.answer(self._framed(rows))
        untried, self._untried = self._untried, None
        if untried is not None and self._answers_so(untried, rows, answer):
            self._of_arrays = untried
        return answer

    def _answers_so(self, estimator: Any, rows: npt.NDArray[np.float64], answer: Predictions) -> bool:
        try:
            again = self._answer(estimator, rows)
        except Exception:  # noqa: BLE001 - whatever it is, tables are answered
            return False
        return _same(again.labels, answer.labels) and _same(again.probabilities, answer.probabilities)

    @cached_property
    def _named(self) -> "pd.Index[str]":
        """The names of the columns, made once: that takes longer than a frame around a matrix."""
        import pandas as pd

        return pd.Index(list(self._doubles or ()))

    def _framed(self, matrix: npt.NDArray[np.float64]) -> "pd.DataFrame":
        import pandas as pd

        return pd.DataFrame(matrix, columns=self._named, copy=False)

    def answer(self, frame: "pd.DataFrame") -> Predictions:
        """Answer a table as the model was fitted on."""
        return self._answer(self._estimator, frame)

    def _answer(self, estimator: Any, rows: "pd.DataFrame | npt.NDArray[np.float64]") -> Predictions:
        with self._threads.for_rows(len(rows)):
            return self._told(estimator, rows)

    def _told(self, estimator: Any, rows: "pd.DataFrame | npt.NDArray[np.float64]") -> Predictions:
        if not self._schema.probabilities:
            return Predictions(single_label(estimator.predict(rows)), None)
        probabilities = np.asarray(estimator.predict_proba(rows), dtype=np.float64)
        if self._one_call and self._classes is not None and not _ties(probabilities):
            return Predictions(self._classes[probabilities.argmax(axis=1)], probabilities)
        return Predictions(single_label(estimator.predict(rows)), probabilities)


def _same(one: Array | None, other: Array | None) -> bool:
    """Whether two arrays are the same to the last bit, where they are of numbers."""
    if one is None or other is None:
        return one is other
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return one.tolist() == other.tolist() if one.dtype.hasobject else one.tobytes() == other.tobytes()


def _ties(probabilities: npt.NDArray[np.float64]) -> bool:
    """Whether two classes of a row are equally probable: which of them is the label, only the model knows.

    >>> _ties(np.array([[0.2, 0.8], [0.5, 0.5]])), _ties(np.array([[0.2, 0.8], [0.6, 0.4]]))
    (True, False)
    """
    # Few columns take numpy a seventh of the time one by one.
    few = probabilities.shape[1] <= FEW_CLASSES
    largest = reduce(np.maximum, probabilities.T) if few else probabilities.max(axis=1)
    return bool(np.count_nonzero(probabilities == largest[:, None]) > len(probabilities))


def to_frame(schema: Schema, columns: Mapping[str, Array]) -> "pd.DataFrame":
    """The columns as the DataFrame that the model was fitted on: the same names, order and dtypes.

    Raises
    ------
    InputError
        When a number does not fit the dtype of its column.
    """
    import pandas as pd

    names = doubles(schema)
    if names is not None:
        # One block: pandas and scikit-learn take half the time of a frame made column by column.
        return pd.DataFrame(to_matrix(schema, columns), columns=list(names), copy=False)
    return pd.DataFrame({field.name: _fitted(field, columns[field.name]) for field in schema.inputs}, copy=False)


def to_matrix(schema: Schema, columns: Mapping[str, Array]) -> npt.NDArray[np.float64]:
    """Columns of numbers and booleans as one matrix (rows, inputs), in the schema's order; missing is NaN.

    Raises
    ------
    InputError
        When a number does not fit the dtype that its column had in training.
    """
    return np.column_stack([to_numbers(field, columns[field.name]) for field in schema.inputs])


def doubles(schema: Schema) -> tuple[str, ...] | None:
    """The names of the inputs, where the model was fitted on nothing but doubles: a table is one matrix then."""
    names = tuple(field.name for field in schema.inputs)
    return names if all(field.dtype == "float64" for field in schema.inputs) else None


def to_numbers(field: Field, values: Array) -> npt.NDArray[np.float64]:
    """One column of numbers as the model was fitted on it: what was a float32 there is rounded to one first."""
    if field.dtype in ("float64", values.dtype):
        return values.astype(np.float64, copy=False)
    fitted: Any = _fitted(field, values)
    return np.asarray(fitted.to_numpy(np.float64, na_value=np.nan) if hasattr(fitted, "to_numpy") else fitted, float)


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
