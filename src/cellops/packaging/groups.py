"""How good a model is on groups of its evaluation rows: the figures of gates such as `min_group(recall, carrier)`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellops.errors import InputError
from cellops.packaging.figures import single_column
from cellops.packaging.predictor import Predictions
from cellops.records.base import Value
from cellops.records.contract import Schema, Task
from cellops.records.gate import GateFigure, Group
from cellops.stats.performance import evaluate

BINARY = 2
MOST_GROUPS = 1000
PLAIN = (str, int, float, bool)
EXTREMES = {"min_group": (0,), "max_group": (-1,), "gap_group": (0, -1)}
"""Which groups a function names, among those that count, the lowest first."""


def figures_of_groups(schema: Schema) -> tuple[str, ...]:
    """The figures that say how a model treats groups, where nobody asks for others: each of them per row or class."""
    if schema.task is Task.REGRESSION:
        return ("mae",)
    return ("accuracy", "precision", "recall") if len(schema.classes) == BINARY else ("accuracy",)


def group_figure(
    name: str,
    function: str,
    figure: str,
    smallest: int,
    *,
    schema: Schema,
    target: Any,
    answers: Predictions,
    column: "pd.Series[Any]",
) -> GateFigure:
    """The lowest or the highest of a figure over the groups of a column, or the gap between them.

    Rows without a label are left out, and those without a value in the column are a group of their own. A group does
    not count where the figure would rest on fewer than `smallest` labelled rows: the recall of a group on those of the
    positive class, precision on those called positive, ROC AUC on those of the rarer class. It is listed with the
    reason. There is no gap where fewer than two groups count: of one group it would be none, whatever the others are.

    Parameters
    ----------
    name
        What the figure is called, as a gate writes it.
    function
        `min_group`, `max_group` or `gap_group`.
    figure
        One of those that `stats.performance.evaluate` measures.
    smallest
        The fewest labelled rows that the figure of a group rests on.
    target
        The truth of the evaluation rows.
    answers
        What the model gave for them.
    column
        The value by which each row belongs to a group; shape (rows,).
    """
    truth = single_column(target)
    if not len(truth) == len(column) == len(answers.labels):
        return GateFigure(name=name, reason="the column, the labels and the evaluation rows differ in length")
    known = truth.notna().to_numpy()
    try:
        codes, names = _codes(column[known])
    except TypeError as error:
        return GateFigure(name=name, reason=str(error))
    if len(names) > MOST_GROUPS:
        return GateFigure(name=name, reason=f"{column.name} has {len(names)} groups, and {MOST_GROUPS} are the most")
    rows = [np.flatnonzero(known)[codes == code] for code in range(len(names))]
    groups = [
        _group(group, truth.iloc[of].to_numpy(), answers.of(of), schema=schema, figure=figure, smallest=smallest)
        for group, of in zip(names, rows, strict=True)
    ]
    return _summary(name, function, groups)


def _codes(column: "pd.Series[Any]") -> tuple[npt.NDArray[np.intp], list[Value]]:
    """The group of each row and the groups' names; rows without a value are the last group, whose name is None.

    Raises
    ------
    TypeError
        When the column holds objects: to tell them apart would be to run their code.
    """
    if column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype | pd.IntervalDtype | pd.DatetimeTZDtype):
        column = column.astype(str).where(column.notna(), None)
    held = column.astype(object).where(column.notna(), None)
    values = np.array([_plain(value, column.name) for value in held], dtype=object)
    codes, found = pd.factorize(values, use_na_sentinel=True)
    names: list[Value] = list(found)
    if (codes < 0).any():
        codes = np.where(codes < 0, len(names), codes)
        names.append(None)
    return codes, names


def _plain(value: Any, column: object) -> Value:
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is not None and type(plain) not in PLAIN:
        text = f"{column} holds objects of type {type(plain).__name__}; groups are texts, numbers or truth values"
        raise TypeError(text)
    return plain  # type: ignore[no-any-return]


def _group(
    name: Value, truth: npt.NDArray[Any], answers: Predictions, *, schema: Schema, figure: str, smallest: int
) -> Group:
    rows, counted = len(truth), _counted(figure, truth, answers, schema)
    if counted < smallest:
        return Group(name=name, rows=rows, counted=counted, reason=f"it rests on fewer than {smallest} rows")
    try:
        found = evaluate(schema.task, truth, answers.labels, answers.probabilities, schema.classes)
    except InputError as error:
        return Group(name=name, rows=rows, counted=counted, reason=error.fact)
    measure = found.measure(figure)
    if measure is None:
        reason = found.absent.get(figure, f"the model has no {figure}")
        return Group(name=name, rows=rows, counted=counted, reason=reason)
    return Group(name=name, rows=rows, counted=counted, value=measure.value, low=measure.low, high=measure.high)


def _counted(figure: str, truth: npt.NDArray[Any], answers: Predictions, schema: Schema) -> int:
    """How many rows a figure rests on: with few of them it is chance, however many others there are."""
    if len(schema.classes) != BINARY or figure not in {"recall", "precision", "roc_auc"}:
        return len(truth)
    positive = (answers.labels if figure == "precision" else truth) == schema.classes[-1]
    found = int(np.count_nonzero(positive))
    return min(found, len(truth) - found) if figure == "roc_auc" else found


def _summary(name: str, function: str, groups: Sequence[Group]) -> GateFigure:
    judged = sorted((group for group in groups if group.value is not None), key=lambda group: group.value or 0.0)
    others = tuple(sorted((group for group in groups if group.value is None), key=lambda group: -group.rows))
    if not judged:
        reason = _reasons(others) or "there are no labelled rows"
        return GateFigure(name=name, groups=others, reason=f"no group counts: {reason}")
    if len(judged) < len(EXTREMES[function]):
        reason = f"only one group counts, {judged[0].name}: {_reasons(others) or 'there is no other'}"
        return GateFigure(name=name, groups=(*judged, *others), reason=reason)
    extremes = [judged[place] for place in EXTREMES[function]]
    values = [group.value or 0.0 for group in extremes]
    return GateFigure(
        name=name,
        value=values[-1] - values[0] if function == "gap_group" else values[0],
        groups=(*judged, *others),
        extremes=tuple(group.name for group in extremes),
    )


def _reasons(others: Sequence[Group]) -> str:
    """Why groups do not count, each reason once."""
    return "; ".join(list(dict.fromkeys(group.reason for group in others))[:3])
