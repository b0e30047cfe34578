"""Tables of every make and every bad kind, against the summary of the same table in pandas."""

import datetime as dt
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.summary.findings import findings
from cellops.data.summary.sources import chunks
from cellops.data.summary.summarize import summarize
from cellops.data.summary.table import TableSummary, merge
from cellops.errors import InputError, NotFoundError
from cellops.records.summary import SummaryKind

ROWS = 3_000
SMALL = 700


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    generator = np.random.default_rng(6)
    number = generator.normal(size=ROWS).round(6)
    number[::17] = np.nan
    return pd.DataFrame(
        {
            "number": number,
            "integer": generator.integers(0, 50, ROWS),
            "word": pd.Series(generator.choice(["UA", "AA", None], ROWS), dtype="str"),
            "time": pd.Timestamp("2013-01-01") + pd.to_timedelta(generator.integers(0, 10**7, ROWS), unit="s"),
            "flag": generator.random(ROWS) < 0.2,
        }
    )


def told(summary: TableSummary) -> list[tuple[Any, ...]]:
    """What must not depend on where a table came from."""
    found = []
    for column in summary.columns:
        numbers = column.parts.times.seconds if column.parts.times else column.parts.numbers
        exact = None if numbers is None else (numbers.rows, numbers.distinct, numbers.sketch, numbers.moments.minimum)
        found.append(
            (column.name, column.kind, column.rows, column.missing, exact, column.parts.texts, column.parts.booleans)
        )
    return found


def written(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False, row_group_size=1_000)
    return path


def halves(table: pd.DataFrame, folder: Path) -> Path:
    (folder / "parts").mkdir()
    for number, part in enumerate((table.iloc[: ROWS // 2], table.iloc[ROWS // 2 :])):
        written(part, folder / "parts" / f"part-{number}.parquet")
    return folder / "parts"


SOURCES: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "polars": lambda table, _: pl.from_pandas(table),
    "polars, lazy": lambda table, _: pl.from_pandas(table).lazy(),
    "pyarrow": lambda table, _: pa.Table.from_pandas(table),
    "a batch": lambda table, _: pa.Table.from_pandas(table).combine_chunks().to_batches()[0],
    "a reader": lambda table, _: pa.Table.from_pandas(table).to_reader(max_chunksize=90),
    "DuckDB": lambda table, _: duckdb.from_df(table),
    "pandas on Arrow": lambda table, _: table.convert_dtypes(dtype_backend="pyarrow"),
    "pandas with objects": lambda table, _: table.astype({"word": object, "flag": object, "time": object}),
    "Parquet": lambda table, folder: written(table, folder / "table.parquet"),
    "a text path": lambda table, folder: str(written(table, folder / "table.parquet")),
    "CSV": lambda table, folder: written(table, folder / "table.csv"),
    "a folder": halves,
    "a dataset": lambda table, folder: ds.dataset(halves(table, folder)),
}


@pytest.mark.parametrize("name", sorted(SOURCES))
@pytest.mark.parametrize("rows", [None, SMALL])
def test_every_make_of_table_comes_to_the_same_summary(
    name: str, rows: int | None, table: pd.DataFrame, tmp_path: Path
) -> None:
    found = summarize(SOURCES[name](table, tmp_path), rows=rows)

    assert told(found) == told(summarize(table))
    assert findings(found) == ()


def test_frames_of_dask_are_reduced_where_they_lie(table: pd.DataFrame) -> None:
    frames = pytest.importorskip("dask.dataframe")
    import dask

    with dask.config.set(scheduler="synchronous"):
        found = summarize(frames.from_pandas(table, npartitions=11))

    assert told(found) == told(summarize(table))


@pytest.mark.parametrize("name", ["Parquet", "CSV", "DuckDB", "a reader", "a folder"])
def test_no_chunk_is_longer_than_is_asked_for(name: str, table: pd.DataFrame, tmp_path: Path) -> None:
    sizes = [chunk.rows for chunk in chunks(SOURCES[name](table, tmp_path), SMALL)]

    assert sum(sizes) == ROWS
    assert max(sizes) < 2 * SMALL
    assert len(sizes) >= ROWS // (2 * SMALL)


def test_of_a_parquet_file_no_more_is_in_memory_than_of_a_chunk(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    held = pa.table({str(number): generator.normal(size=2_000_000) for number in range(2)})
    size = held.nbytes
    pq.write_table(held, tmp_path / "one_group.parquet")
    del held
    before = pa.total_allocated_bytes()
    peaks = [pa.total_allocated_bytes() - before for _ in chunks(tmp_path / "one_group.parquet", 50_000)]

    assert len(peaks) == 40
    assert max(peaks) < size / 2


def test_folders_that_name_values_have_these_as_a_column(table: pd.DataFrame, tmp_path: Path) -> None:
    for month in (1, 2):
        (tmp_path / f"month={month}").mkdir()
        written(table, tmp_path / f"month={month}" / "part.parquet")
    month = summarize(tmp_path).column("month")

    assert month is not None
    assert (month.kind, month.rows) == (SummaryKind.INTEGER, 2 * ROWS)


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=2),
    st.lists(st.none(), max_size=2),
    st.datetimes(),
    st.dates(),
    st.decimals(),
    st.timedeltas(),
    st.complex_numbers(),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(anything, max_size=12), st.integers(1, 12))
def test_no_value_whatever_breaks_a_summary_nor_its_merging(values: list[Any], cut: int) -> None:
    table = pd.DataFrame({"x": pd.Series(values, dtype=object), "sound": range(len(values))})
    whole = summarize(table)
    parts = merge(summarize(table.iloc[:cut]), summarize(table.iloc[cut:]))
    column = whole.columns[0]

    assert column.problems == frozenset()
    assert sum(part.rows for part in column.parts.filled) + column.missing == len(values)
    assert (parts.columns[0].missing, parts.columns[0].kind) == (column.missing, column.kind)
    assert whole.columns[1].parts == summarize(table[["sound"]]).columns[0].parts


def test_what_is_wrong_with_a_column_is_told_and_the_others_are_sound() -> None:
    table = pd.DataFrame(
        {
            "mixed": [1, "late", None, 2.5],
            "twice": [1, 2, 3, 4],
            "gone": [None, None, None, None],
            "infinite": [np.inf, 1.0, -np.inf, 2.0],
            "decimal": [decimal.Decimal("1.5"), None, decimal.Decimal(2), decimal.Decimal("NaN")],
            "bytes": [b"a", b"b", None, b""],
            "list": [[1], [2, 3], None, []],
            "zoned": pd.Series(
                [dt.datetime(2013, 1, 1, tzinfo=dt.UTC), pd.Timestamp("2013-01-02").to_pydatetime(), None, None],
                dtype=object,
            ),
            "far": pd.Series([dt.date(9999, 12, 31), dt.date(1, 1, 1), None, None], dtype=object),
            "lasted": pd.to_timedelta([1, 2, None, 3], unit="s"),
            "wide": [2**60, 2**60 + 1, 2, 3],
            "sound": [1, 2, 3, 4],
        }
    ).rename(columns={"twice": "sound"})
    summary = summarize(table)
    found = {finding.code: finding for finding in findings(summary)}

    assert set(found) == {
        "column-mixed",
        "column-unreadable",
        "column-empty",
        "column-infinite",
        "column-opaque",
        "column-zones",
        "column-wide",
    }
    assert found["column-mixed"].seen == "2 of its values are of kind number, 1 of kind string, such as 'late'"
    assert found["column-unreadable"].where == "column sound"
    assert found["column-unreadable"].seen == "2 columns have this name"
    kinds = {column.name: column.kind for column in summary.columns}
    assert (kinds["decimal"], kinds["bytes"], kinds["list"]) == (
        SummaryKind.NUMBER,
        SummaryKind.OTHER,
        SummaryKind.NESTED,
    )
    assert (kinds["far"], kinds["lasted"], kinds["gone"]) == (
        SummaryKind.DATETIME,
        SummaryKind.OTHER,
        SummaryKind.EMPTY,
    )
    wide, far = summary.column("wide"), summary.column("far")
    assert wide is not None
    assert far is not None
    assert wide.parts.numbers is not None
    assert far.parts.times is not None
    assert wide.parts.numbers.distinct == 4
    assert far.parts.times.first < far.parts.times.last


@pytest.mark.parametrize(
    "table", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=range(3)), pa.table({}), pl.DataFrame()]
)
def test_a_table_without_rows_or_columns_is_told_as_such(table: Any) -> None:
    summary = summarize(table)

    assert [finding.code for finding in findings(summary)] == ["table-empty"]
    assert merge(summary, summary).columns == summary.columns


def test_cells_of_a_csv_that_turn_into_text_count_as_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "turning.csv"
    rows = 1_200_000
    plain = "".join(f"{number % 1000},{number % 7}.5\n" for number in range(1_000))
    with path.open("w") as file:
        file.write("delay,sound\n")
        file.write(plain * (rows // 1_000))
        file.write("late,1.5\n12,2.5\n,3.5\n")
    delay, sound = summarize(path).columns

    assert (delay.rows, delay.missing, delay.kind) == (rows + 3, 1, SummaryKind.MIXED)
    assert delay.parts.numbers is not None
    assert delay.parts.texts is not None
    assert delay.parts.numbers.rows == rows + 1
    assert dict(delay.parts.texts.counts.rows) == {"late": 1}
    assert (sound.kind, sound.rows, sound.missing) == (SummaryKind.NUMBER, rows + 3, 0)


def test_files_that_cannot_be_read_are_named_with_what_is_to_be_done(table: pd.DataFrame, tmp_path: Path) -> None:
    whole = written(table, tmp_path / "whole.parquet").read_bytes()
    files: dict[str, bytes] = {
        "short.parquet": whole[: len(whole) // 2],
        "hollow.parquet": whole[:100] + bytes(len(whole) - 500) + whole[-400:],
        "empty.parquet": b"",
        "empty.csv": b"",
        "ragged.csv": b"a,b\n1,2\n1,2,3\n",
        "table.xlsx": b"PK",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            summarize(tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="holds no Parquet file"):
        summarize(tmp_path / "folder")
    with pytest.raises(NotFoundError, match="missing"):
        summarize(tmp_path / "missing.parquet")
    with pytest.raises(InputError, match="is no table"):
        summarize([1, 2])


def test_cells_of_a_csv_that_are_no_unicode_are_counted_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"word,sound\nna\xefve,1\n")
    summary = summarize(tmp_path / "latin.csv")

    assert [column.kind for column in summary.columns] == [SummaryKind.OTHER, SummaryKind.INTEGER]
    assert [(found.code, found.where) for found in findings(summary)] == [("column-opaque", "column word")]


def test_a_csv_of_names_alone_has_columns_without_rows(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("a,b\n")
    summary = summarize(tmp_path / "names.csv")

    assert [(column.name, column.rows) for column in summary.columns] == [("a", 0), ("b", 0)]


def test_a_parquet_file_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "none.parquet")

    assert [column.name for column in summarize(tmp_path / "none.parquet").columns] == ["a"]


def test_types_of_arrow_are_read_as_what_they_hold() -> None:
    table = pa.table(
        {
            "half": pa.array(np.array([1.5, 2.5], dtype=np.float16)),
            "money": pa.array([decimal.Decimal("1.25"), None], pa.decimal128(10, 2)),
            "view": pa.array(["a", None], pa.string_view()),
            "coded": pa.array(["a", None]).dictionary_encode(),
            "coded number": pa.array([5, 6]).dictionary_encode(),
            "day": pa.array([dt.date(2013, 1, 1), None]),
            "fine": pa.array([1, 2], pa.timestamp("ns", "Europe/Paris")),
            "too far": pa.array([2**62, 1], pa.timestamp("s")),
            "clock": pa.array([dt.time(1), None]),
            "struct": pa.array([{"a": 1}, None]),
            "null": pa.nulls(2),
            "unsigned": pa.array([2**64 - 1, 1], pa.uint64()),
        }
    )
    summary = summarize(table)
    kinds = [column.kind.value for column in summary.columns]

    assert kinds[:7] == ["number", "number", "string", "category", "category", "datetime", "datetime"]
    assert kinds[8:] == ["other", "nested", "empty", "integer"]
    assert [column.name for column in summary.columns if column.problems] == ["too far"]
    assert [column.missing for column in summary.columns] == [0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 2, 0]


def test_what_folders_are_called_is_read_as_what_it_says(tmp_path: Path) -> None:
    for number, folder in enumerate(("day=-1", "day=--1", "day=a%2Fb", "day=__HIVE_DEFAULT_PARTITION__", "day=²")):
        (tmp_path / folder).mkdir()
        pd.DataFrame({"hour": [number]}).to_parquet(tmp_path / folder / "part.parquet")

    day = summarize(tmp_path).column("day")

    assert day is not None
    assert day.missing == 1
    assert day.parts.numbers is not None
    assert day.parts.numbers.moments.minimum == -1
    assert day.parts.texts is not None
    assert sorted(day.parts.texts.counts.rows) == ["--1", "a/b", "²"]


def test_integers_of_which_a_float_holds_only_one_are_told_apart() -> None:
    summary = summarize(pd.DataFrame({"key": [2**53, 2**53 + 1], "below": [-(2**53), -(2**53) - 1]}))

    assert [column.parts.numbers.distinct for column in summary.columns if column.parts.numbers] == [2, 2]


def test_a_series_is_a_table_of_one_column() -> None:
    delay = pd.Series([3, 4, None], name="delay")
    assert summarize(delay) == summarize(delay.to_frame())
