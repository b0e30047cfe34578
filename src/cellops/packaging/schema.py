"""The schema of a model: what stood in its columns when it was trained."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.column import category_counts, column_kind, missing_values, numbers
from cellops.errors import InputError, PackageError
from cellops.packaging.consistency import LEAST_CLASSES
from cellops.records.base import Value
from cellops.records.contract import Field, Personal, Schema, Task
from cellops.records.profile import ColumnKind

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 200
"""Text columns with more distinct values than this are free text, and none of them is listed."""


def build_schema(model: Any, inputs: "pd.DataFrame", target: str) -> Schema:
    """The schema of a fitted estimator and the table that it was fitted on.

    Raises
    ------
    PackageError
        When the model is no classifier or regressor, was not fitted on this table, or a column cannot be described.
    """
    from sklearn.base import is_classifier, is_regressor

    if not (is_classifier(model) or is_regressor(model)):
        fact = f"{type(model).__name__} is neither a classifier nor a regressor of scikit-learn"
        raise PackageError(fact, remedy="Package the estimator that makes the predictions")
    _require_fitted_on(model, inputs)
    classes = _classes(model) if is_classifier(model) else ()
    return Schema(
        inputs=tuple(build_field(name, inputs[name]) for name in inputs.columns),
        task=Task.CLASSIFICATION if is_classifier(model) else Task.REGRESSION,
        target=target,
        classes=classes,
        probabilities=bool(classes) and hasattr(model, "predict_proba"),
    )


def with_personal(schema: Schema, personal: Mapping[str, Personal]) -> Schema:
    """The schema with the columns that tell of persons declared, beside those that are already.

    Raises
    ------
    PackageError
        When there is no such input.
    """
    names = [field.name for field in schema.inputs]
    for name in personal:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            fact = f"The model has no input {name}, so it cannot be declared personal"
            remedy = f"Did you mean {near[0]}?" if near else f"Its inputs are {', '.join(names)}"
            raise PackageError(fact, remedy=remedy, column=name)
    fields = (field.replace(personal=personal.get(field.name, field.personal)) for field in schema.inputs)
    return schema.replace(inputs=tuple(fields))


def build_field(name: str, column: "pd.Series[Any]") -> Field:
    """One column as training saw it.

    Raises
    ------
    PackageError
        When a request could not express what it holds.
    """
    import pandas as pd

    try:
        kind = column_kind(column)
    except InputError as error:
        fact = f"Column {name} cannot be described: {error.fact}"
        raise PackageError(fact, remedy=error.remedy, column=name) from error
    if isinstance(column.dtype, pd.SparseDtype):
        fact = f"Column {name} is sparse, and a request is not"
        raise PackageError(fact, remedy=f"Train on X[{name!r}].sparse.to_dense()", column=name)
    missing = missing_values(column)
    field = Field(name=name, kind=kind, dtype=str(column.dtype), nullable=bool(missing.any()))
    if kind is ColumnKind.TEXT:
        _require_strings(name, column)
        categories = sorted(category_counts(column, kind).index)
        field = field.replace(categories=tuple(categories) if len(categories) <= MOST_CATEGORIES else None)
    elif kind is not ColumnKind.BOOLEAN:
        field = _with_range(field, column)
    return field.replace(missing_is_none=_missing_is_none(name, column[missing])) if column.dtype == object else field


def _require_fitted_on(model: Any, inputs: "pd.DataFrame") -> None:
    names = getattr(model, "feature_names_in_", None)
    strange = next((name for name in getattr(inputs, "columns", ()) if not isinstance(name, str)), None)
    if strange is not None:
        fact = "The table has column names that are not text, which no model keeps"
        remedy = "Give it text names, as with X.columns = [str(name) for name in X.columns], and fit again"
        raise PackageError(fact, received=strange, remedy=remedy)
    if names is None or not hasattr(inputs, "columns"):
        fact = f"{type(model).__name__} was fitted on a table without column names"
        raise PackageError(fact, remedy="Fit it on a pandas DataFrame, so that a request can name its columns")
    if list(names) != list(inputs.columns):
        fact = f"{type(model).__name__} was not fitted on these columns"
        strange = sorted(set(map(str, names)) ^ set(map(str, inputs.columns)))
        raise PackageError(fact, received=strange or list(inputs.columns), remedy="Give the table that `fit` was given")


def _classes(model: Any) -> tuple[Value, ...]:
    classes = np.asarray(model.classes_) if not isinstance(model.classes_, list) else None
    if classes is None or classes.ndim != 1:
        fact = f"{type(model).__name__} predicts several targets at once"
        raise PackageError(fact, remedy="Train one model for each target")
    plain: list[Value] = classes.tolist()
    if not all(isinstance(value, str | int | float) for value in plain):
        fact = "The classes are neither texts, numbers nor booleans"
        raise PackageError(fact, received=plain, remedy="Train on labels of one of these types")
    if len(plain) < LEAST_CLASSES:
        fact = f"{type(model).__name__} knows one class only"
        raise PackageError(fact, received=plain, remedy="Train on rows of two classes or more")
    return tuple(plain)


def _require_strings(name: str, column: "pd.Series[Any]") -> None:
    import pandas as pd

    if not isinstance(column.dtype, pd.CategoricalDtype):
        return
    strange = [value for value in column.cat.categories if not isinstance(value, str)]
    if strange:
        fact = f"Column {name} has categories that are not text"
        remedy = f"Train on X[{name!r}].astype(str).astype('category'), or on the numbers themselves"
        raise PackageError(fact, received=strange[0], remedy=remedy, column=name)


def _with_range(field: Field, column: "pd.Series[Any]") -> Field:
    if getattr(column.dtype, "tz", None) is not None:
        fact = f"Column {field.name} holds times with a zone"
        remedy = f"Train on X[{field.name!r}].dt.tz_convert('UTC').dt.tz_localize(None)"
        raise PackageError(fact, remedy=remedy, column=field.name)
    values = numbers(column, field.kind)
    are_finite = np.isfinite(values)
    finite = values if are_finite.all() else values[are_finite]
    return field.replace(minimum=float(finite.min()), maximum=float(finite.max())) if len(finite) else field


def _missing_is_none(name: str, missing: "pd.Series[Any]") -> bool:
    """Estimators tell None from NaN, and a request has but one null."""
    none = [value is None for value in missing]
    if any(none) and not all(none):
        fact = f"Column {name} holds both None and NaN as missing values"
        raise PackageError(fact, remedy=f"Train on X[{name!r}].astype('str'), which has one of them", column=name)
    return any(none)
