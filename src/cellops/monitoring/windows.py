"""Windows: a table cut by a time column into calendar days, weeks or months."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cellops.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FREQUENCIES = {"day": "D", "week": "W-SUN", "month": "M"}
RELATIVE = ("now", "today")
SHOWN_ROWS = 10
FIRST_YEAR, LAST_YEAR = 1678, 2261
"""As for times in requests; what lies beyond, such as 9999-12-31, mostly stands for no time."""


@dataclass(frozen=True)
class Window:
    """The rows of one stretch of time, with what the model answered and what turned out to be true, where known."""

    label: str
    """`2013-04-01`, `2013-W14`, `2013-04` or `all`."""
    start: str | None
    """First day, ISO 8601."""
    end: str | None
    """The day after the last, ISO 8601."""
    frame: "pd.DataFrame"
    """The inputs, one row per prediction."""
    labels: NDArray[Any] | None = None
    """What the model answered, shape (answered rows,)."""
    probabilities: NDArray[np.float64] | None = None
    """Shape (answered rows, classes), columns in the order of the contract's classes."""
    truth: NDArray[Any] | None = None
    """What turned out to be true, shape (answered rows,); missing where it is not known yet."""
    answered: NDArray[np.int64] | None = None
    """The numbers of the answered rows in their table, shape (answered rows,), where it was read in chunks."""


def whole(frame: "pd.DataFrame") -> tuple[Window, ...]:
    """One window for all rows.

    Raises
    ------
    InputError
        When there are no rows.
    """
    _refuse_empty(frame)
    return (Window(label="all", start=None, end=None, frame=frame),)


def cut(frame: "pd.DataFrame", time: str, by: str) -> tuple[Window, ...]:
    """Calendar windows in order of time, in UTC; a stretch without rows has none, a short one stays.

    Parameters
    ----------
    frame
        The rows.
    time
        The column that says when each row was: times, or text in ISO 8601.
    by
        `day`, `week` (ISO, from Monday) or `month`.

    Raises
    ------
    InputError
        When there are no rows, no such column or several, or times that are missing, unreadable or no real ones.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"at": ["2013-04-30", "2013-05-01", "2013-05-02"]})
    >>> [(window.label, window.start, window.end, len(window.frame)) for window in cut(frame, "at", "month")]
    [('2013-04', '2013-04-01', '2013-05-01', 1), ('2013-05', '2013-05-01', '2013-06-01', 2)]
    """
    _refuse_empty(frame)
    if by not in FREQUENCIES:
        fact = "There are windows of a day, a week or a month"
        raise InputError(fact, received=by, remedy=f"Give one of {', '.join(FREQUENCIES)}")
    import pandas as pd

    frequency = FREQUENCIES[by]
    days = pd.PeriodIndex(_times(frame, time).dt.tz_localize(None).dt.to_period(frequency)).asi8
    found, places = np.unique(days, return_inverse=True)
    rows = np.argsort(places, kind="stable")
    stretches = np.split(rows, np.cumsum(np.bincount(places))[:-1])
    pairs = zip(found.tolist(), stretches, strict=True)
    return tuple(_window(pd.Period(ordinal=day, freq=frequency), by, frame.iloc[at]) for day, at in pairs)


def _window(period: "pd.Period", by: str, rows: "pd.DataFrame") -> Window:
    first, after = period.start_time.date(), (period + 1).start_time.date()
    week = first.isocalendar()
    day = first.isoformat()
    label = {"day": day, "week": f"{week.year:04}-W{week.week:02}", "month": day[:7]}[by]
    return Window(label=label, start=day, end=after.isoformat(), frame=rows)


def _times(frame: "pd.DataFrame", name: str) -> "pd.Series[Any]":
    import pandas as pd

    if name not in frame.columns:
        near = get_close_matches(name, [str(column) for column in frame.columns], n=1)
        hint = f"Did you mean {near[0]}?" if near else f"It has {', '.join(str(column) for column in frame.columns)}"
        fact = f"The table has no column {name}"
        raise InputError(fact, remedy=hint, column=name)
    if frame[name].ndim > 1:
        fact = f"The table has {frame[name].shape[1]} columns called {name}"
        raise InputError(fact, remedy="Name each column once", column=name)
    # A chunk of a file counts its rows on from those before it.
    first = frame.index.start if isinstance(frame.index, pd.RangeIndex) and frame.index.step == 1 else 0
    column = frame[name].reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(column):
        fact = f"Column {name} holds numbers, not times"
        raise InputError(fact, received=column.iloc[0], remedy="Convert it to times first", column=name)
    if column.dtype == object or pd.api.types.is_string_dtype(column):
        # pandas takes "now" and "today" for the time of the call
        column = column.where(~column.astype(str).str.strip().str.lower().isin(RELATIVE))
    try:
        times: pd.Series[Any] = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    except (TypeError, ValueError, OverflowError) as error:  # what pandas raises on values that it cannot hold
        fact = f"Column {name} holds no times: {error}"
        raise InputError(fact, remedy="Convert it to times first", column=name) from error
    remedy = "Write times as ISO 8601, such as 2013-04-01T05:00:00Z, and leave out rows without one"
    _refuse_rows(times.isna(), column, first, "hold no time", remedy)
    far = ~times.dt.year.between(FIRST_YEAR, LAST_YEAR)
    _refuse_rows(far, column, first, f"lie before the year {FIRST_YEAR} or after {LAST_YEAR}", remedy)
    return times


def _refuse_rows(bad: "pd.Series[bool]", column: "pd.Series[Any]", first: int, what: str, remedy: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        shown = (rows[:SHOWN_ROWS] + first).tolist()
        fact = f"{len(rows)} rows of column {column.name} {what}, the first of them row {shown[0]}"
        raise InputError(fact, received=column.iloc[rows[0]], remedy=remedy, column=column.name, rows=shown)


def _refuse_empty(frame: "pd.DataFrame") -> None:
    if not len(frame):
        fact = "The table has no rows"
        raise InputError(fact, remedy="Give the rows that the model answered")
