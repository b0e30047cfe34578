"""What a window showed, in the bins that the profile of a package froze; from here on its rows are not needed."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from cellops.data.column import Numbers
from cellops.data.problems import shorten
from cellops.data.profile import count, observe_ordered
from cellops.errors import CellopsError
from cellops.monitoring.performance import measure
from cellops.monitoring.relations import RelationsSeen
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Performance, Task
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnKind, ColumnProfile

if TYPE_CHECKING:
    import pandas as pd


BINARY = 2
MANY_VALUES = 2_000_000
"""Values of a window from which its columns are read by several threads: sorting leaves the interpreter free."""
MOST_THREADS = 4
Problem: TypeAlias = tuple[str, str]
"""Why a column cannot be read, and what to do."""
Columns: TypeAlias = "dict[str, list[pd.Series[Any]]]"
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class ObservedColumn:
    """One column of the profile, and what a window showed in it."""

    reference: ColumnProfile
    current: ColumnProfile | None
    """Counted in the bins of the reference; None where the column is not there or cannot be read."""
    finding: Finding | None = None
    """Why not."""
    ordered: Numbers | None = None
    """All numbers that are there, ascending, shape (rows,): statistics over them are exact. None where they were not
    asked for, of text, and of a window that was read in chunks."""


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
    relations: RelationsSeen | None = None
    """How far the rows are from the relations between columns that the profile froze, where it did."""
    performance: Performance | None = None
    labelled_rows: int = 0
    findings: tuple[Finding, ...] = ()


def observed(
    contract: Contract, window: Window, *, keep_values: bool = False, counts_only: bool = False
) -> ObservedWindow:
    """Summarise the rows of a window. A column that is missing or cannot be read becomes a finding.

    Parameters
    ----------
    contract
        What the package says of its inputs and outputs.
    window
        The rows, in memory.
    keep_values
        Whether each column of numbers keeps its values, for exact statistics: as much memory as the columns have.
    counts_only
        Whether the rows in the frozen bins are all that is wanted. Then nothing is sorted, and columns have neither
        moments nor a sketch.
    """
    performance, labelled_rows, findings = measure(contract, window)
    read = _counted if counts_only else _sorted if keep_values else _summarised
    columns = columns_of(window)
    work: Callable[[ColumnProfile], ObservedColumn] = lambda reference: _column(reference, columns, window, read)  # noqa: E731 - for its type
    output = output_of(contract, window)
    return ObservedWindow(
        label=window.label,
        start=window.start,
        end=window.end,
        rows=len(window.frame),
        columns=side_by_side(work, contract.profile.columns, len(window.frame)),
        output=None if output is None else _read(*output, window, read),
        relations=RelationsSeen.of(contract, window),
        performance=performance,
        labelled_rows=labelled_rows,
        findings=findings,
    )


def side_by_side(
    work: Callable[[ColumnProfile], Seen], columns: tuple[ColumnProfile, ...], rows: int
) -> tuple[Seen, ...]:
    """What is seen of each column, on several cores where that pays."""
    if rows * len(columns) < MANY_VALUES:
        return tuple(map(work, columns))
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), "cellops-observe") as pool:
        return tuple(pool.map(work, columns))


Reader: TypeAlias = Callable[[ColumnProfile, Any], ObservedColumn]


def _summarised(reference: ColumnProfile, values: Any) -> ObservedColumn:
    return replace(_sorted(reference, values), ordered=None)


def _sorted(reference: ColumnProfile, values: Any) -> ObservedColumn:
    current, ordered = observe_ordered(reference, values)
    return ObservedColumn(reference, current, ordered=ordered)


def _counted(reference: ColumnProfile, values: Any) -> ObservedColumn:
    bins = count(reference, values)
    current = ColumnProfile(
        name=reference.name,
        kind=reference.kind,
        dtype=str(values.dtype),
        rows=len(values),
        missing=bins.missing,
        bins=bins,
        known=reference.known,
    )
    return ObservedColumn(reference, current)


def _column(reference: ColumnProfile, columns: Columns, window: Window, read: Reader) -> ObservedColumn:
    found = of_name(reference, columns)
    return (
        unreadable(reference, window.label, *found)
        if isinstance(found, tuple)
        else _read(reference, found, window, read)
    )


def _read(reference: ColumnProfile, values: Any, window: Window, read: Reader) -> ObservedColumn:
    seen = attempted(read, reference, values)
    return unreadable(reference, window.label, *seen) if isinstance(seen, tuple) else seen


def columns_of(window: Window) -> Columns:
    """The columns of a window by their names, of which some may be there twice."""
    found: Columns = {}
    for name, column in window.frame.items():
        found.setdefault(str(name), []).append(column)
    return found


def of_name(reference: ColumnProfile, columns: Columns) -> "pd.Series[Any] | Problem":
    """The column that a profile speaks of, or why it is not there."""
    found = columns.get(reference.name, [])
    if len(found) == 1:
        return found[0]
    seen = f"{len(found)} columns have this name" if found else "The column is not there"
    return seen, "Give the inputs of the model, each column once"


def output_of(contract: Contract, window: Window) -> tuple[ColumnProfile, Any] | None:
    """The probability of the positive class where there is one, else the answer; with its profile."""
    reference, labels = contract.output, window.labels
    if reference is None or labels is None:
        return None
    binary = contract.schema.task is Task.CLASSIFICATION and len(contract.schema.classes) == BINARY
    if binary and window.probabilities is not None and reference.kind is ColumnKind.NUMBER:
        return reference, window.probabilities[:, -1]
    return reference, labels


def attempted(read: Callable[[ColumnProfile, Any], Seen], reference: ColumnProfile, values: Any) -> Seen | Problem:
    """What a column shows, or why it cannot be read."""
    try:
        return read(reference, values)
    except CellopsError as error:
        return _said(error), error.remedy
    except (
        TypeError,
        ValueError,
        ArithmeticError,
        NotImplementedError,
    ) as error:  # what pandas, numpy, Arrow and Decimal raise on values they cannot hold
        return str(error) or type(error).__name__, "Convert it to what the model was trained on"


def _said(error: CellopsError) -> str:
    """What is wrong, with the value where there is one; a value may be of any length."""
    return error.fact if error.received is None else f"{error.fact}: {shorten(repr(error.received))}"


def unreadable(reference: ColumnProfile, label: str, seen: str, remedy: str) -> ObservedColumn:
    """A column without what it showed, and a finding that says why."""
    finding = Finding(
        code="column-not-compared",
        severity=Severity.ERROR,
        where=f"column {reference.name}, window {label}",
        seen=seen,
        remedy=remedy,
    )
    return ObservedColumn(reference, None, finding)
