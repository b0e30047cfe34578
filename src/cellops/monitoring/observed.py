"""What a window showed, in the bins that the profile of a package froze; from here on its rows are not needed."""

from dataclasses import dataclass
from typing import Any

from cellops.data.problems import shorten
from cellops.data.profile import observe
from cellops.errors import CellopsError
from cellops.monitoring.performance import measure
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Performance, Task
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnKind, ColumnProfile

BINARY = 2


@dataclass(frozen=True)
class ObservedColumn:
    """One column of the profile, and what a window showed in it."""

    reference: ColumnProfile
    current: ColumnProfile | None
    """Counted in the bins of the reference; None where the column is not there or cannot be read."""
    finding: Finding | None = None
    """Why not."""


@dataclass(frozen=True)
class ObservedWindow:
    """A stretch of time, summarised."""

    label: str
    start: str | None
    end: str | None
    rows: int
    columns: tuple[ObservedColumn, ...]
    """In the order of the profile."""
    output: ObservedColumn | None = None
    """What the model answered, where that is known."""
    performance: Performance | None = None
    labelled_rows: int = 0
    findings: tuple[Finding, ...] = ()


def observed(contract: Contract, window: Window) -> ObservedWindow:
    """Summarise the rows of a window. A column that is missing or cannot be read becomes a finding."""
    performance, labelled_rows, findings = measure(contract, window)
    return ObservedWindow(
        label=window.label,
        start=window.start,
        end=window.end,
        rows=len(window.frame),
        columns=tuple(_column(reference, window) for reference in contract.profile.columns),
        output=_output(contract, window),
        performance=performance,
        labelled_rows=labelled_rows,
        findings=findings,
    )


def _column(reference: ColumnProfile, window: Window) -> ObservedColumn:
    places = [place for place, name in enumerate(window.frame.columns) if str(name) == reference.name]
    if len(places) == 1:
        return _read(reference, window.frame.iloc[:, places[0]], window)
    seen = f"{len(places)} columns have this name" if places else "The column is not there"
    return _unreadable(reference, window, seen, "Give the inputs of the model, each column once")


def _output(contract: Contract, window: Window) -> ObservedColumn | None:
    """The probability of the positive class where there is one, else the answer."""
    reference, labels = contract.output, window.labels
    if reference is None or labels is None:
        return None
    binary = contract.schema.task is Task.CLASSIFICATION and len(contract.schema.classes) == BINARY
    if binary and window.probabilities is not None and reference.kind is ColumnKind.NUMBER:
        return _read(reference, window.probabilities[:, -1], window)
    return _read(reference, labels, window)


def _read(reference: ColumnProfile, values: Any, window: Window) -> ObservedColumn:
    try:
        return ObservedColumn(reference, observe(reference, values))
    except CellopsError as error:
        return _unreadable(reference, window, _said(error), error.remedy)
    except (
        TypeError,
        ValueError,
        ArithmeticError,
        NotImplementedError,
    ) as error:  # what pandas, numpy, Arrow and Decimal raise on values they cannot hold
        return _unreadable(
            reference, window, str(error) or type(error).__name__, "Convert it to what the model was trained on"
        )


def _said(error: CellopsError) -> str:
    """What is wrong, with the value where there is one; a value may be of any length."""
    return error.fact if error.received is None else f"{error.fact}: {shorten(repr(error.received))}"


def _unreadable(reference: ColumnProfile, window: Window, seen: str, remedy: str) -> ObservedColumn:
    finding = Finding(
        code="column-not-compared",
        severity=Severity.ERROR,
        where=f"column {reference.name}, window {window.label}",
        seen=seen,
        remedy=remedy,
    )
    return ObservedColumn(reference, None, finding)
