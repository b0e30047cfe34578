"""Leakage in time: rows whose features were not known yet at their time."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cellops.data.features.events import columns_of
from cellops.data.features.frames import Frame, Places, frame_of
from cellops.data.features.point_in_time import SHOWN, point_in_time
from cellops.data.features.times import comparable, read_times
from cellops.data.problems import listed, row_numbers
from cellops.errors import InputError
from cellops.records.finding import Finding, Severity


def check_leakage(
    joined: Any,
    *,
    time: str,
    event_times: str | Sequence[str] = (),
    events: Any = None,
    key: str | Sequence[str] = (),
    **options: Any,
) -> list[Finding]:
    """Look for features that are newer than the row that they describe, whoever has joined them.

    Two ways, alone or together: by the times of the events, where the table has them; or by the events themselves, from
    which each row is made again and compared. The second needs nothing of the join but its result.

    Parameters
    ----------
    joined
        Rows with their features: a DataFrame of pandas or polars, or a table of pyarrow.
    time
        When each row is asked for.
    event_times
        Columns of `joined` that say when its events happened or became known.
    events, key, **options
        The tables of events, their key, and `events_time`, `known_at`, `tolerance`, `allow_exact`, `duplicates`, as
        `point_in_time` takes them.

    Returns
    -------
    list of Finding
        Of severity error, with the rows from 0: `feature-from-the-future` for a column of times that is later than the
        row, `feature-not-known-then` for a feature that is another than what was known at the time of the row.

    Raises
    ------
    InputError
        When there is nothing to compare with, a column is not there, or tables cannot be compared.

    Examples
    --------
    >>> import pandas as pd
    >>> joined = pd.DataFrame({"day": [3, 9], "seen": [1, 10], "balance": [10.0, 100.0]})
    >>> check_leakage(joined, time="day", event_times="seen")[0].seen
    'seen is later than day in 1 of 2 rows, row 1'
    """
    if not event_times and events is None:
        fact = "Nothing says when the features were known"
        raise InputError(fact, remedy="Name their columns of times, event_times=…, or give the events themselves")
    frame = frame_of(joined, "rows")
    missing = next((name for name in (time, *columns_of(event_times)) if name not in frame.names), None)
    if missing is not None:
        fact = f"The rows have no column {missing}"
        raise InputError(fact, remedy=f"They have: {listed(map(str, frame.names))}", column=missing)
    found = [finding for name in columns_of(event_times) if (finding := _later(frame, name, time)) is not None]
    return found if events is None else [*found, *_again(frame, time, events, columns_of(key), options)]


def _later(frame: Frame, name: str, time: str) -> Finding | None:
    columns = [read_times(frame.series(one), one) for one in (name, time)]
    _, (happened, asked) = comparable(*columns)
    rows = np.flatnonzero((happened > asked) & ~columns[0].missing & ~columns[1].missing)
    fact = f"{name} is later than {time}"
    return _finding("feature-from-the-future", name, fact, rows, len(happened)) if len(rows) else None


def _again(frame: Frame, time: str, events: Any, key: tuple[str, ...], options: dict[str, Any]) -> list[Finding]:
    """Rows whose features are others than the events give."""
    labels = frame.taken({name: name for name in (*key, time)}, np.arange(len(frame.series(time)), dtype=np.intp))
    right = frame_of(point_in_time(labels, events, key=key, time=time, findings=[], **options), "rows")
    compared = [name for name in right.names if name not in (*key, time) and name in frame.names]
    if not compared:
        fact = "The rows have none of the features of these events"
        raise InputError(
            fact, received=frame.names, remedy=f"They would be called {listed(right.names[len(key) + 1 :])}"
        )
    return [finding for name in compared if (finding := _differing(name, time, frame, right)) is not None]


def _differing(name: str, time: str, frame: Frame, right: Frame) -> Finding | None:
    """Rows that hold another value than was known at their time; a value and a missing one differ too."""
    held, known = (one.series(name).astype(object) for one in (frame, right))
    same = (held == known).fillna(False).to_numpy(dtype=bool) | (held.isna() & known.isna()).to_numpy(dtype=bool)
    rows = np.flatnonzero(~same)
    fact = f"{name} is not what was known at {time}"
    return _finding("feature-not-known-then", name, fact, rows, len(same)) if len(rows) else None


def _finding(code: str, column: str, fact: str, rows: Places, count: int) -> Finding:
    shown = row_numbers(rows[:SHOWN].tolist(), len(rows))
    seen = f"{fact} in {len(rows)} of {count} rows, {shown}"
    remedy = "Join them with cellops.point_in_time, which takes what was known by then"
    return Finding(code=code, severity=Severity.ERROR, where=f"column {column}", seen=seen, remedy=remedy)
