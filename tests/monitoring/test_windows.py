"""Calendar windows, and what is said of a time column that cannot be cut."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.errors import InputError
from cellops.monitoring.windows import cut, whole


def table(*times: object) -> pd.DataFrame:
    return pd.DataFrame({"at": list(times), "row": range(len(times))})


@pytest.mark.parametrize(
    ("by", "labels", "start", "end"),
    [
        ("day", ["2012-12-31", "2013-01-01", "2013-02-01"], "2012-12-31", "2013-01-01"),
        ("week", ["2013-W01", "2013-W05"], "2012-12-31", "2013-01-07"),
        ("month", ["2012-12", "2013-01", "2013-02"], "2012-12-01", "2013-01-01"),
    ],
)
def test_calendar_windows(by: str, labels: list[str], start: str, end: str) -> None:
    windows = cut(table("2013-02-01", "2012-12-31T23:59:59Z", "2013-01-01 00:00:00"), "at", by)
    assert [window.label for window in windows] == labels
    assert (windows[0].start, windows[0].end) == (start, end)


@pytest.mark.parametrize("year", [1678, 2261])
@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_the_first_and_the_last_year_can_be_cut(year: int, by: str) -> None:
    windows = cut(table(f"{year}-01-01", f"{year}-12-31"), "at", by)
    assert [len(window.frame) for window in windows] == [1, 1]


def test_times_with_a_zone_are_cut_in_utc() -> None:
    (window,) = cut(table("2013-02-01T00:30:00+01:00"), "at", "month")
    assert window.label == "2013-01"


@given(st.lists(st.datetimes(min_value=pd.Timestamp("1990-01-01"), max_value=pd.Timestamp("2100-01-01")), min_size=1))
def test_every_row_is_in_one_window_that_holds_its_time(times: list[object]) -> None:
    windows = cut(table(*times), "at", "week")
    assert sorted(np.concatenate([window.frame["row"] for window in windows])) == list(range(len(times)))
    for window in windows:
        assert window.frame["at"].between(window.start, window.end, inclusive="left").all()


def test_the_index_of_the_table_plays_no_part() -> None:
    frame = table("2013-01-01", "2013-02-01", "2013-01-02")
    frame.index = [7, 7, 7]
    assert [list(window.frame["row"]) for window in cut(frame, "at", "month")] == [[0, 2], [1]]


def test_one_window_for_all() -> None:
    (window,) = whole(table("x"))
    assert (window.label, window.start, window.end, len(window.frame)) == ("all", None, None, 1)


@pytest.mark.parametrize(
    ("frame", "time", "by", "said"),
    [
        (table("2013-01-01"), "att", "month", "Did you mean at?"),
        (table("2013-01-01"), "at", "year", "day, week, month"),
        (table(20130101), "at", "month", "numbers"),
        (table("2013-01-01", "yesterday", None), "at", "month", "2 rows"),
        (table("01/02/2013"), "at", "month", "ISO 8601"),
        (table("1364774400"), "at", "month", "1 rows of column at hold no time"),
        (table("2013-01-01", "9999-12-31"), "at", "month", "after 2261, the first of them row 1"),
        (table(dt.date(9999, 12, 31)), "at", "day", "after 2261"),
        (table("0001-01-01"), "at", "week", "before the year 1678"),
        (table([1]), "at", "week", "no time"),
        (table(True), "at", "week", "numbers"),
        (pd.concat([table("2013-01-01")] * 2, axis=1), "at", "month", "2 columns called at"),
        (table(), "at", "month", "no rows"),
    ],
)
def test_bad_input_is_named(frame: pd.DataFrame, time: str, by: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        cut(frame, time, by)


def test_the_rows_without_a_time_are_named() -> None:
    with pytest.raises(InputError) as caught:
        cut(table("2013-01-01", "yesterday", None), "at", "month")
    assert caught.value.data == {"column": "at", "rows": [1, 2]}


def test_an_empty_table_is_no_window() -> None:
    with pytest.raises(InputError):
        whole(table())


@pytest.mark.parametrize("word", ["now", "Today", " now "])
def test_a_word_for_the_time_of_the_call_is_no_time(word: str) -> None:
    with pytest.raises(InputError, match="hold no time"):
        cut(pd.DataFrame({"time": ["2024-01-01", word]}), "time", "month")
