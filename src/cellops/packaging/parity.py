"""Parity: real rows with the answers that the model gave in training, replayed wherever it is loaded."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellops.data.decoder import decode_columns
from cellops.data.frames import scalars
from cellops.errors import PackageError
from cellops.packaging.predictor import Array, Predictions, Predictor
from cellops.records.base import Value
from cellops.records.contract import Contract, Parity, Schema, Task

if TYPE_CHECKING:
    import pandas as pd

SHOWN_ROWS = 5
TOLERANCE = 1e-6


def choose_rows(schema: Schema, inputs: "pd.DataFrame", count: int) -> npt.NDArray[np.intp]:
    """Row numbers of a small table that shows as much as it can: missing values and categories first, then a spread.

    Only rows that a request can express: nothing infinite, nothing missing where training had nothing missing.

    Returns
    -------
    ndarray
        Ascending row numbers, at most `count`; the same for the same table.
    """
    usable = np.flatnonzero(_expressible(schema, inputs))
    chosen: dict[int, None] = {}
    for shown in _first_of_each(inputs.iloc[usable], count):
        if len(chosen) < count // 2:
            chosen.setdefault(shown)
    for row in np.linspace(0, len(usable) - 1, num=min(count, len(usable))).astype(int).tolist():
        chosen.setdefault(row)
    return usable[np.sort(np.array(list(chosen)[:count], dtype=np.intp))]


def _expressible(schema: Schema, inputs: "pd.DataFrame") -> npt.NDArray[np.bool_]:
    usable = np.ones(len(inputs), dtype=bool)
    for field in schema.inputs:
        column = inputs[field.name]
        if not field.nullable:
            usable &= column.notna().to_numpy()
        if column.dtype.kind == "f":
            usable &= ~np.isinf(column.to_numpy(dtype=float, na_value=np.nan))
    return usable


def _first_of_each(inputs: "pd.DataFrame", count: int) -> Iterator[int]:
    """Rows with the first missing value of each column, then with the first of each category, column by column."""
    import pandas as pd

    for name in inputs.columns:
        missing = inputs[name].isna().to_numpy()
        if missing.any():
            yield int(missing.argmax())
    codes = [pd.factorize(inputs[name])[0] for name in inputs.columns if inputs[name].dtype.kind not in "iufM"]
    for category in range(count):
        for code in codes:
            if category in code:
                yield int((code == category).argmax())


def build_parity(schema: Schema, inputs: "pd.DataFrame", answers: Predictions, count: int) -> Parity:
    """Some rows as a request would send them, with the model's answers; numbers are compared in their own magnitude.

    Raises
    ------
    PackageError
        When no row could be sent.
    """
    chosen = choose_rows(schema, inputs, count)
    if not len(chosen):
        fact = "The data have no row that could be sent to the model: each has an infinite or newly missing value"
        raise PackageError(fact, remedy="Correct the data, and fit the model again")
    rows, labels = inputs.iloc[chosen], answers.labels[chosen]
    magnitude = max(1.0, float(np.abs(labels).max())) if schema.task is Task.REGRESSION else 1.0
    return Parity(
        inputs={field.name: list(scalars(rows[field.name])) for field in schema.inputs},
        labels=labels.tolist(),
        probabilities=None if answers.probabilities is None else answers.probabilities[chosen].tolist(),
        tolerance=TOLERANCE * magnitude,
    )


def replay(contract: Contract, predictor: Predictor) -> None:
    """Let a loaded model answer the parity rows again.

    Raises
    ------
    PackageError
        When it answers otherwise than in training; `data["rows"]` holds the first rows that differ.
    """
    parity = contract.parity
    answers = predictor.predict(decode_columns(contract.schema, parity.inputs))
    different = differences(contract.schema, parity, answers)
    if len(different):
        row = int(different[0])
        then, now = _shown(row, parity.labels, parity.probabilities), _shown(row, answers.labels, answers.probabilities)
        fact = f"The model answers otherwise than in training, as in parity row {row}: {now} instead of {then}"
        remedy = "Use the distributions of the package's lock, or package the run anew"
        raise PackageError(fact, remedy=remedy, rows=different[:SHOWN_ROWS].tolist())


def differences(schema: Schema, parity: Parity, answers: Predictions) -> npt.NDArray[np.intp]:
    """Numbers of the rows that are answered otherwise, beyond the tolerance."""
    labels = np.asarray(parity.labels)
    if schema.task is Task.REGRESSION:
        return np.flatnonzero(~_close(np.asarray(answers.labels, dtype=float), labels.astype(float), parity.tolerance))
    other = np.asarray(answers.labels) != labels
    if parity.probabilities is None or answers.probabilities is None:
        return np.flatnonzero(other | ((parity.probabilities is None) != (answers.probabilities is None)))
    given = np.asarray(parity.probabilities)
    return np.flatnonzero(other | ~_close(answers.probabilities, given, parity.tolerance).all(axis=1))


def _shown(row: int, labels: Sequence[Value] | Array, probabilities: Sequence[list[float]] | Array | None) -> str:
    chances = "" if probabilities is None else f" with {np.asarray(probabilities)[row].tolist()}"
    return f"{np.asarray(labels)[row].tolist()!r}{chances}"


def _close(answered: npt.NDArray[Any], given: npt.NDArray[Any], tolerance: float) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(answered - given) <= tolerance)
