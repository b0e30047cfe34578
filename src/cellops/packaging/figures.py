"""The performance of a model on its evaluation data, as far as they give it."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.errors import InputError
from cellops.packaging.predictor import Predictions
from cellops.records.contract import Performance, Schema, Task
from cellops.records.finding import Finding, Severity
from cellops.stats.performance import evaluate

if TYPE_CHECKING:
    import pandas as pd

BINARY = 2
REMEDIES = {
    "precision": "Evaluate on rows that the model calls positive, too",
    "recall": "Evaluate on rows of the positive class, too",
    "r2": "Evaluate on several rows with different targets",
    "roc_auc": "Evaluate on rows of both classes",
}


def measure(schema: Schema, target: Any, answers: Predictions) -> tuple[Performance | None, list[Finding]]:
    """Compare answers with the truth; what cannot be measured is absent, and a finding says why.

    Parameters
    ----------
    schema
        Says which figures there could be.
    target
        The truth: a Series, or an array or table of one column; rows without a label are left out.
    answers
        What the model gave for the same rows.
    """
    truth, findings = single_column(target), []
    labels, probabilities = answers.labels, answers.probabilities
    if len(truth) == len(labels) and truth.isna().any():
        known = truth.notna().to_numpy()
        findings.append(_finding(f"{int((~known).sum())} evaluation rows have no label and are left out"))
        truth, labels = truth[known], labels[known]
        probabilities = None if probabilities is None else probabilities[known]
    try:
        found = evaluate(schema.task, truth.to_numpy(), labels, probabilities, schema.classes)
    except InputError as error:
        received = "" if error.received is None else f" ({error.received})"
        return None, [*findings, _finding(f"There is no performance: {error.fact}{received}", error.remedy)]
    kept = tuple(figure for figure in found.measures if _is_finite(figure.value, figure.low, figure.high))
    absent = _possible(schema) - {figure.name for figure in kept}
    findings += [_finding(f"The evaluation data give no {name}", REMEDIES.get(name)) for name in sorted(absent)]
    return found.replace(measures=kept), findings


def nothing_to_measure() -> Finding:
    """What there is to say of evaluation data without rows."""
    return _finding("There is no performance: the evaluation data have no rows")


def single_column(target: Any) -> "pd.Series[Any]":
    """A target as one column, however it was given."""
    import pandas as pd

    if isinstance(target, pd.DataFrame):
        target = target.iloc[:, 0]
    column: pd.Series[Any] = pd.Series(target if isinstance(target, pd.Series) else np.asarray(target).reshape(-1))
    return column.reset_index(drop=True)


def _possible(schema: Schema) -> set[str]:
    if schema.task is Task.REGRESSION:
        return {"mae", "rmse", "r2"}
    binary = {"precision", "recall"} if len(schema.classes) == BINARY else set()
    chances = {"brier", "log_loss"} if schema.probabilities else set()
    return {"accuracy", *binary, *chances, *({"roc_auc"} if binary and chances else ())}


def _is_finite(*numbers: float | None) -> bool:
    return all(number is None or math.isfinite(number) for number in numbers)


def _finding(seen: str, remedy: str | None = None) -> Finding:
    remedy = remedy or "Evaluate on rows with labels, of usual size"
    return Finding(
        code="incomplete-performance", severity=Severity.WARNING, where="evaluation data", seen=seen, remedy=remedy
    )
