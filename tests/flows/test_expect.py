"""Expectations from Python, in files, and proposed."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner

import cellops
from cellops.cli.verbs import terminal
from cellops.errors import CellopsError, ExpectationError, UsageError
from cellops.flows.expect import propose
from cellops.flows.suites import read, write
from cellops.records.finding import Finding

FRAME = pd.DataFrame({"hour": range(24), "origin": ["EWR", "JFK"] * 12})
BODY = 'expect_column_values_to_be_between("hour", 0, 12, reason="half a day")'


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    FRAME.to_parquet(tmp_path / "trips.parquet")
    FRAME.to_csv(tmp_path / "trips.csv", index=False)
    (tmp_path / "suite.txt").write_text(BODY)
    return tmp_path


def test_frames_files_and_names_are_held_against_the_same_expectations(trips):
    expected = cellops.expect(FRAME, BODY).results
    assert [one.failed for one in expected] == [11]
    tables = [trips / "trips.parquet", str(trips / "trips.csv"), pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME)]
    for table in tables:
        assert cellops.expect(table, BODY).results == expected
    assert cellops.expect("frame", BODY, {"frame": FRAME}).results == expected


def test_a_folder_of_files_is_one_table(tmp_path: Path) -> None:
    for year, rows in (("2013", FRAME[:10]), ("2014", FRAME[10:])):
        (tmp_path / "trips" / f"year={year}").mkdir(parents=True)
        rows.to_parquet(tmp_path / "trips" / f"year={year}" / "part.parquet")
    FRAME.to_csv(tmp_path / "trips.tsv", index=False, sep="\t")

    for table in (tmp_path / "trips", tmp_path / "trips.tsv"):
        assert cellops.expect(table, BODY).results == cellops.expect(FRAME, BODY).results
    assert cellops.expect(tmp_path / "trips", 'expect_column_values_to_be_in_set("year", [2013, 2014])').passed


def test_a_name_that_stands_twice_in_a_csv_file_is_told_where_a_rule_speaks_of_it(tmp_path: Path) -> None:
    (tmp_path / "trips.csv").write_text("hour,origin,hour\n1,EWR,2\n")
    both = 'expect_column_values_to_be_between("hour", 0)\nexpect_column_values_to_be_in_set("origin", ["EWR"])'
    hour, origin = cellops.expect(tmp_path / "trips.csv", both).results
    assert not hour.passed
    assert "2 columns called hour" in str(hour)
    assert origin.passed


def test_every_line_that_cannot_be_read_is_named() -> None:
    body = f"expect_nothing()\n{BODY}\nexpect_column_to_exist(hour)"
    with pytest.raises(ExpectationError, match=r"Line 1: .*; Line 3: ") as raised:
        cellops.expect(FRAME, body)
    assert raised.value.data["lines"] == [1, 3]


def test_results_are_data_too():
    frame = cellops.expect(FRAME, f'{BODY}\nexpect_column_to_exist("absent", severity="warning")').to_frame()
    assert frame["rule"].tolist() == ["expect_column_values_to_be_between", "expect_column_to_exist"]
    assert frame.loc[0, ["columns", "failed", "failed_rows", "reason"]].tolist() == [
        "hour",
        11,
        (13, 14, 15, 16, 17),
        "half a day",
    ]
    assert frame["severity"].tolist() == ["error", "warning"]


@pytest.mark.parametrize(
    ("table", "said"),
    [("absent.csv", "There is no file"), (3, "This is no table"), (__file__, "no CSV or Parquet")],
)
def test_what_is_no_table_is_refused(table, said):
    with pytest.raises(UsageError, match=said):
        cellops.expect(table, BODY)


def test_proposals_stand_below_what_is_there_and_say_nothing_twice():
    text = propose("frame", BODY, {"frame": FRAME})
    assert text.startswith(f"{BODY}\nexpect_table_columns_to_match_set")
    assert text.count('expect_column_values_to_be_between("hour"') == 1
    assert cellops.expect(FRAME, propose(FRAME)).passed


def test_a_suite_goes_to_a_file_and_comes_back(trips):
    found: list[Finding] = []
    suite = read(trips / "suite.txt", found)
    for name in ("again.txt", "again.json"):
        write(suite, trips / name, found)
        assert read(trips / name, found).expectations == suite.expectations
    assert found == []


@pytest.mark.parametrize(
    ("name", "text"), [("no.json", "{"), ("no.txt", ""), ("none.json", "{}"), ("absent.txt", None), ("x.txt", "1 +")]
)
def test_a_file_that_holds_no_suite_is_refused(tmp_path, name, text):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(CellopsError):
        read(tmp_path / name, [])


def test_the_command_line_proposes_carries_over_and_checks(trips, monkeypatch):
    monkeypatch.chdir(trips)
    theirs = {"type": "expect_column_values_to_match_json_schema", "kwargs": {"column": "hour"}}
    ours = {"type": "expect_column_to_exist", "kwargs": {"column": "hour"}}
    Path("gx.json").write_text(json.dumps({"name": "gx", "expectations": [theirs, ours]}))

    def run(*words: str):
        return CliRunner().invoke(terminal, ["expect", *words])

    proposed = run("trips.csv", "--infer")
    assert proposed.exit_code == 0
    Path("proposed.txt").write_text(proposed.stdout)
    assert run("trips.parquet", "--suite", "proposed.txt").exit_code == 0
    broken = run("trips.csv", "-s", "suite.txt")
    assert broken.exit_code != 0
    assert "11 (45.8 %)" in broken.stdout
    carried = run("--from-gx", "gx.json")
    assert carried.stdout == 'expect_column_to_exist("hour")\n'
    assert "expectation 1, expect_column_values_to_match_json_schema" in carried.stderr
    assert run("--suite", "suite.txt", "-o", "out.json").exit_code == 0
    assert json.loads(Path("out.json").read_text())["expectations"][0]["notes"] == "half a day"
    for words in ([], ["trips.csv"], ["--infer"], ["-s", "suite.txt", "--from-gx", "gx.json"]):
        assert isinstance(run(*words).exception, UsageError)


def test_text_of_a_csv_file_is_times_where_the_suite_speaks_of_them(tmp_path):
    days = pd.DataFrame({"day": pd.date_range("2013-01-30", periods=3, tz="UTC"), "note": ["a", "b", "c"]})
    days.to_csv(tmp_path / "days.csv", index=False)
    for rule in ('values_to_be_of_type("day", "datetime64")', 'values_to_be_between("day", "2013-01-31")'):
        suite = f'expect_column_{rule}\nexpect_column_values_to_be_of_type("note", "str")'
        assert cellops.expect(tmp_path / "days.csv", suite).results == cellops.expect(days, suite).results
    days.astype({"day": str}).assign(day=["2013-01-30", "soon", "2013-02-01"]).to_csv(tmp_path / "days.csv")
    (found,) = cellops.expect(tmp_path / "days.csv", 'expect_column_values_to_be_between("day", "2013-01-31")').results
    assert "holds text values" in (found.problem or "")


def test_a_result_says_what_does_not_hold():
    said = repr(cellops.expect(FRAME, f'{BODY}\nexpect_column_to_exist("absent")\nexpect_column_to_exist("hour")'))
    assert said.splitlines() == [
        "1 of 3 expectations on table hold (24 rows)",
        "  error expect_column_values_to_be_between(hour): 11 of 24 rows (45.8 %), first rows 13, 14, 15, 16, 17",
        "  error expect_column_to_exist(absent)",
    ]


def test_a_program_can_tell_what_does_not_hold_from_what_is_not_there(trips):
    def code(*words: str) -> int:
        command = [sys.executable, "-m", "cellops", "expect", *words, "--suite", "suite.txt"]
        return subprocess.run(command, cwd=trips, capture_output=True, check=False).returncode

    assert (code("trips.csv"), code("august.csv")) == (3, 2)
