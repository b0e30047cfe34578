"""Files as programs in the wild write them: read as they are meant, or refused in a line."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellops.errors import InputError
from support.batches import batch, table

ROWS = 120


@pytest.fixture
def plain(tmp_path: Path) -> list[str]:
    """What is answered to the rows of a plain file."""
    table(ROWS).to_csv(tmp_path / "plain.csv", index=False)
    batch(tmp_path / "plain.csv", tmp_path / "plain.out.csv")
    answers: list[str] = pd.read_csv(tmp_path / "plain.out.csv")["prediction"].tolist()
    return answers


def test_an_index_that_pandas_wrote_is_no_column(plain: list[str], tmp_path: Path) -> None:
    table(ROWS).to_csv(tmp_path / "in.csv")
    batch(tmp_path / "in.csv", tmp_path / "out.csv")
    answers = pd.read_csv(tmp_path / "out.csv")
    assert answers["prediction"].tolist() == plain
    assert list(answers)[:2] == ["trip", "prediction"]


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_lines_may_end_as_on_other_systems(end: str, plain: list[str], tmp_path: Path) -> None:
    table(ROWS).to_csv(tmp_path / "in.csv", index=False, lineterminator=end)
    batch(tmp_path / "in.csv", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == plain


def test_columns_of_one_name_are_refused_in_every_kind_of_file(tmp_path: Path) -> None:
    frame = table(5)
    twice = pa.Table.from_pandas(frame, preserve_index=False).append_column("trip", pa.array(frame["hour"]))
    pq.write_table(twice, tmp_path / "in.parquet")
    (tmp_path / "in.csv").write_text(f"{','.join([*frame, 'trip'])}\n")
    for name in ("in.parquet", "in.csv"):
        with pytest.raises(InputError, match=f"{name} has several columns called trip"):
            batch(tmp_path / name, tmp_path / "out.csv")


def test_a_cell_larger_than_a_reader_takes_is_refused_or_read(tmp_path: Path) -> None:
    frame = table(3)
    frame.loc[2, "trip"] = "x" * 200_000
    frame[["carrier", "distance", "hour", "night", "trip"]].to_csv(tmp_path / "in.csv", index=False)
    whole = (tmp_path / "in.csv").read_text()
    (tmp_path / "in.csv").write_text(whole.removesuffix("\n"))
    batch(tmp_path / "in.csv", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["trip"].str.len().tolist() == [2, 2, 200_000]
    (tmp_path / "in.csv").write_text("x" * 200_000 + "," + whole)
    with pytest.raises(InputError, match=r"in\.csv cannot be read: field larger"):
        batch(tmp_path / "in.csv", tmp_path / "out.csv", force=True)
