"""Point-in-time joins beside a double loop and pandas, and what is wrong with keys and times."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.features.events import Events
from cellops.data.features.point_in_time import point_in_time
from cellops.errors import InputError
from cellops.records.finding import Finding

JANUARY = datetime(2026, 1, 1)  # noqa: DTZ001 - without a zone, as most tables have it
DAY = pd.Timestamp("2026-01-01")
KEYS = st.one_of(st.none(), st.integers(0, 2))
TIMES = st.one_of(st.none(), st.integers(0, 6))
ROWS = st.lists(st.tuples(KEYS, st.integers(0, 1), TIMES), max_size=12)
EVENTS = st.lists(st.tuples(KEYS, st.integers(0, 1), TIMES, TIMES), max_size=16)


def table(rows: list[tuple[Any, ...]], *names: str, as_times: bool) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(names), dtype=object)
    frame["id"] = frame["id"].astype("Int64")
    frame["part"] = frame["part"].astype("int64")
    for name in names[2:]:
        numbers = frame[name].astype("Int64")
        frame[name] = DAY + pd.to_timedelta(numbers, unit="h") if as_times else numbers
    return frame


def by_hand(
    rows: list[tuple[Any, ...]], events: list[tuple[Any, ...]], *, exact: bool, known: bool, tolerance: int | None
) -> list[int | None]:
    """For each row the number of the event that counts, found by looking at every event."""
    found = []
    for key, part, time in rows:
        best: tuple[Any, ...] | None = None
        for number, (own, own_part, happened, told) in enumerate(events):
            if None in (key, time, own, happened) or (known and told is None) or (key, part) != (own, own_part):
                continue
            seen = max(happened, told) if known else happened
            late = seen > time or (seen == time and not exact)
            if late or (tolerance is not None and time - happened > tolerance):
                continue
            rank = (happened, seen, number)
            best = rank if best is None or rank > best else best
        found.append(None if best is None else best[2])
    return found


@settings(max_examples=100, deadline=None)
@given(
    rows=ROWS,
    events=EVENTS,
    exact=st.booleans(),
    known=st.booleans(),
    tolerance=st.one_of(st.none(), st.integers(0, 4)),
    as_times=st.booleans(),
)
def test_each_row_gets_the_event_that_a_double_loop_finds(
    *, rows: list[Any], events: list[Any], exact: bool, known: bool, tolerance: int | None, as_times: bool
) -> None:
    labels = table(rows, "id", "part", "at", as_times=as_times)
    given = table(events, "id", "part", "at", "told", as_times=as_times).assign(number=range(len(events)))
    joined = point_in_time(
        labels,
        Events(given, known_at="told" if known else None, columns=["number"]),
        key=["id", "part"],
        time="at",
        tolerance=None if tolerance is None else timedelta(hours=tolerance) if as_times else tolerance,
        allow_exact=exact,
        findings=[],
    )
    wanted = by_hand(rows, events, exact=exact, known=known, tolerance=tolerance)
    assert [None if pd.isna(one) else int(one) for one in joined["number"]] == wanted


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_order_of_the_tables_means_nothing_where_events_are_not_doubled(data: st.DataObject) -> None:
    labels = pd.DataFrame({"id": [1, 1, 2, 3], "at": [5, 2, 4, 4]}, index=list("abcd"))
    events = pd.DataFrame({"id": [1, 1, 2, 2], "at": [2, 4, 1, 3], "v": [0.0, 1.0, 2.0, 3.0]})
    mixed = events.loc[data.draw(st.permutations(list(events.index)))]
    shuffled = labels.loc[data.draw(st.permutations(list(labels.index)))]
    joined = point_in_time(shuffled, mixed, key="id", time="at")
    assert joined.loc[list("abcd"), "v"].tolist()[:3] == [1.0, 0.0, 3.0]
    assert list(joined.index) == list(shuffled.index)


@pytest.mark.parametrize("exact", [True, False])
def test_it_agrees_with_merge_asof(exact: bool) -> None:
    random = np.random.default_rng(0)
    labels = pd.DataFrame({"id": random.integers(0, 50, 2000), "at": random.integers(0, 500, 2000)})
    events = pd.DataFrame({"id": random.integers(0, 50, 9000), "at": random.integers(0, 500, 9000)})
    events["v"] = random.normal(size=len(events))
    right = pd.merge_asof(
        labels.reset_index().sort_values("at", kind="stable"),
        events.drop_duplicates(["id", "at"], keep="last").sort_values("at", kind="stable"),
        on="at",
        by="id",
        allow_exact_matches=exact,
    ).sort_values("index")
    joined = point_in_time(labels, events, key="id", time="at", allow_exact=exact, findings=[])
    assert np.array_equal(joined["v"].to_numpy(), right["v"].to_numpy(), equal_nan=True)


def test_a_late_correction_counts_from_when_it_was_known() -> None:
    events = pd.DataFrame({"id": 1, "at": [1, 1, 2], "known": [1, 5, 9], "v": ["first", "corrected", "late"]})
    labels = pd.DataFrame({"id": 1, "at": [4, 5, 8, 9]})
    joined = point_in_time(labels, events, key="id", time="at", known_at="known")
    assert joined["v"].tolist() == ["first", "corrected", "corrected", "late"]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
@pytest.mark.parametrize("other", [pd.DataFrame, pl.DataFrame, pa.table])
def test_tables_of_any_library_go_together(make: Any, other: Any) -> None:
    labels = make({"id": ["a", "b"], "at": [JANUARY + timedelta(2)] * 2})
    events = other({"id": ["a", "a"], "at": [JANUARY, JANUARY + timedelta(3)], "v": ["x", "y"]})
    joined = point_in_time(labels, {"seen": events}, key="id", time="at", with_times=True)
    assert type(joined) is type(labels)
    frame = joined if isinstance(joined, pd.DataFrame) else joined.to_pandas()
    assert list(frame.columns) == ["id", "at", "seen_v", "seen_at"]
    assert frame["seen_v"][0] == "x"
    assert frame["seen_v"].isna().tolist() == [False, True]
    assert frame["seen_at"][0] == JANUARY


def test_whole_numbers_stay_such_in_polars_and_arrow() -> None:
    events = {"id": [1], "at": [1], "v": [2**60 + 1]}
    labels = {"id": [1, 2], "at": [3, 3]}
    assert point_in_time(pl.DataFrame(labels), pl.DataFrame(events), key="id", time="at")["v"].to_list()[0] == 2**60 + 1
    assert point_in_time(pa.table(labels), pa.table(events), key="id", time="at")["v"].to_pylist() == [2**60 + 1, None]


def test_several_tables_come_with_their_own_columns_keys_and_times() -> None:
    labels = pd.DataFrame({"customer": [1, 2], "at": pd.to_datetime(["2026-01-05", "2026-01-05"])})
    visits = pd.DataFrame({"who": [1, 2], "seen": pd.to_datetime(["2026-01-01", "2026-01-04"]), "page": ["a", "b"]})
    orders = pd.DataFrame({"customer": [1], "at": [date(2026, 1, 2)], "price": [9.5]})
    joined = point_in_time(
        labels,
        {"visit": Events(visits, key="who", time="seen", tolerance="2D"), "order": orders},
        key="customer",
        time="at",
    )
    assert joined["visit_page"].tolist()[1] == "b"
    assert joined["visit_page"].isna().tolist() == [True, False]
    assert joined["order_price"].tolist()[0] == 9.5


def test_neither_table_is_changed() -> None:
    labels = pd.DataFrame({"id": [2, 1], "at": [5, 1]}, index=[9, 4])
    events = pd.DataFrame({"id": [2, 2], "at": [4, 3], "v": [1, 2]})
    before = labels.copy(), events.copy()
    point_in_time(labels, events, key="id", time="at")
    pd.testing.assert_frame_equal(labels, before[0])
    pd.testing.assert_frame_equal(events, before[1])


def test_units_and_zones_are_brought_together() -> None:
    labels = pd.DataFrame({"id": 1, "at": pd.to_datetime(["2026-01-01T12:00+02:00"]).as_unit("s")})
    events = pd.DataFrame(
        {"id": 1, "at": pd.to_datetime(["2026-01-01T10:00:00.000000Z", "2026-01-01T10:00:00.000001Z"])}
    )
    joined = point_in_time(labels, events.assign(v=[1, 2]), key="id", time="at")
    assert joined["v"].tolist() == [1]


def found(labels: pd.DataFrame, events: pd.DataFrame, **options: Any) -> list[Finding]:
    noted: list[Finding] = []
    point_in_time(labels, events, key="id", time="at", findings=noted, **options)
    return noted


LABELS = pd.DataFrame({"id": [1, 1], "at": [3, 4]})


def test_doubled_events_are_found_settled_or_refused() -> None:
    events = pd.DataFrame({"id": [1, 1, 1], "at": [2, 2, 1], "v": [1, 2, 3]})
    (noted,) = found(LABELS, events)
    assert (noted.code, noted.seen) == (
        "duplicate-events",
        "2 rows of the events share key and times with another, rows 0, 1",
    )
    assert point_in_time(LABELS, events, key="id", time="at", findings=[])["v"].tolist() == [2, 2]
    first = point_in_time(LABELS, events, key="id", time="at", duplicates="first", findings=[])
    assert first["v"].tolist() == [1, 1]
    with pytest.raises(InputError, match="share key and times") as refused:
        found(LABELS, events, duplicates="refuse")
    assert refused.value.data["rows"] == [0, 1]


def test_missing_keys_and_times_are_found_and_the_rest_is_joined() -> None:
    labels = pd.DataFrame({"id": [1, None, 1], "at": [3, 3, None]})
    events = pd.DataFrame({"id": [1, None, 1], "at": [2, 1, None], "v": [1, 2, 3]})
    noted: list[Finding] = []
    joined = point_in_time(labels, events, key="id", time="at", findings=noted)
    assert [one.code for one in noted] == ["missing-keys", "missing-times", "missing-keys", "missing-times"]
    assert joined["v"].isna().tolist() == [False, True, True]


def test_a_table_of_which_nothing_is_found_is_a_finding() -> None:
    events = pd.DataFrame({"id": [7], "at": [2], "v": [1]})
    assert [one.code for one in found(LABELS, events)] == ["nothing-joined"]
    assert [one.code for one in found(LABELS, events.iloc[:0])] == ["nothing-joined"]
    assert found(LABELS.iloc[:0], events) == []


TIMES_WITH_ZONE = pd.to_datetime(["2026-01-01"], utc=True)
BAD = {
    "column": (LABELS, pd.DataFrame({"id": [1], "when": [1]}), {}, "The events have no column at"),
    "twice": (LABELS, pd.DataFrame([[1, 1, 1]], columns=["id", "at", "at"]), {}, "more than one column at"),
    "kinds": (LABELS, pd.DataFrame({"id": ["1"], "at": [1]}), {}, "numbers in the labels and texts in the events"),
    "mixed": (LABELS, pd.DataFrame({"id": [1, "1"], "at": [1, 1]}), {}, "values of several types"),
    "large": (LABELS, pd.DataFrame({"id": [2.0**60], "at": [1]}), {}, "beyond 2\\*\\*53"),
    "text": (LABELS, pd.DataFrame({"id": [1], "at": ["2026-01-01"]}), {}, "neither times nor numbers"),
    "scales": (LABELS, pd.DataFrame({"id": [1], "at": TIMES_WITH_ZONE}), {}, "at of the labels holds numbers"),
    "zones": (
        pd.DataFrame({"id": [1], "at": pd.to_datetime(["2026-01-02"])}),
        pd.DataFrame({"id": [1], "at": TIMES_WITH_ZONE}),
        {},
        "have a time zone and those of at of the labels have none",
    ),
    "zones in one column": (
        LABELS,
        pd.DataFrame({"id": 1, "at": [JANUARY.replace(tzinfo=UTC), JANUARY]}, dtype=object),
        {},
        "not of one kind",
    ),
    "range": (
        pd.DataFrame({"id": [1], "at": pd.to_datetime(["2026-01-02"]).as_unit("ns")}),
        pd.DataFrame({"id": [1], "at": np.array(["9999-01-02"], dtype="datetime64[s]")}),
        {},
        "cannot be told in ns",
    ),
    "negative": (LABELS, pd.DataFrame({"id": [1], "at": [1]}), {"tolerance": -1}, "negative"),
    "span": (LABELS, pd.DataFrame({"id": [1], "at": [1]}), {"tolerance": "1d"}, "no span of these times"),
    "double": (LABELS.assign(v=1), pd.DataFrame({"id": [1], "at": [1], "v": [1]}), {}, "two columns v"),
    "duplicates": (LABELS, LABELS, {"duplicates": "any"}, "says nothing that is known"),
    "no table": (LABELS, {"id": [1]}, {}, "no table but a list"),
}


@pytest.mark.parametrize(("labels", "events", "options", "fact"), BAD.values(), ids=BAD)
def test_what_cannot_be_joined_is_said_with_a_remedy(labels: Any, events: Any, options: Any, fact: str) -> None:
    with pytest.raises(InputError, match=fact) as refused:
        found(labels, events, **options)
    assert refused.value.remedy


def test_whole_numbers_that_floats_run_together_are_no_times() -> None:
    now = 1_600_000_000_000_000_000  # in nanoseconds, of which floats have one in 256
    labels = pd.DataFrame({"id": [1], "time": [now]})
    events = pd.DataFrame({"id": [1, 1], "time": [now + 100, np.nan], "value": [7, 8]})

    with pytest.raises(InputError, match=r"beyond 2\*\*53"):
        point_in_time(labels, events, key="id", time="time")

    exact = events.astype({"time": "object"}).assign(time=pd.array([now + 100, None], dtype="Int64"))
    assert point_in_time(labels, exact, key="id", time="time")["value"].isna().all()


def test_times_beyond_64_bits_do_not_wrap_around() -> None:
    labels = pd.DataFrame({"id": [1], "time": np.array([5], dtype=np.uint64)})
    events = pd.DataFrame({"id": [1], "time": np.array([2**63 + 1], dtype=np.uint64), "value": [1]})

    with pytest.raises(InputError, match="too large"):
        point_in_time(labels, events, key="id", time="time")


def test_a_join_without_a_key_is_refused() -> None:
    frame = pd.DataFrame({"id": [1], "time": [1]})
    with pytest.raises(InputError, match="No column is named as the key"):
        point_in_time(frame, frame.assign(value=1), key=[], time="time")
