"""Files as tables: what the cells of a CSV file become, and what is said of those that cannot be read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellops.data.decoder import frame_columns
from cellops.data.tables import read_table
from cellops.errors import InputError, NotFoundError
from cellops.records.base import Value
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind


def field(name: str, kind: ColumnKind, *, nullable: bool = False, categories: tuple[str, ...] | None = None) -> Field:
    return Field(name=name, kind=kind, dtype="object", nullable=nullable, categories=categories)


SCHEMA = Schema(
    inputs=(
        field("hour", ColumnKind.INTEGER),
        field("distance", ColumnKind.NUMBER, nullable=True),
        field("region", ColumnKind.TEXT, categories=("EU", "NA")),
        field("tail", ColumnKind.TEXT, nullable=True, categories=("N1", "N2")),
        field("cargo", ColumnKind.BOOLEAN, nullable=True),
        field("at", ColumnKind.DATETIME, nullable=True),
    ),
    task=Task.CLASSIFICATION,
    target="late",
    classes=(0, 1),
)
HEADER = "hour,distance,region,tail,cargo,at,late,note\n"


def written(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "rows.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_cells_become_what_the_schema_says(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "7,200.5,NA,N1,True,2013-04-01T05:00:00Z,1,001",
        "08,NA,EU,NA,false,2013-04-01 07:00:00+02:00,NA,NA",
        " 9,,NA,,,,0.0,",
    )
    frame, findings = read_table(path, SCHEMA, "late")
    assert findings == []
    assert frame["hour"].tolist() == [7, 8, 9]
    assert frame["hour"].dtype == np.int64
    assert frame["distance"].tolist() == pytest.approx([200.5, np.nan, np.nan], nan_ok=True)
    assert frame["region"].tolist() == ["NA", "EU", "NA"]
    assert frame["tail"].isna().tolist() == [False, True, True]
    assert frame["cargo"].tolist() == [True, False, None]
    assert frame["at"].tolist() == [pd.Timestamp("2013-04-01 05:00")] * 2 + [pd.NaT]
    assert frame["late"].tolist() == [1, None, 0]
    assert frame["note"].tolist() == ["001", "NA", ""]
    assert frame_columns(SCHEMA, frame)["at"].dtype == "datetime64[ns]"


def test_a_carriage_return_in_a_cell_begins_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    for quoted, ending in (('"a\rb"', b"\r\n"), ('"a ""\r"" b"', b"\n")):
        path.write_bytes(b"hour,tail" + ending + f"7,{quoted}".encode() + ending)
        frame, _ = read_table(path, SCHEMA)
        assert [(hour, "\r" in tail) for hour, tail in zip(frame["hour"], frame["tail"], strict=True)] == [(7, True)]
    path.write_bytes(b"hour,tail\r7,a\r8,b\r")
    assert read_table(path, SCHEMA)[0]["hour"].tolist() == [7, 8]
    path.write_bytes(b'\xef\xbb\xbf"hour",tail\n7,a\n8,a\rb\n')
    with pytest.raises(InputError, match="carriage return outside of quotes in line 3"):
        read_table(path, SCHEMA)


def test_cells_that_cannot_be_read_are_named_and_only_these_are_missing(tmp_path: Path) -> None:
    path = written(
        tmp_path, "7,abc,EU,N1,yes,soon,1,", "7.5,1,EU,N1,True,2013-04-01,0,", "8,1e400,EU,N1,,9999-12-31,0,"
    )
    frame, findings = read_table(path, SCHEMA, "late")
    assert [(finding.where, finding.seen.partition(";")[0]) for finding in findings] == [
        ("column hour, row 1", "'7.5' is not an integer"),
        ("column distance, rows 0, 2", "'abc' is not a number, and so in 1 more rows"),
        ("column cargo, row 0", "'yes' is not true or false"),
        ("column at, rows 0, 2", "'soon' is not an ISO 8601 time, and so in 1 more rows"),
    ]
    assert frame["hour"].tolist() == pytest.approx([7, np.nan, 8], nan_ok=True)
    assert frame["distance"].tolist() == pytest.approx([np.nan, 1, np.nan], nan_ok=True)
    assert frame["at"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("classes", "cells", "truth"),
    [
        ((False, True), ["True", "false", "0", "1.0", "NA"], [True, False, False, True, None]),
        ((0, 1), ["True", "0", "1.0", "2", ""], [1, 0, 1, "2", None]),
        (("NA", "EU"), ["NA", "EU", "eu", "null"], ["NA", "EU", "eu", None]),
        (("1", "2"), ["1", "2", "1.0"], ["1", "2", "1.0"]),
    ],
)
def test_labels_become_the_classes_that_they_name(
    tmp_path: Path, classes: tuple[Value, ...], cells: list[str], truth: list[Value]
) -> None:
    path = written(tmp_path, *[f"{cell},x" for cell in cells], header="late,y\n")
    frame, _ = read_table(path, SCHEMA.replace(inputs=(), classes=classes), "late")
    assert frame["late"].tolist() == truth
    assert [type(value) for value in frame["late"]] == [type(value) for value in truth]


def test_labels_of_a_regression_are_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, "1", "NA", "2.5", "high", header="price\n")
    schema = SCHEMA.replace(inputs=(), task=Task.REGRESSION, target="price", classes=())
    frame, (finding,) = read_table(path, schema, "price")
    assert frame["price"].tolist() == pytest.approx([1, np.nan, 2.5, np.nan], nan_ok=True)
    assert finding.where == "column price, row 3"


def test_a_column_of_plain_numbers_is_read_as_one_with_a_bad_cell_is(tmp_path: Path) -> None:
    schema = SCHEMA.replace(inputs=(field("a", ColumnKind.NUMBER), field("b", ColumnKind.NUMBER)))
    numbers = np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25)
    rows = [f"{number!r},{number!r}" for number in numbers.tolist()]
    frame, _ = read_table(written(tmp_path, *rows, "1,1_000", header="a,b\n"), schema)
    assert frame["a"].tolist() == [*numbers.tolist(), 1.0]
    assert frame["b"].tolist() == pytest.approx([*numbers.tolist(), np.nan], rel=0, nan_ok=True)


def test_large_integers_keep_their_digits_where_none_is_missing(tmp_path: Path) -> None:
    schema = SCHEMA.replace(inputs=(field("id", ColumnKind.INTEGER),))
    full, _ = read_table(written(tmp_path, f"{2**60 + 1}", "2", header="id\n"), schema)
    assert full["id"].tolist() == [2**60 + 1, 2]
    gaps, _ = read_table(written(tmp_path, f"{2**60},a", ",b", header="id,x\n"), schema)
    assert gaps["id"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2,3\n", "more values than its first line has names"),
        ("a,b\n1,2\n3,4,5\n", "cannot be read"),
        ("", "cannot be read"),
        ('a,b\n1,"2\n', "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=said):
        read_table(path, SCHEMA)


@pytest.mark.parametrize("header", ["a,b,a\n", "\na,b,a\n"])
def test_columns_of_one_name_keep_it_and_stay_text(tmp_path: Path, header: str) -> None:
    schema = SCHEMA.replace(inputs=(field("a", ColumnKind.NUMBER), field("b", ColumnKind.NUMBER)))
    frame, unreadable = read_table(written(tmp_path, "1,2,x", header=header), schema)
    assert frame.columns.tolist() == ["a", "b", "a"]
    assert frame.iloc[0].tolist() == ["1", 2.0, "x"]
    assert not unreadable


def test_a_file_that_is_no_csv_in_utf_8_or_no_parquet_is_refused(tmp_path: Path) -> None:
    for name, content in (("a.csv", b"a\n\xff\xfe\n"), ("b.parquet", b"PAR"), ("c.txt", b"a\n1\n")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read_table(tmp_path / name, SCHEMA)
    with pytest.raises(NotFoundError):
        read_table(tmp_path / "none.csv", SCHEMA)


def test_parquet_is_taken_as_it_is(tmp_path: Path) -> None:
    given = pd.DataFrame({"hour": [1, 2], "region": ["NA", None]})
    given.to_parquet(tmp_path / "rows.parquet")
    frame, findings = read_table(tmp_path / "rows.parquet", SCHEMA)
    pd.testing.assert_frame_equal(frame, given)
    assert findings == []


def test_a_blank_line_of_one_column_is_a_missing_value(tmp_path: Path) -> None:
    schema = Schema(inputs=(field("distance", ColumnKind.NUMBER, nullable=True),), task=Task.REGRESSION, target="y")
    path = written(tmp_path, "1", "", "", "2", header="distance\n")
    frame, _ = read_table(path, schema)
    assert frame["distance"].isna().tolist() == [False, True, True, False]


def test_the_named_index_of_a_parquet_file_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"t": ["2024-01-01", "2024-01-02"], "a": [1.0, 2.0]}).set_index("t").to_parquet(path)
    frame, _ = read_table(path, SCHEMA)
    assert list(frame.columns) == ["t", "a"]
