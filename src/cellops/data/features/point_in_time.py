"""Point-in-time joins: for each row of the labels the newest event that was known at its time, and none later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

from cellops.data.features.events import Events, columns_of
from cellops.data.features.frames import Frame, Places, alike, frame_of
from cellops.data.features.keys import Codes, codes
from cellops.data.features.timeline import Mask, Numbers, Timeline
from cellops.data.features.times import comparable, read_times, span
from cellops.data.problems import row_numbers
from cellops.errors import InputError
from cellops.records.finding import Finding, Severity

Duplicates = Literal["last", "first", "refuse"]
SHOWN = 5


def point_in_time(
    labels: Any,
    events: Any,
    *,
    key: str | Sequence[str],
    time: str,
    events_time: str | None = None,
    known_at: str | None = None,
    tolerance: Any = None,
    allow_exact: bool = True,
    duplicates: Duplicates = "last",
    with_times: bool = False,
    findings: list[Finding] | None = None,
) -> Any:
    """Give each row of the labels what was known of its key at its time.

    Of the events of a key those count that had happened and become known at the time of the row; of them the one that
    happened last. Neither table needs to be sorted, and neither is changed.

    Parameters
    ----------
    labels
        The rows to describe: a DataFrame of pandas or polars, or a table of pyarrow.
    events
        A table of events; or several by name, `{"visits": visits, "orders": Events(orders, time="paid")}`, whose
        columns are then called `visits_…` and `orders_…`. `Events` says of a table what differs from the others.
    key
        The column, or columns, that say whose row and whose event it is.
    time
        When the row of the labels is asked for: times, or numbers that count upwards.
    events_time
        When an event happened; by default the column that `time` names.
    known_at
        When an event became known, if that is told: an event counts only from then on.
    tolerance
        How old an event may be, as `7d` or a timedelta; a number where times are numbers.
    allow_exact
        Whether an event at the very time of the row counts.
    duplicates
        Which of several events with the same key and times counts, in the order of their table; or `refuse` them.
    with_times
        Whether the times of the events come along, so that `check_leakage` can look at them.
    findings
        Where to note what is doubtful: duplicates, missing keys and times, a table of which nothing was found.

    Returns
    -------
    DataFrame or Table
        The labels in their order, of their library and with their index, with the features to the right; missing
        where nothing was known.

    Raises
    ------
    InputError
        When a column is not there or stands there twice, keys or times of the tables cannot be compared, or events are
        doubled that shall be refused; `data` holds `column` and `rows`.

    Examples
    --------
    >>> import pandas as pd
    >>> labels = pd.DataFrame({"id": [1, 1, 2], "day": [3, 9, 9]})
    >>> events = pd.DataFrame({"id": [1, 1, 1], "day": [1, 4, 10], "balance": [10.0, 40.0, 100.0]})
    >>> point_in_time(labels, events, key="id", time="day")["balance"].tolist()
    [10.0, 40.0, nan]
    """
    if duplicates not in ("last", "first", "refuse"):
        fact = "duplicates says nothing that is known"
        raise InputError(fact, received=duplicates, remedy="Write 'last', 'first' or 'refuse'")
    frame = frame_of(labels, "labels")
    keys = columns_of(key)
    if not keys:
        fact = "No column is named as the key"
        raise InputError(fact, remedy="Name the one that says whose row it is: key='customer'")
    _require(frame, (*keys, time), "labels")
    noted = [] if findings is None else findings
    _note_missing(frame, keys, [time], "labels", noted)
    given = dict(events) if isinstance(events, Mapping) else {"": events}
    joined, taken = [], set(frame.names)
    for name, one in given.items():
        table = one if isinstance(one, Events) else Events(one)
        settled = Events(
            table.table,
            key=columns_of(table.key or keys),
            time=table.time or events_time or time,
            known_at=table.known_at or known_at,
            tolerance=tolerance if table.tolerance is None else table.tolerance,
            columns=table.columns,
        )
        join = Join.of(frame, keys, time, settled, name)
        places = join.places(allow_exact=allow_exact, duplicates=duplicates, findings=noted)
        names = join.names(with_times=with_times)
        _require_new(names, taken)
        taken |= set(names.values())
        joined.append(alike(join.events, frame).taken(names, places))
    return frame.beside(joined)


@dataclass(frozen=True)
class Join:
    """The labels and one table of events, as numbers that compare."""

    events: Frame
    settled: Events
    prefix: str
    where: str
    key: Codes
    time: Numbers
    tolerance: float | None
    timeline: Timeline

    @classmethod
    def of(cls, labels: Frame, keys: tuple[str, ...], time: str, settled: Events, name: str) -> "Join":
        """Read both tables.

        Raises
        ------
        InputError
            As `point_in_time` says.
        """
        where = f"events {name}" if name else "events"
        events = frame_of(settled.table, where)
        own, happened, known_at = columns_of(settled.key or ()), str(settled.time), settled.known_at
        _require(events, (*own, happened, *filter(None, [known_at]), *(settled.columns or ())), where)
        if len(own) != len(keys):
            fact = f"The key of the {where} has {len(own)} columns, and that of the labels {len(keys)}"
            raise InputError(fact, received=own, remedy=f"Name one for each of {', '.join(keys)}")
        left, right = codes([labels.series(n) for n in keys], [events.series(n) for n in own], ("labels", where))
        columns = [read_times(labels.series(time), f"{time} of the labels")]
        columns += [read_times(events.series(n), f"{n} of the {where}") for n in (happened, known_at) if n]
        unit, (asked, *others) = comparable(*columns)
        usable = (right >= 0) & ~np.logical_or.reduce([one.missing for one in columns[1:]])
        known = others[1] if known_at is not None else None
        return cls(
            events,
            settled,
            f"{name}_" if name else "",
            where,
            np.where(columns[0].missing, -1, left),
            asked,
            span(settled.tolerance, unit),
            Timeline.of(right, others[0], known, usable),
        )

    def places(self, *, allow_exact: bool, duplicates: Duplicates, findings: list[Finding]) -> Places:
        """For each row of the labels the row of the events that counts, or -1."""
        timeline = self._settled(duplicates, findings)
        found = timeline.newest(self.key, self.time, allow_exact=allow_exact)
        hit = found >= 0
        if self.tolerance is not None:
            hit[hit] = self.time[hit] - timeline.time[found[hit]] <= self.tolerance
        if not hit.any() and (self.key >= 0).any():
            seen = f"no row of the labels found one of the {self.where}"
            remedy = "See whether keys and times of both mean the same, and whether the tolerance is long enough"
            findings.append(_finding("nothing-joined", self.where, seen, remedy))
        places = np.full(len(found), -1, dtype=np.intp)
        places[hit] = timeline.place[found[hit]]
        return places

    def _settled(self, duplicates: Duplicates, findings: list[Finding]) -> Timeline:
        """The timeline with one event for each key and time."""
        columns = columns_of(self.settled.key or ())
        times = [str(self.settled.time), *filter(None, [self.settled.known_at])]
        _note_missing(self.events, columns, times, self.where, findings)
        keep = "last" if duplicates == "refuse" else duplicates
        doubled = self.timeline.doubled(keep)
        if not doubled.any():
            return self.timeline
        rows = np.sort(self.timeline.place[self.timeline.doubled("none")])
        fact = f"{len(rows)} rows of the {self.where} share key and times with another, {_rows(rows)}"
        if duplicates == "refuse":
            remedy = "Leave all but one away, or say which counts: duplicates='last'"
            raise InputError(fact, remedy=remedy, rows=rows[:SHOWN].tolist())
        remedy = f"The {duplicates} of them in the table counts; leave the others away, or refuse: duplicates='refuse'"
        findings.append(_finding("duplicate-events", self.where, fact, remedy))
        return self.timeline.without(doubled)

    def names(self, *, with_times: bool) -> dict[str, str]:
        """The columns that are taken, each with its name beside the labels."""
        times = [str(self.settled.time), *filter(None, [self.settled.known_at])]
        left_out = {*columns_of(self.settled.key or ()), *times}
        chosen = self.settled.columns or [name for name in self.events.names if name not in left_out]
        features = dict.fromkeys([*chosen, *(times if with_times else ())])
        return {name: f"{self.prefix}{name}" for name in features}


def _require(frame: Frame, names: Sequence[str], where: str) -> None:
    for name in names:
        if name not in frame.names:
            near = get_close_matches(name, [str(one) for one in frame.names], n=1)
            fact = f"The {where} have no column {name}"
            remedy = f"Did you mean {near[0]}?" if near else f"They have: {', '.join(map(str, frame.names))}"
            raise InputError(fact, remedy=remedy, column=name)


def _require_new(names: dict[str, str], taken: set[str]) -> None:
    double = next((name for name in names.values() if name in taken), None)
    if double is not None:
        fact = f"The labels would have two columns {double}"
        remedy = "Give the table of events a name, which its columns then begin with: {'visits': events}"
        raise InputError(fact, remedy=remedy, column=double)


def _note_missing(frame: Frame, keys: Sequence[str], times: Sequence[str], where: str, findings: list[Finding]) -> None:
    result = "get no features" if where == "labels" else "count for nothing"
    for name in (*keys, *times):
        missing: Mask = frame.series(name).isna().to_numpy(dtype=bool)
        if missing.any():
            rows = np.flatnonzero(missing)
            code = "missing-keys" if name in keys else "missing-times"
            seen = f"{name} is missing in {len(rows)} of {len(missing)} rows of the {where}, {_rows(rows)}"
            findings.append(_finding(code, f"column {name}", seen, f"These rows {result}; mend them or leave them out"))


def _rows(rows: Places) -> str:
    return row_numbers(rows[:SHOWN].tolist(), len(rows))


def _finding(code: str, where: str, seen: str, remedy: str) -> Finding:
    return Finding(code=code, severity=Severity.WARNING, where=where, seen=seen, remedy=remedy)
