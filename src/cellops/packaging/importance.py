"""How much of what a model answers depends on each of its inputs; no labels are needed."""

import time
import warnings
from typing import TYPE_CHECKING

import numpy as np

from cellops.data.column import Numbers
from cellops.packaging.predictor import Predictions, SklearnPredictor
from cellops.records.contract import Schema, Task
from cellops.stats.splitmix import stream

if TYPE_CHECKING:
    import pandas as pd

SIZES = (5, 50, 250, 1000)
"""Rows that are answered, each number to see whether there is time for the next."""
FEWEST = 50
"""Rows below which the change of the answers says too little."""
MOST_AT_ONCE = 20_000
"""Rows of one call: many a model takes as long for one row as for a thousand."""
MOST_CELLS = 4_000_000
"""Values of one call: 32 MB, where there are many inputs."""
LONGEST = 10.0
"""Seconds after which no further input is looked at."""
DIGITS = 6


def importance(predictor: SklearnPredictor, schema: Schema, inputs: "pd.DataFrame") -> dict[str, float]:
    r"""By how much the answers change when the values of one input are dealt out anew among the rows.

    .. math:: I_j = \frac{c_j}{\sum_i c_i}, \quad c_j = \frac{1}{n} \sum_x d(f(x), f(x_{\pi(j)}))

    with d the total variation between the class probabilities (for two classes, the change of either), whether the
    label is another one for a model without probabilities, or the change of the number over the standard deviation of
    all answers. Rows are spread over the table, at most 1,000, and the permutation is always the same.

    It takes about ten seconds at most: a slow model answers 250 or 50 rows, and inputs for which no time is left have
    no entry, nor have those for which the model cannot answer permuted rows, or not with finite numbers. Of inputs that
    say the same, a model may use one alone, and permuting one of them makes rows that never were; what it says is of
    this model, not of the world.

    Parameters
    ----------
    predictor
        The fitted model.
    inputs
        Rows that it was trained on, shape (rows, columns).

    Returns
    -------
    dict
        A share of 1 for each input; all are 0 where the answers hang on none, and there are none for a model that is
        too slow or fails.

    References
    ----------
    Breiman, Random forests, Machine Learning 45 (2001), section 10. Fisher, Rudin and Dominici, All models are wrong,
    but many are useful, JMLR 20 (2019), equation 3, here with the model's own answers in the place of the truth.
    """
    deadline = time.perf_counter() + LONGEST
    with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
        warnings.simplefilter("ignore")
        try:
            rows = _spread(inputs, _affordable(predictor, inputs, len(schema.inputs)))
            changes = _changes(predictor, schema, rows, deadline) if len(rows) else {}
        except Exception:  # noqa: BLE001 - a model may raise anything where it is given few rows, or others than it knows
            return {}
    finite = {name: change for name, change in changes.items() if np.isfinite(change)}
    whole = sum(finite.values())
    return {name: round(change / whole, DIGITS) if whole else 0.0 for name, change in finite.items()}


def _spread(table: "pd.DataFrame", many: int) -> "pd.DataFrame":
    return table.iloc[np.linspace(0, len(table) - 1, min(many, len(table))).astype(np.intp)]


def _affordable(predictor: SklearnPredictor, table: "pd.DataFrame", inputs: int) -> int:
    """How many rows the model can answer for every input in about half of the time; 0 where a few take it too long."""
    chosen, each = 0, 0.0
    for many in SIZES:
        if each * many > LONGEST / 2:
            break
        spent = _seconds(predictor, _spread(table, many))
        if many > FEWEST and spent * (inputs + 1) > LONGEST / 2:
            break
        chosen, each = many, spent / many
    return chosen if chosen >= FEWEST else 0


def _seconds(predictor: SklearnPredictor, rows: "pd.DataFrame") -> float:
    began = time.perf_counter()
    predictor.answer(rows)
    return time.perf_counter() - began


def _changes(predictor: SklearnPredictor, schema: Schema, rows: "pd.DataFrame", deadline: float) -> dict[str, float]:
    usual, names = predictor.answer(rows), [field.name for field in schema.inputs]
    together = max(1, min(MOST_AT_ONCE, MOST_CELLS // len(names)) // len(rows))
    found: dict[str, float] = {}
    for begin in range(0, len(names), together):
        if time.perf_counter() > deadline:
            break
        found |= _of_some(predictor, schema, rows, usual, names[begin : begin + together])
    return found


def _of_some(
    predictor: SklearnPredictor, schema: Schema, rows: "pd.DataFrame", usual: Predictions, names: list[str]
) -> dict[str, float]:
    """The change for some inputs, in one call; where the model refuses rows that never were, in one for each."""
    import pandas as pd

    order = np.argsort(stream(0, len(rows)))
    dealt = [rows.assign(**{name: rows[name].iloc[order].set_axis(rows.index)}) for name in names]
    try:
        answers = predictor.answer(pd.concat(dealt, ignore_index=True))
        places = np.arange(len(rows))
        own = [answers.of(places + place * len(rows)) for place in range(len(names))]
    except Exception:  # noqa: BLE001 - in whatever way
        alone = names if len(names) > 1 else []
        return {k: v for name in alone for k, v in _of_some(predictor, schema, rows, usual, [name]).items()}
    return {name: float(np.mean(_apart(schema, usual, part))) for name, part in zip(names, own, strict=True)}


def _apart(schema: Schema, usual: Predictions, other: Predictions) -> Numbers:
    """How far the answers for each row are from each other, shape (rows,)."""
    if schema.task is Task.REGRESSION:
        unit = (
            float(np.max(np.abs(usual.labels.astype(np.float64)))) or 1.0
        )  # its square may be beyond the largest float
        before, after = usual.labels.astype(np.float64) / unit, other.labels.astype(np.float64) / unit
        spread = float(before.std())
        moved: Numbers = np.abs(after - before) / (spread or np.inf)
        return moved
    if usual.probabilities is None or other.probabilities is None:
        other_label: Numbers = (usual.labels != other.labels).astype(np.float64)
        return other_label
    apart: Numbers = np.abs(other.probabilities - usual.probabilities).sum(axis=1) / 2
    return apart
