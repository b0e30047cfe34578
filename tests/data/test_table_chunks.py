"""Chunks of files with long strings: as many rows as fit, not as many as a file of numbers would have."""

from pathlib import Path

import pandas as pd
import pytest

from cellops.data import table_chunks as module
from cellops.data.table_chunks import TableChunks, is_long
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind

ROWS = 2_000
NUMBER = Field(name="number", kind=ColumnKind.NUMBER, dtype="float64", nullable=True)
NOTE = Field(name="note", kind=ColumnKind.TEXT, dtype="str", nullable=True)
SCHEMA = Schema(inputs=(NUMBER, NOTE), target="y", task=Task.REGRESSION)


def written(folder: Path, ending: str) -> Path:
    """A file of some 2 MB of strings, none of them there twice."""
    notes = [f"{row} " + "delayed by fog " * 66 for row in range(ROWS)]
    table = pd.DataFrame({"number": range(ROWS), "note": notes, "other": notes}).astype({"number": float})
    path = folder / f"later{ending}"
    if ending == ".csv":
        table.drop(columns="other").to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return path


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_chunks_of_long_strings_have_fewer_rows(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, columns = written(tmp_path, ending), {"number", "note"}
    (whole,) = TableChunks(path, SCHEMA, None, columns)
    monkeypatch.setattr(module, "TEXT_AT_ONCE", 200_000)
    chunks = list(TableChunks(path, SCHEMA, None, columns))
    assert max(map(len, chunks)) == pytest.approx(200, rel=0.1)
    pd.testing.assert_frame_equal(pd.concat(chunks), whole)
    assert len(next(iter(TableChunks(path, SCHEMA, None, columns, rows=500)))) == 500


def test_a_parquet_file_is_long_by_the_strings_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, ".parquet")
    monkeypatch.setattr(module, "MOST_TEXT", 1_000_000)
    assert is_long(path, {"number", "note"})
    assert not is_long(path, {"number"})
