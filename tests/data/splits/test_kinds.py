"""What each way to divide rows is for, beside scikit-learn's where it has one."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedShuffleSplit

from cellops.data.splits.divide import Division, divide
from cellops.data.splits.keys import keys_of
from cellops.data.splits.planning import plan_of
from cellops.errors import InputError
from cellops.flows.split import split


def divided(table: Any, **asked: Any) -> Division:
    return divide(table, plan_of(**asked))


def codes(division: Division) -> list[str]:
    return [finding.code for finding in division.divided.findings]


LABELS = pd.DataFrame({"label": ["a"] * 700 + ["b"] * 250 + ["c"] * 50})


def test_classes_stay_as_frequent_as_scikit_learn_keeps_them() -> None:
    ours = divided(LABELS, stratify="label").parts()["test"]["label"].value_counts().to_dict()
    ((_, places),) = StratifiedShuffleSplit(1, test_size=0.2, random_state=0).split(LABELS, LABELS["label"])
    assert ours == LABELS["label"].iloc[places].value_counts().to_dict() == {"a": 140, "b": 50, "c": 10}


def test_a_rare_class_goes_to_the_training_and_is_told() -> None:
    frame = pd.DataFrame({"label": ["a"] * 50 + ["b"]})
    division = divided(frame, stratify="label")
    assert "b" not in set(division.parts()["test"]["label"])
    (finding,) = division.divided.findings
    assert (finding.code, finding.seen) == ("class-rare", "too few rows to stand in each part: b (1)")


def test_one_class_is_told_and_measurements_are_refused() -> None:
    assert codes(divided(pd.DataFrame({"label": ["a"] * 50}), stratify="label")) == ["class-alone"]
    with pytest.raises(InputError, match="qcut"):
        divided(pd.DataFrame({"label": np.arange(50) / 7}), stratify="label")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=4, max_size=200), st.integers(0, 5))
def test_no_group_stands_on_both_sides_whatever_the_order_of_rows(groups: list[int], seed: int) -> None:
    frame = pd.DataFrame({"group": groups})
    try:
        parts = divided(frame, groups="group", seed=seed).parts()
    except InputError:
        return  # one group is nearly all
    assert not set(parts["train"]["group"]) & set(parts["test"]["group"])
    other = divided(frame[::-1], groups="group", seed=seed).parts()
    assert set(other["test"]["group"]) == set(parts["test"]["group"])


def test_groups_meet_their_shares_where_they_are_small_and_say_where_they_are_not() -> None:
    small = divided(pd.DataFrame({"group": np.arange(10_000) // 3}), groups="group", fractions=(0.7, 0.1, 0.2))
    assert [abs(len(p) - w) < 10 for p, w in zip(small.places.values(), (7000, 1000, 2000), strict=True)] == [True] * 3
    assert codes(small) == []
    assert codes(divided(pd.DataFrame({"group": [1] * 50 + [2] * 50}), groups="group")) == ["split-uneven"]
    with pytest.raises(InputError, match="1 groups of group for 2 parts"):
        divided(pd.DataFrame({"group": [1] * 50}), groups="group")


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(-(10**9), 10**9), min_size=40, max_size=120), st.text(max_size=3))
def test_a_hashed_row_stays_where_it_is_for_ever(ids: set[int], salt: str) -> None:
    frame = pd.DataFrame({"id": list(ids)})
    asked = {"key": "id", "salt": salt, "fractions": 0.5}
    try:
        before = divided(frame, **asked).parts()
    except InputError:
        return  # by chance all on one side
    more = pd.concat([pd.DataFrame({"id": [7 * 10**12 + n for n in range(50)]}), frame[::-1]])
    after = divided(more, **asked).parts()
    assert set(before["test"]["id"]) == set(after["test"]["id"]) & ids


def test_hashed_shares_are_met_by_chance_and_another_salt_divides_otherwise() -> None:
    frame = pd.DataFrame({"id": np.arange(100_000)})
    one, other = (divided(frame, key="id", salt=salt).places["test"] for salt in ("", "other"))
    assert abs(len(one) - 20_000) < 5 * 127
    assert abs(len(set(one) & set(other)) - 4000) < 5 * 62


def test_rows_of_one_key_stand_together() -> None:
    division = divided(pd.DataFrame({"id": [1, 2, 3, 4, 5, 6] * 10}), key="id", fractions=0.5)
    assert not set(division.parts()["train"]["id"]) & set(division.parts()["test"]["id"])
    assert codes(division) == ["keys-repeated"]


SAME = [
    [pa.array([5, 12], kind) for kind in (pa.int8(), pa.int64(), pa.uint32(), pa.float32(), pa.float64())]
    + [pa.array([Decimal("5.00"), Decimal("12.00")])],
    [pa.array(["a", "b"], kind) for kind in (pa.string(), pa.large_string(), pa.string_view())]
    + [pa.array(["a", "b"]).dictionary_encode(), pa.chunked_array([["a"], ["b"]])],
    [pa.array(list(np.array(["2024-01-01", "2024-05-01"], f"M8[{unit}]"))) for unit in ("s", "us", "ns")]
    + [pa.array([dt.date(2024, 1, 1), dt.date(2024, 5, 1)], kind) for kind in (pa.date32(), pa.date64())],
    [pa.array([0.0, 1.5]), pa.array([-0.0, 1.5])],
]


@pytest.mark.parametrize("columns", SAME)
def test_a_key_is_the_same_in_whatever_type_it_is_held(columns: list[Any]) -> None:
    keys = [keys_of([column])[1] for column in columns]
    assert all(one == keys[0] for one in keys)


def test_keys_of_several_columns_are_not_run_together() -> None:
    columns = [pa.array(["a", "ab", "a"]), pa.array(["bc", "c", "bc"])]
    found, keys = keys_of(columns)
    assert len(set(keys)) == 2
    assert found[0] == found[2] != found[1]
    with pytest.raises(InputError, match="no keys"):
        keys_of([pa.array([[1], [2]])])


def test_no_row_of_the_training_is_after_the_cut_and_none_in_the_gap() -> None:
    days = pd.Series(pd.date_range("2024-01-01", periods=100)).sample(frac=1, random_state=0)
    division = divided(days.to_frame("day"), time="day", fractions=(0.6, 0.2, 0.2), gap="3 days")
    train, validation, test = (part["day"] for part in division.parts().values())
    assert validation.min() - train.max() == test.min() - validation.max() == pd.Timedelta(days=4)
    assert [len(part) for part in (train, validation, test)] == [57, 17, 20]
    assert division.divided.plan.cuts == ("2024-03-01", "2024-03-21")
    assert codes(division) == ["times-unsorted"]


def test_cuts_hold_for_later_rows_and_rows_of_one_time_stay_together() -> None:
    frame = pd.DataFrame({"year": [2011] * 6 + [2012] * 4})
    division = divided(frame, time="year")
    assert [len(places) for places in division.places.values()] == [6, 4]
    assert codes(division) == ["split-uneven"]
    later = divide(pd.DataFrame({"year": [2010, 2012, 2020, 2020]}), division.divided.plan)
    assert [len(places) for places in later.places.values()] == [1, 3]


@pytest.mark.parametrize("cut", ["2024-02-01T00:00+01:00", dt.datetime(2024, 1, 31, 23, tzinfo=dt.UTC)])
def test_cuts_of_zoned_times(cut: Any) -> None:
    days = pd.date_range("2024-01-01", periods=60, tz="Europe/Berlin")
    frame = pd.DataFrame({"day": days})
    for table in (
        frame,
        pl.DataFrame({"day": days.tz_convert("UTC").tz_localize(None)}).with_columns(
            pl.col("day").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")
        ),
    ):
        division = divided(table, time="day", cuts=cut)
        assert [len(places) for places in division.places.values()] == [31, 29]
        assert division.divided.plan.cuts == ("2024-01-31T23:00:00Z",)
    with pytest.raises(InputError, match="time zone"):
        divided(frame, time="day", cuts="2024-02-01")


BERLIN = ZoneInfo("Europe/Berlin")
BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no rows": (pd.DataFrame({"a": []}), {}, "no rows"),
    "no table": ([1, 2, 3], {}, "no table"),
    "lazy": (pl.LazyFrame({"a": [1]}), {}, "collect"),
    "no column": (pd.DataFrame({"a": [1, 2]}), {"groups": "b"}, "no column b. Its columns are a"),
    "twice": (pd.DataFrame([[1, 2]] * 3, columns=["a", "a"]), {"groups": "a"}, "2 columns called a"),
    "twice in Arrow": (pa.table([[1], [2]], names=["a", "a"]), {"groups": "a"}, "2 columns called a"),
    "missing groups": (pd.DataFrame({"a": ["x", None, "y"]}), {"groups": "a"}, "no value in row 1"),
    "missing times": (pd.DataFrame({"a": pd.to_datetime(["2024", None])}), {"time": "a"}, "no value in row 1"),
    "NaN of polars": (pl.DataFrame({"a": [1.0, float("nan")]}), {"key": "a"}, "no value in row 1"),
    "texts as times": (pd.DataFrame({"a": ["2024-01-01", "2024"]}), {"time": "a"}, "pandas.to_datetime"),
    "mixed kinds": (pd.DataFrame({"a": [1, "x", 2.5]}), {"key": "a"}, "different kinds"),
    "mixed zones": (
        pd.DataFrame(
            {"a": pd.Series([pd.Timestamp("2024-01-01"), dt.datetime(2024, 1, 2, tzinfo=BERLIN)], dtype=object)}
        ),
        {"time": "a"},
        "time zones",
    ),
    "an empty part": (pd.DataFrame({"a": [1, 2]}), {"fractions": 0.2}, "would be in test"),
    "a gap that is too long": (
        pd.DataFrame({"a": pd.date_range("2024", periods=10)}),
        {"time": "a", "gap": "60 days"},
        "would be in train",
    ),
    "one time": (pd.DataFrame({"a": [2024] * 9}), {"time": "a"}, "would be in train"),
    "cuts that go back": (pd.DataFrame({"a": [1, 2, 3]}), {"time": "a", "cuts": [3, 2]}, "one after the other"),
    "a cut that is no time": (
        pd.DataFrame({"a": pd.date_range("2024", periods=10)}),
        {"time": "a", "cuts": "then"},
        "no time",
    ),
    "a cut that is no number": (pd.DataFrame({"a": [1, 2, 3]}), {"time": "a", "cuts": "2024"}, "holds numbers"),
    "nested keys": (pl.DataFrame({"a": [[1], [2]]}), {"key": "a"}, "no keys"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_divided_is_one_clear_error(case: str) -> None:
    table, asked, said = BAD[case]
    with pytest.raises(InputError) as caught:
        divided(table, **asked)
    assert said in str(caught.value)
    assert caught.value.remedy


def test_what_a_later_version_has_divided_is_not_guessed() -> None:
    plan = plan_of(seed=1).replace(version=2)
    with pytest.raises(InputError, match="version 2"):
        divide(pd.DataFrame({"a": range(10)}), plan)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int64", "uint64", "float64"])
@pytest.mark.parametrize("gap", [3, 200, 10**30, float("inf")])
def test_a_gap_is_as_long_in_numbers_of_every_width(kind: str, gap: float) -> None:
    years = np.append(np.arange(100), 0)
    frame = pd.DataFrame({"year": years.astype(kind), "row": range(101)})
    plan = plan_of(time="year", cuts=np.int64(3), gap=gap)

    if gap > 3:
        with pytest.raises(InputError, match="No row of 101 would be in train"):
            divide(frame, plan)
        return
    late = divide(frame, plan_of(time="year", cuts=np.array([50, 60]), gap=gap))
    codes = [finding.code for finding in late.divided.findings]
    assert codes == ["times-unsorted"]
    assert late.parts()["train"]["year"].max() == 46
    assert late.parts()["validation"]["year"].max() == 56


@pytest.mark.parametrize("gap", [1e30, float("inf")])
def test_a_gap_longer_than_time_leaves_nothing(gap: float) -> None:
    frame = pd.DataFrame({"day": pd.date_range("2013-01-01", periods=10)})
    with pytest.raises(InputError, match="would be in train"):
        divide(frame, plan_of(time="day", gap=gap))


@pytest.mark.parametrize("cut", ["9999-12-31", "0001-01-01", pd.NaT, np.datetime64("NaT")])
def test_a_cut_out_of_range_is_no_time(cut: Any) -> None:
    frame = pd.DataFrame({"day": pd.date_range("2013-01-01", periods=10)})
    with pytest.raises(InputError, match="is no time"):
        divide(frame, plan_of(time="day", cuts=[cut]))


@pytest.mark.parametrize("values", [["\ud800", "a"], [2**70, 1]])
def test_values_that_no_library_holds_are_refused_where_they_decide_and_nowhere_else(values: list[Any]) -> None:
    frame = pd.DataFrame({"odd": pd.Series(values * 5, dtype=object), "id": range(10)})

    with pytest.raises(InputError, match="no Unicode, or a number beyond"):
        divide(frame, plan_of(key="odd"))

    record = split(frame, key="id", fractions=0.5).record
    assert record.whole.digest is not None
