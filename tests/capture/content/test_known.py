"""Rows are known again in whatever library and type they are held."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cellops.capture.content.known import content_of, differences, hashes_or_reason
from cellops.capture.content.rows import row_hashes

TIMES = ["2024-01-01", None, "2024-02-03T04:05:06"]
COLUMNS: dict[str, Any] = {
    "integers": pd.Series([1, 2, 3]),
    "numbers": pd.Series([1.5, None, -0.0]),
    "nullable": pd.array([1, None, 3], dtype="Int64"),
    "truth": pd.array([True, None, False], dtype="boolean"),
    "texts": pd.Series(["a", None, "b"], dtype="str"),
    "objects": pd.Series(["a", None, "b"], dtype=object),
    "categories": pd.Categorical(["a", None, "b"]),
    "times": pd.to_datetime(pd.Series(TIMES), format="ISO8601"),
    "zones": pd.to_datetime(pd.Series(TIMES), format="ISO8601", utc=True),
    "durations": pd.to_timedelta(pd.Series([1, None, 3]), unit="h"),
}


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # how polars and pyarrow read pandas' zones
def test_the_same_rows_have_the_same_hashes_in_every_library(kind: str) -> None:
    frame = pd.DataFrame({"place": np.arange(3), "value": COLUMNS[kind]})
    tables = [frame, pa.Table.from_pandas(frame, preserve_index=False), pl.from_pandas(frame)]
    hashes = [row_hashes([table]).tolist() for table in tables]
    assert hashes[0] == hashes[1] == hashes[2]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_are_the_same_in_every_unit(unit: str) -> None:
    times = pd.Series(pd.to_datetime(["2024-01-01", None])).astype("M8[ns]")
    assert row_hashes([times.astype(f"M8[{unit}]")]).tolist() == row_hashes([times]).tolist()
    early = pd.Series(np.array(["0100-01-01"], "M8[s]"))
    assert len(row_hashes([early])) == 1


def test_contents_that_cannot_be_read_are_compared_by_their_size() -> None:
    frame = pd.DataFrame({"a": [object()]})
    hashes, reason = hashes_or_reason(frame)
    assert hashes is None
    assert reason is not None
    known = content_of(row_hashes([pd.DataFrame({"a": [1, 2]})]), ("a",))
    unread = known.replace(digest=None, rows=1)
    assert differences(known, unread) == ["1 rows instead of 2"]
    assert differences(known, known) == []
