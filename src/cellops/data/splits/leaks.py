"""What stands on both sides of a split: groups, and times that are not behind each other."""

from collections.abc import Sequence

import numpy as np

from cellops.data.splits.clock import Clock
from cellops.data.splits.keys import keys_of
from cellops.data.splits.table import Table
from cellops.records.finding import Finding, Severity


def groups_shared(training: Table, evaluation: Table, columns: Sequence[str], where: str) -> list[Finding]:
    """A finding where groups of some columns stand in training and in evaluation.

    Raises
    ------
    InputError
        When a column is missing on a side, or lacks values.
    """
    _, known = keys_of([training.column(name) for name in columns])
    codes, asked = keys_of([evaluation.column(name) for name in columns])
    trained = set(known)
    both = np.array([key in trained for key in asked], dtype=bool)
    if not both.any():
        return []
    rows = int(both[codes].sum())
    return [
        Finding(
            code="groups-shared",
            severity=Severity.WARNING,
            where=where,
            seen=f"{int(both.sum())} of {len(asked)} groups of {' and '.join(columns)} in the evaluation, "
            f"with {rows} of its {evaluation.rows} rows, are in the training too",
            remedy=f"Divide by groups: cellops.split(table, groups={list(columns)!r})",
        )
    ]


def time_broken(training: Table, evaluation: Table, column: str, where: str) -> list[Finding]:
    """A finding where rows of the training are not before all of the evaluation.

    Raises
    ------
    InputError
        When the column is missing on a side, lacks values or holds no times.
    """
    train, test = (Clock(column, side.column(column)) for side in (training, evaluation))
    if not len(train.ticks) or not len(test.ticks):
        return []
    first = test.ticks.min()
    late = int((train.ticks >= first).sum())
    if not late:
        return []
    return [
        Finding(
            code="time-order-broken",
            severity=Severity.WARNING,
            where=where,
            seen=f"{late} of {len(train.ticks)} rows of the training are not before {test.written([first])[0]}, "
            f"the first {column} of the evaluation",
            remedy=f"Divide by time: cellops.split(table, time={column!r})",
        )
    ]
