"""Decimals, as databases keep amounts, are read as numbers, and that is said once."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellops.errors import InputError
from cellops.records.finding import Severity
from support.batches import batch, table


def written(folder: Path, **types: Any) -> Path:
    whole = pa.Table.from_pandas(table(250), preserve_index=False)
    for name, kind in types.items():
        cells = [None if value is None else Decimal(str(value)) for value in whole[name].to_pylist()]
        whole = whole.set_column(whole.column_names.index(name), name, pa.array(cells, kind))
    pq.write_table(whole, folder / "in.parquet")
    return folder / "in.parquet"


def test_they_are_answered_as_the_numbers_they_are(tmp_path: Path) -> None:
    place = written(tmp_path, distance=pa.decimal128(30, 12), hour=pa.decimal128(5, 0))
    done = batch(place, tmp_path / "out.parquet")
    pq.write_table(pa.Table.from_pandas(table(250), preserve_index=False), tmp_path / "plain.parquet")
    batch(tmp_path / "plain.parquet", tmp_path / "plain_out.parquet")
    answers, plain = (pd.read_parquet(tmp_path / name) for name in ("out.parquet", "plain_out.parquet"))
    assert answers["prediction"].tolist() == plain["prediction"].tolist()
    told = [(one.column, one.severity, one.rows, one.examples[:2]) for one in done.report.problems]
    assert told == [(name, Severity.INFO, 250, (0, 1)) for name in ("distance", "hour")]


@pytest.mark.parametrize(
    ("value", "wrong"), [(Decimal("5.5"), "hour is not an integer"), (Decimal(10) ** 20, "hour is not an integer")]
)
def test_one_that_is_no_integer_is_refused_where_one_is_needed(value: Decimal, wrong: str, tmp_path: Path) -> None:
    whole = pa.Table.from_pandas(table(20), preserve_index=False)
    cells = [*map(Decimal, whole["hour"].to_pylist()[:-1]), value]
    whole = whole.set_column(whole.column_names.index("hour"), "hour", pa.array(cells, pa.decimal128(38, 2)))
    pq.write_table(whole, tmp_path / "in.parquet")
    with pytest.raises(InputError, match=f"row 19: {wrong}"):
        batch(tmp_path / "in.parquet", tmp_path / "out.parquet")
