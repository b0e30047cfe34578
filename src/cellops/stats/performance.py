"""How good a model's answers are: every figure with its confidence interval."""

from collections.abc import Sequence

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
    cannot give is absent: ROC AUC when all rows are of one class, precision when nothing was called positive.

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
    figures = [
        _auc(actual, chances, level),
        proportion("accuracy", _rows(actual == answered), len(actual), level=level),
    ]
    if len(classes) == BINARY:
        hits = _rows((actual == 1) & (answered == 1))
        figures += [
            proportion("precision", hits, _rows(answered == 1), level=level),
            proportion("recall", hits, _rows(actual == 1), level=level),
        ]
    if chances is not None:
        figures += [brier(actual, chances, level=level), log_loss(actual, chances, level=level)]
    return Performance(
        task=task,
        rows=len(true),
        measures=_present(figures),
        positive=classes[-1] if len(classes) == BINARY else None,
    )


def _regression(truth: NDArray[np.float64], predicted: NDArray[np.float64], level: float) -> Performance:
    figures = [figure(truth, predicted, level=level) for figure in (mae, rmse, r2)]
    return Performance(task=Task.REGRESSION, rows=len(truth), measures=_present(figures))


def _auc(actual: NDArray[np.intp], chances: NDArray[np.float64] | None, level: float) -> Measure | None:
    if chances is None or chances.shape[1] != BINARY:
        return None
    return roc_auc(actual == 1, chances[:, 1], level=level)


def _present(figures: Sequence[Measure | None]) -> tuple[Measure, ...]:
    return tuple(figure for figure in figures if figure is not None)


def _rows(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _codes(values: NDArray[np.generic], classes: Sequence[Value], what: str) -> NDArray[np.intp]:
    """Index of each value among the classes."""
    codes = np.full(len(values), -1, dtype=np.intp)
    for code, name in enumerate(classes):
        codes[values == name] = code
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


def _numbers(values: NDArray[np.generic], what: str) -> NDArray[np.float64]:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        fact = f"Regression needs numbers for the {what}"
        raise InputError(fact, received=str(error), remedy="Leave out rows without a label") from error
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


def _checked_probabilities(probabilities: ArrayLike, rows: int, classes: int) -> NDArray[np.float64]:
    chances = np.asarray(probabilities, dtype=np.float64)
    if chances.shape != (rows, classes) or not np.all((chances >= 0) & (chances <= 1)):
        fact = f"Probabilities must be {rows} rows of {classes} numbers from 0 to 1"
        raise InputError(fact, received=chances.shape, remedy="Give one column per class, in the order of the classes")
    return chances
