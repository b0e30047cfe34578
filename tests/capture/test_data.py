"""A change anywhere in a table changes its fingerprint; a copy does not."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.capture.data import fingerprint, is_table

SCALARS = {
    "int": st.integers(-1000, 1000),
    "float": st.floats(allow_nan=True, allow_infinity=True),
    "text": st.text(max_size=5),
    "bool": st.booleans(),
    "time": st.datetimes(min_value=dt.datetime(2000, 1, 1), max_value=dt.datetime(2030, 1, 1)),  # noqa: DTZ001
    "mixed": st.one_of(st.none(), st.integers(0, 9), st.text(max_size=2), st.booleans()),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 6))
    columns = draw(st.lists(st.sampled_from(sorted(SCALARS)), min_size=1, max_size=4))
    data = [draw(st.lists(SCALARS[kind], min_size=rows, max_size=rows)) for kind in columns]
    frame = pd.concat(
        [
            pd.Series(values, dtype=object if kind == "mixed" else None)
            for kind, values in zip(columns, data, strict=True)
        ],
        axis=1,
    )
    frame.columns = [f"c{i % 3}" for i in range(len(columns))]
    return frame


def digest(table: object) -> str:
    found = fingerprint("t", "table", table)
    assert found.method == "full"
    return found.digest


@settings(max_examples=60, deadline=None)
@given(frames())
def test_a_copy_has_the_same_fingerprint(frame: pd.DataFrame) -> None:
    assert digest(frame) == digest(frame.copy(deep=True))


@settings(max_examples=100, deadline=None)
@given(frames(), st.data())
def test_another_value_in_any_cell_has_another_fingerprint(frame: pd.DataFrame, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(frame) - 1))
    column = data.draw(st.integers(0, frame.shape[1] - 1))
    changed = frame.copy(deep=True).astype(object)
    original = frame.astype(object)
    changed.iloc[row, column] = "a value that is not there"
    assert digest(changed) != digest(original)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.rename(columns={"a": "b"}),
        lambda f: f.iloc[::-1],
        lambda f: f.astype({"a": float}),
        lambda f: f.set_index(pd.Index([5, 6, 7])),
        lambda f: f.assign(t=f.t.dt.tz_localize("UTC")),
        lambda f: f.assign(k=f.k.cat.rename_categories({"x": "z"})),
        lambda f: f.assign(n=f.n.fillna(0)),
        lambda f: f[["k", "a", "t", "n"]],
    ],
)
def test_names_types_order_and_missing_values_count(change: object) -> None:
    frame = pd.DataFrame(
        {
            "a": [1, 2, 3],
            "t": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
            "k": pd.Categorical(["x", "y", "x"]),
            "n": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    assert digest(change(frame)) != digest(frame)  # type: ignore[operator]


def test_a_change_beyond_the_first_rows_counts() -> None:
    values = np.zeros((200_000, 3))
    before = digest(values)
    values[-1, -1] = 1e-300
    assert digest(values) != before


def test_one_string_and_one_number_differ() -> None:
    assert digest(pd.Series([1, "1"], dtype=object)) != digest(pd.Series(["1", 1], dtype=object))


def test_what_cannot_be_hashed_says_so() -> None:
    found = fingerprint("t", "table", pd.Series([object(), 1], dtype=object))
    assert (found.method, found.rows) == ("metadata-only", 2)


def test_tables_are_known() -> None:
    assert all(map(is_table, (pd.DataFrame(), pd.Series(dtype=float), np.zeros(2))))
    assert not any(map(is_table, ([1], {"a": 1}, 3.0, np.float64(3), pd)))
