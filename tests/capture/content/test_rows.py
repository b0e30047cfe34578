"""Which rows two tables share, whatever library holds them."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.capture.content.rows import overlap, row_hashes
from cellops.capture.content.tokens import UnhashableError

DAY = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)
COLUMNS: dict[str, tuple[pl.DataType | None, list[Any]]] = {
    "integer": (pl.Int32(), [1, -1, 0, None]),
    "unsigned": (pl.UInt64(), [2**64 - 1, 2**63, 0, None]),
    "number": (pl.Float32(), [0.5, -0.25, 1e30, None]),
    "truth": (pl.Boolean(), [True, False, None]),
    "text": (pl.String(), ["", "a", "é", None]),
    "bytes": (pl.Binary(), [b"", b"a", b"\0", None]),
    "category": (pl.Categorical(), ["a", "b", None]),
    "day": (pl.Date(), [DAY.date(), DAY.date() - dt.timedelta(1), None]),
    "time": (pl.Time(), [DAY.time(), dt.time(1), None]),
    "moment": (pl.Datetime("us", "UTC"), [DAY, DAY + dt.timedelta(microseconds=1), None]),
    "duration": (pl.Duration("ms"), [dt.timedelta(1), dt.timedelta(0), None]),
    "decimal": (pl.Decimal(12, 3), [Decimal("1.500"), Decimal("-1.501"), None]),
    "list": (pl.List(pl.Int64()), [[1, 2], [1], [], None]),
    "struct": (None, [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": None, "b": "x"}]),
}
FORMS: list[Callable[[pl.DataFrame], Any]] = [
    lambda frame: frame,
    lambda frame: frame.to_arrow(),
    lambda frame: pa.concat_tables([frame.to_arrow()[:1], frame.to_arrow()[1:]]),
    lambda frame: frame.to_arrow().combine_chunks().to_batches()[0],
]


@pytest.mark.parametrize("form", FORMS, ids=["polars", "Arrow", "in chunks", "a batch"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_rows_are_the_same_where_their_values_are(kind: str, form: Callable[[pl.DataFrame], Any]) -> None:
    dtype, values = COLUMNS[kind]
    frame = pl.DataFrame({"key": range(len(values)), "value": pl.Series(values, dtype=dtype)})
    hashes = row_hashes([form(frame.select("value"))])
    assert len(set(hashes.tolist())) == len(values)
    again = pl.concat([frame[::-1], frame[:1]], rechunk=False).select("value")
    assert row_hashes([form(again)]).tolist() == [*hashes.tolist()[::-1], hashes[0]]
    assert row_hashes([frame["value"]]).tolist() == hashes.tolist()


@given(
    rows=st.lists(st.tuples(st.integers(-3, 3), st.sampled_from(["a", "b", None]), st.floats(width=32)), min_size=2),
    place=st.integers(0, 10**6),
)
def test_the_rows_that_two_frames_share_are_counted(rows: list[tuple[Any, ...]], place: int) -> None:
    names = ["i", "s", "f"]
    frame = pl.DataFrame(rows, schema={"i": pl.Int64, "s": pl.String, "f": pl.Float64}, orient="row")
    cut = place % (len(rows) - 1) + 1
    train, test = frame[:cut], frame[cut:]
    keys = [tuple("nan" if value != value else repr(value) for value in row) for row in rows]  # noqa: PLR0124
    keys = [tuple("0.0" if value == "-0.0" else value for value in key) for key in keys]
    expected = sum(key in keys[:cut] for key in keys[cut:])
    for form in FORMS[:2]:
        found = overlap(("train", row_hashes([form(train)])), ("test", row_hashes([form(test)])))
        assert (found.shared, found.method) == (expected, "exact"), names


def test_the_same_numbers_and_texts_are_the_same_in_every_library() -> None:
    frame = pd.DataFrame({"i": [1, 2], "f": [0.5, np.nan], "s": np.array(["a", "b"], dtype=object), "b": [True, False]})
    expected = row_hashes([frame]).tolist()
    assert row_hashes([pl.from_pandas(frame)]).tolist() == expected
    assert row_hashes([pa.Table.from_pandas(frame)]).tolist() == expected
    assert row_hashes([pl.from_pandas(frame).select("i", "f"), frame[["s", "b"]]]).tolist() == expected


def test_columns_of_python_objects_are_refused() -> None:
    with pytest.raises(UnhashableError):
        row_hashes([pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)})])


def test_empty_tables_share_nothing() -> None:
    empty = pl.DataFrame({"a": pl.Series([], dtype=pl.String), "b": pl.Series([], dtype=pl.Int8)})
    assert row_hashes([empty]).tolist() == []
    assert row_hashes([empty.to_arrow()]).tolist() == []
