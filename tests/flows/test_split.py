"""A split is recorded with the cell and the run, made again from the record alone, and checked for leaks."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest

import cellops
from cellops.data.splits.parts import Parts
from cellops.errors import DataError, NotFoundError
from cellops.records.finding import Severity
from cellops.records.run import RunClosed, RunStatus
from cellops.records.split import Split, SplitRecord
from cellops.settings import load
from cellops.tracking import closing
from cellops.tracking.tags import SPLIT, of_closed
from support.kernel import Kernel

FRAME = pd.DataFrame(
    {
        "id": np.arange(400),
        "customer": np.arange(400) // 5,
        "day": pd.date_range("2024-01-01", periods=400, freq="h"),
        "amount": np.random.default_rng(0).normal(size=400),
    }
)


def record(**asked: Any) -> SplitRecord:
    return cellops.split(FRAME, **asked).record


def test_parts_are_had_by_order_by_name_and_as_attributes() -> None:
    parts = cellops.split(FRAME, fractions=(0.6, 0.2, 0.2))
    train, validation, test = parts
    assert isinstance(parts, Parts)
    assert (parts.names, len(parts)) == (("train", "validation", "test"), 3)
    assert parts["validation"] is parts.validation is validation
    assert "validation" in dir(parts)
    assert repr(parts) == "split at random, seed 0: train 240 rows, validation 80 rows, test 80 rows"
    assert len(train) + len(test) == 320
    with pytest.raises(NotFoundError, match="train, validation, test"):
        parts["holdout"]
    with pytest.raises(AttributeError, match="train, validation, test"):
        parts.holdout  # noqa: B018 - reading it is what fails


DIFFERENT: dict[str, tuple[pd.DataFrame, str]] = {
    "rows gone": (FRAME[:390], "390 rows instead of 400: 10 distinct rows gone"),
    "rows new": (
        pd.concat([FRAME, FRAME[:3].assign(id=[900, 901, 902])]),
        "403 rows instead of 400: 3 distinct rows new",
    ),
    "rows twice": (pd.concat([FRAME, FRAME[:3]]), "403 rows instead of 400: rows repeat otherwise"),
    "another order": (FRAME[::-1], "the same rows stand in another order"),
    "a value": (FRAME.assign(amount=FRAME["amount"].where(FRAME["id"] != 7, 0.5)), "1 distinct row gone, 1 distinct"),
    "a column more": (FRAME.assign(more=1), "it has in addition the column more"),
    "a column less": (FRAME.drop(columns="amount"), "it lacks the column amount"),
    "columns in another order": (FRAME[["amount", "id", "customer", "day"]], "its columns stand in another order"),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_another_table_is_refused_with_what_is_different(what: str) -> None:
    table, said = DIFFERENT[what]
    with pytest.raises(DataError) as caught:
        cellops.rebuild_split(record(seed=3), table)
    assert said in str(caught.value)
    assert "cellops.dataset" in caught.value.remedy


@pytest.mark.parametrize("what", ["rows gone", "another order", "a column more"])
@pytest.mark.parametrize("asked", [{"key": "id"}, {"time": "day"}])
def test_where_values_decide_other_rows_may_come_and_go(asked: dict[str, str], what: str) -> None:
    table, said = DIFFERENT[what]
    before = cellops.split(FRAME, **asked)
    after = cellops.rebuild_split(before.record, table)
    assert set(after.test["id"]) == set(before.test["id"]) & set(table["id"])
    (finding, *_) = after.findings
    assert finding.code == "split-of-other-rows"
    assert said in finding.seen


def test_groups_may_stand_in_another_order_and_in_another_library() -> None:
    before = cellops.split(FRAME, groups="customer")
    after = cellops.rebuild_split(before.record, pl.from_pandas(FRAME[::-1]))
    assert set(after.test["id"].to_list()) == set(before.test["id"])
    with pytest.raises(DataError):
        cellops.rebuild_split(before.record, FRAME[:390])


def test_a_record_that_was_changed_is_refused() -> None:
    good = record(seed=3)
    with pytest.raises(DataError, match="otherwise"):
        cellops.rebuild_split(good.replace(plan=good.plan.replace(seed=4)), FRAME)


def test_many_rows_are_told_apart_by_a_sample() -> None:
    many = pd.DataFrame({"n": np.arange(50_000)})
    before = cellops.split(many).record
    with pytest.raises(DataError) as caught:
        cellops.rebuild_split(before, many[:40_000])
    assert "40000 rows instead of 50000: about 2" in str(caught.value)


def test_what_cannot_be_hashed_is_divided_all_the_same_and_told() -> None:
    frame = pl.DataFrame({"n": range(20), "held": pl.Series([object() for _ in range(20)], dtype=pl.Object)})
    parts = cellops.split(frame, key="n", fractions=0.5)
    assert [finding.code for finding in parts.findings] == ["split-not-hashed"]
    assert cellops.rebuild_split(parts.record, frame).test["n"].to_list() == parts.test["n"].to_list()


def codes(*tables: Any, **asked: Any) -> list[tuple[str, Severity]]:
    return [(finding.code, finding.severity) for finding in cellops.check_split(*tables, **asked)]


def test_leaks_are_found_however_rows_were_divided() -> None:
    train, test = cellops.split(FRAME)
    assert codes(train, test) == []
    assert codes(train, test, groups="customer", time="day") == [
        ("groups-shared", Severity.WARNING),
        ("time-order-broken", Severity.WARNING),
    ]
    assert codes(FRAME[:300], FRAME[290:], groups=["id", "customer"])[0] == ("rows-shared", Severity.WARNING)
    assert codes(*cellops.split(FRAME, groups="customer"), groups="customer") == []
    assert codes(*cellops.split(pl.from_pandas(FRAME), time="day"), time="day") == []


def test_leaks_are_told_with_their_number() -> None:
    groups, time = cellops.check_split(FRAME[:303], FRAME[303:], groups="customer", time="id")[0], FRAME
    assert groups.seen == (
        "1 of 20 groups of customer in the evaluation, with 2 of its 97 rows, are in the training too"
    )
    (late,) = cellops.check_split(time[::2], time[1::2], time="id")
    assert late.seen == "199 of 200 rows of the training are not before 1, the first id of the evaluation"


def test_the_store_is_told_of_a_split_by_a_tag_and_a_file(project: Path) -> None:
    made = record(time="day", gap="5 hours")
    split = Split(kind="cellops.split", line=1, parts={"train": 315, "test": 80}, made=made)
    closed = RunClosed(run="a" * 32, status=RunStatus.FINISHED, ended=1.0, splits=(split,))
    assert of_closed(closed)[SPLIT] == "split by time of day, cut at 2024-01-14T08:00:00, 5 rows left out"
    files = closing._records(closed, (), load(project))
    assert msgspec.json.decode(files["splits.json"], type=list[SplitRecord]) == [made]
    assert RunClosed.from_json(files["record.json"]).splits == (split,)


BEGIN = """import cellops, pandas as pd
from sklearn.linear_model import LinearRegression
table = pd.read_csv("flights.csv", parse_dates=["day"])
train, test = cellops.split(table, time="day", gap="5 hours")
X_train = train[["id", "customer"]]
y_train = train["amount"]
X_test = test[["id", "customer"]]
y_test = test["amount"]
"""
RUN = """%%mlops run
model = LinearRegression().fit(X_train, y_train)
score = model.score(X_test, y_test)
"""
LEAKING = """%%mlops run
parts = cellops.split(table.assign(day=range(400)), groups="customer")
model = LinearRegression().fit(table[["id", "customer"]], table["amount"])
score = model.score(parts.test[["id", "customer"]], parts["test"]["amount"])
"""


def test_a_run_keeps_its_split_and_finds_its_data_again(loaded: Kernel) -> None:
    source = loaded.project / "flights.csv"
    FRAME.to_csv(source, index=False)
    settings = load(loaded.project)
    assert loaded.run(BEGIN).status == "ok"
    (split,) = loaded.cells()[-1].splits
    assert (split.kind, split.line, split.parts) == ("cellops.split", 4, {"train": 315, "test": 80})
    assert loaded.run(RUN).status == "ok"
    run = loaded.closed()[-1]
    assert run.splits == (split,)
    assert {table.pointer for table in run.data} == {"flights.csv"}
    shown = " ".join(loaded.run("%mlops show last").streams.split())
    assert "split by time of day, cut at 2024-01-14T08:00:00, 5 rows left out: train 315, test 80 rows" in shown

    data = cellops.dataset(run.run, "X_train", settings=settings)
    assert (data.name, data.kind, data.path, data.verified) == ("flights.csv", "file", source, True)
    table = data.table().assign(day=lambda frame: pd.to_datetime(frame["day"]))
    again = cellops.rebuild_split(run.run, table, part="test", settings=settings)
    assert again.record == split.made
    assert list(again.test["id"]) == list(range(320, 400))
    with pytest.raises(NotFoundError, match="part= one of train, test"):
        cellops.rebuild_split(run.run, table, part="other", settings=settings)

    assert loaded.run(LEAKING).status == "ok"
    leaking = loaded.closed()[-1]
    assert [one.parts for one in leaking.splits] == [split.parts, {"parts": 400}]
    assert 'parts["test"]["amount"]'.replace('"', "'") in {table.name for table in leaking.data}
    assert {"rows-shared", "groups-shared"} <= {finding.code for finding in leaking.findings}

    source.write_text("id\n1\n")
    with pytest.raises(DataError, match="changed") as caught:
        cellops.dataset(run.run, "flights.csv", settings=settings)
    assert caught.value.data["path"] == "flights.csv"
    source.unlink()
    with pytest.raises(DataError, match="gone"):
        cellops.dataset(run.run, "flights.csv", settings=settings)
    with pytest.raises(NotFoundError, match="No data called nothing"):
        cellops.dataset(run.run, "nothing", settings=settings)
