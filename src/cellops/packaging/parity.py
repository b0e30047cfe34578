"""Parity: real rows with the answers that the model gave in training, replayed wherever it is loaded."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellops.data.column import missing_values, numbers, plain_kind
from cellops.data.decoder import decode_columns
from cellops.data.frames import scalars
from cellops.errors import PackageError
from cellops.packaging.predictor import Array, Predictions, Predictor, to_frame
from cellops.records.base import Value
from cellops.records.contract import Contract, Parity, Schema, Task

if TYPE_CHECKING:
    import pandas as pd

Columns = Sequence["pd.Series[Any]"]
Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
SHOWN_ROWS = 5
TOLERANCE = 1e-6
NOISE = 1e-15
"""What rounding leaves of numbers that cancel each other: a model can answer zero by it."""


def choose_rows(schema: Schema, inputs: "pd.DataFrame", count: int) -> Rows:
    """Row numbers of a small table that shows as much as it can: missing values and categories first, then a spread.

    Only rows that a request can express: nothing infinite, nothing missing where training had nothing missing.

    Returns
    -------
    ndarray
        Ascending row numbers, at most `count`; the same for the same table.

    Raises
    ------
    PackageError
        When no row could be sent.
    """
    columns = [inputs[field.name] for field in schema.inputs]
    missing = [missing_values(column) for column in columns]
    usable = np.flatnonzero(_expressible(schema, columns, missing))
    if not len(usable):
        fact = "The data have no row that could be sent to the model: each has an infinite or newly missing value"
        raise PackageError(fact, remedy="Correct the data, and fit the model again")
    chosen: dict[int, None] = {}
    for shown in _first_of_each(columns, missing, usable, count):
        if len(chosen) < count // 2:
            chosen.setdefault(shown)
    for row in np.linspace(0, len(usable) - 1, num=min(count, len(usable))).astype(int).tolist():
        chosen.setdefault(row)
    return usable[np.sort(np.array(list(chosen)[:count], dtype=np.intp))]


def expressible(schema: Schema, inputs: "pd.DataFrame") -> Mask:
    """Which rows a request can express: nothing infinite, nothing missing where training had nothing missing."""
    columns = [inputs[field.name] for field in schema.inputs]
    return _expressible(schema, columns, map(missing_values, columns))


def _expressible(schema: Schema, columns: Columns, missing: Iterable[Mask]) -> Mask:
    usable = np.ones(len(columns[0]), dtype=bool)
    for field, column, absent in zip(schema.inputs, columns, missing, strict=True):
        if not field.nullable:
            usable &= ~absent
        if column.dtype.kind == "f":
            usable &= ~np.isinf(numbers(column, field.kind))
    return usable


def _first_of_each(columns: Columns, missing: Iterable[Mask], usable: Rows, count: int) -> Iterator[int]:
    """Places in `usable` with the first missing value of each column, then of the first of each category."""
    import pandas as pd

    for absent in missing:
        if absent.any() and absent[usable].any():
            yield int(absent[usable].argmax())
    codes = [pd.factorize(column.iloc[usable])[0] for column in columns if column.dtype.kind not in "iufM"]
    for category in range(count):
        for code in codes:
            if category in code:
                yield int((code == category).argmax())


def build_parity(schema: Schema, rows: "pd.DataFrame", answers: Predictions) -> Parity:
    """Rows as a request would send them, with the model's answers; numbers are compared in their own magnitude."""
    magnitude = float(np.abs(answers.labels).max()) if schema.task is Task.REGRESSION else 1.0
    return Parity(
        inputs={field.name: list(scalars(rows[field.name])) for field in schema.inputs},
        labels=answers.labels.tolist(),
        probabilities=None if answers.probabilities is None else answers.probabilities.tolist(),
        tolerance=max(TOLERANCE * magnitude, NOISE),
    )


def survives_the_wire(schema: Schema, parity: Parity, rows: "pd.DataFrame") -> bool:
    """Whether rows of nothing but numpy's numbers come back from a request just as they are."""
    if any(plain_kind(rows[field.name]) is None for field in schema.inputs):
        return False
    return to_frame(schema, decode_columns(schema, parity.inputs)).equals(rows.reset_index(drop=True))


def replay(contract: Contract, predictor: Predictor) -> None:
    """Let a loaded model answer the parity rows again.

    Raises
    ------
    PackageError
        When it answers otherwise than in training, or not at all; `data["rows"]` holds the first rows that differ.
    """
    parity = contract.parity
    columns = decode_columns(contract.schema, parity.inputs)
    try:
        answers = predictor.predict(columns)
    except Exception as error:  # a model of other versions fails in ways of its own
        fact = f"The model cannot answer its parity rows: {type(error).__name__}: {error}"
        raise PackageError(
            fact, remedy="Use the distributions of the package's lock, or package the run anew"
        ) from error
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
    if not _alike(answers.labels, labels) or not _alike(answers.probabilities, parity.probabilities):
        return np.arange(len(labels))
    if schema.task is Task.REGRESSION:
        return np.flatnonzero(~_close(np.asarray(answers.labels, dtype=float), labels.astype(float), parity.tolerance))
    other = np.asarray(answers.labels) != labels
    if parity.probabilities is None or answers.probabilities is None:
        return np.flatnonzero(other)
    given = np.asarray(parity.probabilities)
    return np.flatnonzero(other | ~_close(answers.probabilities, given, parity.tolerance).all(axis=1))


def _alike(answered: Any, given: Any) -> bool:
    """Whether there is an answer for each row: numpy would take a single one for all of them."""
    return (answered is None) == (given is None) and np.shape(answered) == np.shape(given)


def _shown(row: int, labels: Sequence[Value] | Array, probabilities: Sequence[list[float]] | Array | None) -> str:
    chances = "" if probabilities is None else f" with {np.asarray(probabilities)[row].tolist()}"
    return f"{np.asarray(labels)[row].tolist()!r}{chances}"


def _close(answered: npt.NDArray[Any], given: npt.NDArray[Any], tolerance: float) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(answered - given) <= tolerance)
