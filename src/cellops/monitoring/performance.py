"""Performance of a window, once its labels are there, beside what the package promises."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellops.data.problems import shorten
from cellops.errors import InputError
from cellops.monitoring.verdict import LEAST_ROWS
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Measure, Performance
from cellops.records.finding import Finding, Severity
from cellops.stats.performance import SMALLER_IS_BETTER, evaluate, recognised

WORSE = "performance-worse"


def measure(contract: Contract, window: Window) -> tuple[Performance | None, int, tuple[Finding, ...]]:
    """Performance on the rows of a window that have a label, how many these are, and what is to be said of it.

    None where the window has no answers of the model or no labels. A figure is worse than the package's when the
    two confidence intervals do not even touch.
    """
    if window.truth is None or window.labels is None:
        return None, 0, ()
    import pandas as pd

    schema = contract.schema
    labelled = ~np.asarray(pd.isna(window.truth), dtype=bool)
    if not labelled.any():
        return None, 0, ()
    known = labelled.copy()
    known[labelled] = recognised(schema.task, np.asarray(window.truth)[labelled], schema.classes)
    foreign = np.asarray(window.truth)[labelled & ~known]
    # Where no label is known all are kept, so that the error says what is wrong with them.
    known = known if known.any() else labelled
    labelled_rows = int(known.sum())
    try:
        performance = evaluate(
            schema.task,
            np.asarray(window.truth)[known],
            np.asarray(window.labels)[known],
            None if window.probabilities is None else np.asarray(window.probabilities)[known],
            schema.classes,
        )
    except InputError as error:
        return None, labelled_rows, (_unreadable(window, error),)
    found = _findings(contract.performance, performance, window)
    return performance, labelled_rows, (*found, *_not_counted(window, foreign))


def is_judged(performance: Performance | None) -> bool:
    """Whether a window has labels enough for a verdict on its figures."""
    return performance is not None and performance.rows >= LEAST_ROWS


def worse_figures(current: Performance | None, promised: Performance | None) -> list[tuple[Measure, Measure]]:
    """The figures that are worse than promised, each beside its promise; none where too few labels are there."""
    if current is None or promised is None or not (is_judged(current) and is_judged(promised)):
        return []
    pairs = [(now, promised.measure(now.name)) for now in current.measures]
    rows = current.rows, promised.rows
    return [(now, then) for now, then in pairs if then and is_worse(*_as_wide(now, then, *rows))]


def _as_wide(current: Measure, reference: Measure, rows: int, reference_rows: int) -> tuple[Measure, Measure]:
    """Both with intervals no narrower than the spread of the other side makes them.

    A side in which a rare, large loss happens not to occur has far too narrow an interval by itself.
    """
    ratio = math.sqrt(rows / reference_rows)
    return _widened(current, reference, 1 / ratio), _widened(reference, current, ratio)


def _widened(figure: Measure, other: Measure, scale: float) -> Measure:
    if figure.low is None or figure.high is None or other.low is None or other.high is None:
        return figure
    reach = scale * max(other.high - other.value, other.value - other.low)
    return figure.replace(low=min(figure.low, figure.value - reach), high=max(figure.high, figure.value + reach))


def is_worse(current: Measure, reference: Measure) -> bool:
    """Whether the whole interval of `current` lies on the bad side of the whole interval of `reference`.

    Examples
    --------
    >>> now = Measure(name="recall", value=0.5, low=0.4, high=0.6)
    >>> is_worse(now, reference=Measure(name="recall", value=0.8, low=0.7, high=0.9))
    True
    """
    if None in (current.low, current.high, reference.low, reference.high):
        return False
    low, high = (current, reference) if current.name not in SMALLER_IS_BETTER else (reference, current)
    return bool(low.high < high.low)  # type: ignore[operator]  # None is ruled out above


def _findings(reference: Performance | None, current: Performance, window: Window) -> tuple[Finding, ...]:
    worse = [f"{now.name} {shown(now)}, promised {shown(then)}" for now, then in worse_figures(current, reference)]
    if not worse:
        return ()
    return (
        Finding(
            code=WORSE,
            severity=Severity.WARNING,
            where=f"window {window.label}",
            seen="; ".join(worse),
            remedy="Look at the columns that moved most in this window; if they stay so, train on newer data",
        ),
    )


def shown(measure: Measure) -> str:
    """A figure with its interval, as a person reads it.

    Examples
    --------
    >>> shown(Measure(name="roc_auc", value=0.71234, low=0.701, high=0.722))
    '0.712 (0.701 to 0.722)'
    """
    interval = "" if measure.low is None else f" ({measure.low:.3g} to {measure.high:.3g})"
    return f"{measure.value:.3g}{interval}"


def _not_counted(window: Window, foreign: NDArray[Any]) -> tuple[Finding, ...]:
    if not len(foreign):
        return ()
    example = shorten(repr(foreign.tolist()[0]))
    return (
        Finding(
            code="labels-not-counted",
            severity=Severity.WARNING,
            where=f"window {window.label}",
            seen=f"{len(foreign)} labels do not fit the model, such as {example}; they are left out",
            remedy="Correct these labels, or train and package the model on data that has them",
        ),
    )


def _unreadable(window: Window, error: InputError) -> Finding:
    return Finding(
        code="performance-unreadable",
        severity=Severity.ERROR,
        where=f"window {window.label}",
        seen=error.fact if error.received is None else f"{error.fact}: {shorten(repr(error.received))}",
        remedy=error.remedy,
    )
