"""How good a model's answers are: every figure with its confidence interval."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.errors import InputError
from cellops.records.base import Value
from cellops.records.contract import Measure, Performance, Task
from cellops.stats.brier import brier
from cellops.stats.log_loss import log_loss
from cellops.stats.proportion import proportion
from cellops.stats.regression import mae, r2, rmse
from cellops.stats.roc_auc import roc_auc

SMALLER_IS_BETTER = frozenset({"brier", "log_loss", "mae", "rmse"})
"""The figures that count losses; of all others more is better."""
BINARY = 2
SHOWN_ROWS = 10
NO_ROWS = "there are no rows"

Figures: TypeAlias = dict[str, tuple[Measure | None, str]]
"""Each figure, and why it is absent if it is."""


def evaluate(
    task: Task,
    truth: ArrayLike,
    labels: ArrayLike,
    probabilities: ArrayLike | None,
    classes: Sequence[Value],
    *,
    level: float = 0.95,
) -> Performance:
    """Compare a model's answers with the truth.

    Two classes give ROC AUC (the last class is the positive one), accuracy, precision, recall, Brier score and log
    loss; more give accuracy, Brier score and log loss; regression gives MAE, RMSE and R². A figure that the rows
    cannot give is absent with the reason: ROC AUC when all rows are of one class, precision when nothing was called
    positive.

    Parameters
    ----------
    task
        Classification or regression.
    truth, labels
        What was true and what was predicted: classes, or numbers; shape (rows,), nothing missing.
    probabilities
        Shape (rows, classes), columns in the order of `classes`; None when the model gives none.
    classes
        The classes of the model; empty for regression.
    level
        Confidence level of the intervals.

    Returns
    -------
    Performance
        The figures with their intervals, and the number of rows they rest on.

    Raises
    ------
    InputError
        When lengths differ, a value is missing, or the truth names a class that the model does not know.

    Examples
    --------
    >>> done = evaluate(Task.CLASSIFICATION, [0, 1, 1, 0], [0, 1, 0, 0], None, [0, 1])
    >>> {measure.name: measure.value for measure in done.measures}
    {'accuracy': 0.75, 'precision': 1.0, 'recall': 0.5}
    """
    true, predicted = np.asarray(truth), np.asarray(labels)
    if true.ndim != 1 or true.shape != predicted.shape:
        fact = "Truth and predictions differ in length"
        raise InputError(fact, received=(true.shape, predicted.shape), remedy="Give one of each per row")
    if task is Task.REGRESSION:
        return _regression(_numbers(true, "true values"), _numbers(predicted, "predictions"), level)
    actual, answered = _codes(true, classes, "true values"), _codes(predicted, classes, "predictions")
    chances = None if probabilities is None else _checked_probabilities(probabilities, len(true), len(classes))
    figures: Figures = {}
    if len(classes) == BINARY and chances is not None:
        figures["roc_auc"] = roc_auc(actual == 1, chances[:, 1], level=level), "all rows are of one class"
    figures["accuracy"] = proportion("accuracy", _rows(actual == answered), len(actual), level=level), NO_ROWS
    if len(classes) == BINARY:
        hits, called, positive = _rows((actual == 1) & (answered == 1)), _rows(answered == 1), _rows(actual == 1)
        figures["precision"] = proportion("precision", hits, called, level=level), f"no row was called {classes[-1]}"
        figures["recall"] = proportion("recall", hits, positive, level=level), f"no row is {classes[-1]}"
    if chances is not None:
        figures["brier"] = brier(actual, chances, level=level), NO_ROWS
        figures["log_loss"] = log_loss(actual, chances, level=level), NO_ROWS
    return _performance(task, len(true), figures, positive=classes[-1] if len(classes) == BINARY else None)


def recognised(task: Task, truth: NDArray[Any], classes: Sequence[Value]) -> NDArray[np.bool_]:
    """Which true values `evaluate` takes: the classes of the model, or finite numbers; shape (rows,).

    >>> recognised(Task.CLASSIFICATION, np.array(["a", "b", "x"]), ["a", "b"])
    array([ True,  True, False])
    """
    if task is Task.REGRESSION:
        try:
            return np.isfinite(truth.astype(np.float64))
        except (TypeError, ValueError, OverflowError):
            return np.array([_is_finite(value) for value in truth.tolist()], dtype=bool)
    return _class_codes(truth, classes) >= 0


def _is_finite(value: object) -> bool:
    return _is_number(value) and bool(np.isfinite(np.float64(value)))  # type: ignore[arg-type]  # it is a number


def _regression(truth: NDArray[np.float64], predicted: NDArray[np.float64], level: float) -> Performance:
    constant = not len(truth) or bool(truth.min() == truth.max())
    too_large = "it is beyond the largest float" if len(truth) else NO_ROWS
    figures: Figures = {
        "mae": (mae(truth, predicted, level=level), too_large),
        "rmse": (rmse(truth, predicted, level=level), too_large),
        "r2": (r2(truth, predicted, level=level), "all true values are the same" if constant else too_large),
    }
    return _performance(Task.REGRESSION, len(truth), figures)


def _performance(task: Task, rows: int, figures: Figures, *, positive: Value = None) -> Performance:
    return Performance(
        task=task,
        rows=rows,
        measures=tuple(figure for figure, _ in figures.values() if figure is not None),
        positive=positive,
        absent={name: reason for name, (figure, reason) in figures.items() if figure is None},
    )


def _rows(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _codes(values: NDArray[np.generic], classes: Sequence[Value], what: str) -> NDArray[np.intp]:
    """Index of each value among the classes."""
    codes = _class_codes(values, classes)
    rows = np.flatnonzero(codes < 0)
    if len(rows):
        fact = f"Among the {what} is a class that the model does not have"
        raise InputError(
            fact,
            received=values[rows[:1]].tolist()[0],
            remedy=f"Its classes are {', '.join(repr(name) for name in classes)}; leave out rows without a label",
            rows=rows[:SHOWN_ROWS].tolist(),
        )
    return codes


def _class_codes(values: NDArray[Any], classes: Sequence[Value]) -> NDArray[np.intp]:
    """Index of each value among the classes, -1 for one that is none of them."""
    codes = np.full(len(values), -1, dtype=np.intp)
    for code, name in enumerate(classes):
        codes[values == name] = code
    return codes


def _numbers(values: NDArray[np.generic], what: str) -> NDArray[np.float64]:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        row = next(row for row, value in enumerate(values.tolist()) if not _is_number(value))
        fact = f"Regression needs numbers for the {what}, and row {row} is none"
        raise InputError(
            fact, received=values[row], remedy="Give a number, or leave out rows without a label", rows=[row]
        ) from error
    rows = np.flatnonzero(~np.isfinite(numbers))
    if len(rows):
        fact = f"Regression needs finite numbers for the {what}"
        raise InputError(
            fact,
            received=float(numbers[rows[0]]),
            remedy="Leave out rows without a label",
            rows=rows[:SHOWN_ROWS].tolist(),
        )
    return numbers


def _is_number(value: object) -> bool:
    try:
        np.float64(value)  # type: ignore[arg-type]  # that is what is asked
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _checked_probabilities(probabilities: ArrayLike, rows: int, classes: int) -> NDArray[np.float64]:
    chances = np.asarray(probabilities, dtype=np.float64)
    if chances.shape != (rows, classes) or not np.all((chances >= 0) & (chances <= 1)):
        fact = f"Probabilities must be {rows} rows of {classes} numbers from 0 to 1"
        raise InputError(fact, received=chances.shape, remedy="Give one column per class, in the order of the classes")
    return chances
