"""A batch gives what the server would, for any input, in chunks, whole or resumable, and names what is wrong."""

import json
import resource
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from cellops.errors import InputError, NotFoundError, OutputError, PackageError, UsageError
from cellops.packaging.predictor import Predictions
from cellops.records.batch import BatchProgress, OnBad
from cellops.records.finding import Severity
from cellops.serving.batch.scorer import Scorer, Wishes
from cellops.serving.policies import NOTHING, Declared
from support.batches import batch, digests, stopping_after, table
from support.disks import small_disk
from support.loaded import loaded

KINDS = ["in.csv", "in.parquet", "in.jsonl", "folder", "*.parquet", "trips.duckdb::trips", "memory://batch/in.parquet"]


def put(frame: pd.DataFrame, place: str, folder: Path) -> str:
    """Write a table to a place of some kind, and name it."""
    if "::" in place:
        with duckdb.connect(str(folder / "trips.duckdb")) as connection:
            connection.register("frame", frame)
            connection.execute("CREATE TABLE trips AS SELECT * FROM frame")
    elif "://" in place:
        frame.to_parquet(place)
        return place
    elif place == "in.csv":
        frame.to_csv(folder / place, index=False)
    elif place == "in.jsonl":
        frame.to_json(folder / place, orient="records", lines=True)
    elif place == "in.parquet":
        frame.to_parquet(folder / place)
    else:
        below = folder / "folder" if place == "folder" else folder
        below.mkdir(exist_ok=True)
        half = len(frame) // 2
        frame[:half].to_parquet(below / "1.parquet")
        frame[half:].to_parquet(below / "2.parquet", index=False)
    return str(folder / place)


def read(output: str) -> pd.DataFrame:
    if "::" in output:
        path, name = output.split("::")
        with duckdb.connect(path, read_only=True) as connection:
            return connection.execute(f"SELECT * FROM {name}").df()
    if output.endswith(".jsonl"):
        return pd.read_json(output, orient="records", lines=True, precise_float=True)
    return pd.read_csv(output) if output.endswith(".csv") else pd.read_parquet(output)


def expected(frame: pd.DataFrame) -> Predictions:
    from cellops.data.decoder import frame_columns

    model = loaded(task="classification")
    return model.predictor.predict(frame_columns(model.contract.schema, frame))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_input_is_answered_as_by_the_model_itself(kind: str, tmp_path: Path) -> None:
    frame = table(250)
    done = batch(put(frame, kind, tmp_path), tmp_path / "out.parquet")
    answers, own = read(str(tmp_path / "out.parquet")), expected(frame)
    assert answers["trip"].tolist() == frame["trip"].tolist()
    assert answers["prediction"].tolist() == own.labels.tolist()
    assert np.array_equal(answers[["probability_early", "probability_late"]].to_numpy(), own.probabilities)
    assert answers["prediction_id"].is_unique
    assert (done.report.rows, done.report.answered, done.report.set_aside) == (250, 250, 0)


@pytest.mark.parametrize(
    "output", ["out.csv", "out.parquet", "out.jsonl", "parts/", "out.duckdb::answers", "memory://scored/out.csv"]
)
def test_every_kind_of_output_holds_the_same(output: str, tmp_path: Path) -> None:
    frame = table(250)
    place = output if "://" in output else f"{tmp_path}/{output}"
    batch(put(frame, "in.parquet", tmp_path), place, force=True, keep=())
    answers = read(place)
    assert answers["prediction"].tolist() == expected(frame).labels.tolist()
    assert list(answers.columns) == ["prediction", "probability_early", "probability_late", "package", "prediction_id"]


def test_the_size_of_chunks_changes_no_answer_and_no_count(tmp_path: Path) -> None:
    frame = table(300)
    frame.loc[[7, 250], "distance"] = [9000.0, -1.0]
    place = put(frame, "in.parquet", tmp_path)
    reports = []
    for rows in (7, 300):
        done = batch(place, tmp_path / f"{rows}.parquet", rows=rows, on_bad=OnBad.SET_ASIDE)
        reports.append(done.report)
    assert reports[0] == reports[1]
    one, other = (read(str(tmp_path / f"{rows}.parquet")).drop(columns="prediction_id") for rows in (7, 300))
    pd.testing.assert_frame_equal(one, other)


def test_a_bad_row_is_refused_with_its_file_and_number_and_can_be_set_aside_on_the_way(tmp_path: Path) -> None:
    frame = table(1000)
    frame.loc[731, "distance"] = 9000.0
    place, output = put(frame, "in.csv", tmp_path), tmp_path / "out.csv"
    with pytest.raises(
        InputError, match=r"in\.csv, row 731: distance breaks expect_column_values_to_be_between"
    ) as why:
        batch(place, output)
    assert why.value.data["rows"] == [731]
    assert why.value.__notes__ == ["7 chunks are done: go on with --resume"]
    assert not output.exists()
    done = batch(place, output, resume=True, on_bad=OnBad.SET_ASIDE)
    assert (done.resumed, done.report.answered, done.report.set_aside) == (7, 999, 1)
    rejects = pd.read_csv(tmp_path / "out.csv.rejects.csv")
    assert rejects[["trip", "file", "row", "column"]].to_numpy().tolist() == [["T731", "in.csv", 731, "distance"]]
    assert "breaks expect_column_values_to_be_between [" in rejects["problem"][0]


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("hour", "noon", "is not an integer"),
        ("distance", "far", "is not a number"),
        ("distance", "", "is missing"),
        ("night", "perhaps", "is not true or false"),
    ],
)
def test_a_cell_that_does_not_fit_is_a_bad_row_and_never_a_missing_value(
    column: str, cell: str, problem: str, tmp_path: Path
) -> None:
    frame = table(200).astype(object)
    frame.loc[150, column] = cell
    place = put(frame, "in.csv", tmp_path)
    with pytest.raises(InputError, match=rf"in\.csv, row 150: {column} {problem}"):
        batch(place, tmp_path / "out.csv")
    done = batch(place, tmp_path / "out.csv", on_bad=OnBad.SET_ASIDE, resume=True)
    (found,) = done.report.problems
    assert (found.column, found.severity, found.rows, found.examples) == (column, Severity.ERROR, 1, (150,))


def test_values_of_several_types_in_lines_of_json_are_judged_one_by_one(tmp_path: Path) -> None:
    frame = table(250)
    rows = frame.to_dict("records")
    rows[7] |= {"hour": "noon", "more": {"a": 1}}
    rows[9] |= {"distance": None, "more": "b"}
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n\n" for row in rows))
    done = batch(tmp_path / "in.jsonl", tmp_path / "out.jsonl", on_bad=OnBad.SET_ASIDE)
    answers = pd.read_json(tmp_path / "out.jsonl", lines=True, precise_float=True)
    assert answers["trip"].tolist() == frame["trip"].drop([7, 9]).tolist()
    assert answers["prediction"].tolist() == expected(frame.drop([7, 9])).labels.tolist()
    rejects = [json.loads(line) for line in (tmp_path / "out.jsonl.rejects.jsonl").read_text().splitlines()]
    assert [(row["row"], row["column"], row["more"]) for row in rejects] == [
        (7, "hour", {"a": 1}),
        (9, "distance", "b"),
    ]
    assert done.report.set_aside == 2


def test_a_torn_line_of_json_is_refused_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"hour": 5}\n{"hour": 6, "dist')
    with pytest.raises(InputError, match=r"in\.jsonl, line 2 is no JSON object"):
        batch(tmp_path / "in.jsonl", tmp_path / "out.csv")


def test_a_folder_of_parts_stands_in_whole_and_only_such_a_one_is_replaced(tmp_path: Path) -> None:
    place = put(table(250), "in.parquet", tmp_path)
    batch(place, f"{tmp_path}/out/")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"part-0000{n}.parquet" for n in range(3)]
    with pytest.raises(UsageError, match="is there already"):
        batch(place, f"{tmp_path}/out/")
    batch(place, f"{tmp_path}/out/", rows=200, force=True)
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out", "out.drift", "out.report.json"]
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(UsageError, match="holds other things than parts"):
        batch(place, f"{tmp_path}/out/", force=True)
    with pytest.raises(UsageError, match="folder at an address"):
        batch(place, "memory://batch/out/")


def test_rows_on_which_the_model_fails_are_found_and_set_aside(tmp_path: Path) -> None:
    def fails(columns: Any) -> Predictions:
        if (columns["distance"] == 777.0).any():
            message = "no such distance"
            raise ValueError(message)
        return Predictions(columns["distance"] / 100, None)

    frame = table(300)
    frame.loc[[3, 120, 121], "distance"] = 777.0
    bad = frame.index[frame["distance"] == 777.0].tolist()
    place, model = put(frame, "in.parquet", tmp_path), loaded(predict=fails)
    with pytest.raises(InputError, match=r"in\.parquet, rows 0 to 99: The model failed on these rows"):
        batch(place, tmp_path / "out.parquet", model)
    batch(place, tmp_path / "out.parquet", model, on_bad=OnBad.SET_ASIDE)
    assert read(str(tmp_path / "out.parquet.rejects.parquet"))["row"].tolist() == bad
    assert len(read(str(tmp_path / "out.parquet"))) == 300 - len(bad)


def test_a_model_that_answers_otherwise_than_in_training_scores_nothing() -> None:
    def moved(columns: Any) -> Predictions:
        return Predictions(columns["distance"] / 100 + 1, None)

    wishes = Wishes(keep=None, on_bad=OnBad.REFUSE)
    assert Scorer.proven(loaded(), NOTHING, wishes)
    with pytest.raises(PackageError, match=r"answers otherwise than in training, as in parity row 0") as why:
        Scorer.proven(loaded(predict=moved), NOTHING, wishes)
    assert "package the run anew" in str(why.value)


def test_rules_that_impute_and_the_operators_answer_hold_as_behind_the_server(tmp_path: Path) -> None:
    rule = 'expect_column_values_to_be_between("distance", 100, 5000, action="impute", default=700.0)'
    frame = table(50)
    frame.loc[4, "distance"] = -5.0
    model = loaded(rule, task="classification")
    done = batch(put(frame, "in.parquet", tmp_path), tmp_path / "out.parquet", model, declared=Declared(answer="late"))
    answers, own = read(str(tmp_path / "out.parquet")), frame.assign(distance=frame["distance"].replace(-5.0, 700.0))
    assert answers["notes"][4] == "imputed distance"
    assert answers["prediction"].tolist() == expected(own).labels.tolist()
    assert [(one.problem, one.rows) for one in done.report.problems] == [("imputed distance", 1)]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OutputError("full", remedy="Make room")])
def test_a_batch_that_was_stopped_and_resumed_gives_the_same_bytes(error: BaseException, tmp_path: Path) -> None:
    frame = table(1000)
    frame.loc[[7, 450, 990], "distance"] = 9000.0
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    place = put(frame, "in.csv", tmp_path)
    batch(place, tmp_path / "a" / "out.csv", on_bad=OnBad.SET_ASIDE)
    with pytest.raises(type(error)):
        batch(place, tmp_path / "b" / "out.csv", on_bad=OnBad.SET_ASIDE, perform=stopping_after(4, error))
    parts = sorted((tmp_path / "b" / "out.csv.parts").glob("*.part"))
    assert len(parts) == 4
    parts[2].write_bytes(parts[2].read_bytes()[:-1])  # as a machine that lost its power leaves it
    with pytest.raises(UsageError, match="was begun and did not come to its end"):
        batch(place, tmp_path / "b" / "out.csv", on_bad=OnBad.SET_ASIDE)
    done = batch(place, tmp_path / "b" / "out.csv", on_bad=OnBad.SET_ASIDE, resume=True)
    assert done.resumed == 3
    assert digests(tmp_path / "a", "out.csv") == digests(tmp_path / "b", "out.csv")
    assert set(digests(tmp_path / "b", "out")) == {
        "out.csv",
        "out.csv.drift",
        "out.csv.rejects.csv",
        "out.csv.report.json",
    }


def test_an_input_that_has_changed_is_not_gone_on_with(tmp_path: Path) -> None:
    place = put(table(500), "in.csv", tmp_path)
    with pytest.raises(KeyboardInterrupt):
        batch(place, tmp_path / "out.csv", perform=stopping_after(2, KeyboardInterrupt()))
    put(table(500).assign(hour=9), "in.csv", tmp_path)
    with pytest.raises(InputError, match=r"in\.csv is not what it was"):
        batch(place, tmp_path / "out.csv", resume=True)
    with pytest.raises(UsageError, match="was begun otherwise: chunk_rows was 100, and is 50"):
        batch(place, tmp_path / "out.csv", resume=True, rows=50)
    assert batch(place, tmp_path / "out.csv", force=True).report.answered == 500


def test_what_stands_is_replaced_only_when_it_is_said(tmp_path: Path) -> None:
    place, output = put(table(50), "in.csv", tmp_path), tmp_path / "out.csv"
    output.write_text("mine")
    for resume in (False, True):
        with pytest.raises(UsageError, match="is there already"):
            batch(place, output, resume=resume)
    assert output.read_text() == "mine"
    batch(place, output, force=True)
    assert len(read(str(output))) == 50


def test_a_wrong_schema_in_chunk_seven_is_named_and_what_is_done_stays(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(9):
        frame = table(100) if number != 7 else table(100).rename(columns={"hour": "hours"})
        frame.to_csv(folder / f"{number}.csv", index=False)
    with pytest.raises(InputError, match=r"7\.csv has no column hour") as why:
        batch(folder, tmp_path / "out.csv")
    assert (why.value.data["file"], why.value.data["row"]) == ("7.csv", 0)
    assert why.value.__notes__ == ["7 chunks are done: go on with --resume"]
    table(100).to_csv(folder / "7.csv", index=False)
    assert batch(folder, tmp_path / "out.csv", resume=True).resumed == 7
    assert len(read(str(tmp_path / "out.csv"))) == 900


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    whole = put(table(300), "in.parquet", tmp_path)
    Path(whole).write_bytes(Path(whole).read_bytes()[:-30])
    with pytest.raises(InputError, match=r"in\.parquet cannot be read"):
        batch(whole, tmp_path / "out.csv")
    csv = Path(put(table(300), "in.csv", tmp_path))
    csv.write_text(csv.read_text()[:-12])
    with pytest.raises(InputError, match=r"in\.csv is torn: its last line has 3 cells"):
        batch(csv, tmp_path / "out.csv")
    csv.write_text('trip,distance\n"T1,5\n')
    with pytest.raises(InputError, match=r"in\.csv cannot be read"):
        batch(csv, tmp_path / "out.csv", resume=True)


def test_an_output_that_fills_leaves_what_is_done_and_goes_on_with_room(tmp_path: Path) -> None:
    place = put(table(2000), "in.parquet", tmp_path)
    output = tmp_path / "out.csv"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"out\.csv cannot be written: .*File too large"):
            batch(place, output, keep=())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not output.exists()
    assert batch(place, output, keep=(), resume=True).resumed > 0
    assert len(read(str(output))) == 2000


def test_a_full_disk_leaves_what_is_done(tmp_path: Path) -> None:
    place = put(table(20_000), "in.parquet", tmp_path)
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            return
        with pytest.raises(OutputError, match="No space left"):
            batch(place, disk / "out.csv", rows=500)
        assert not (disk / "out.csv").exists()
        assert list((disk / "out.csv.parts").glob("*.part"))


def test_files_whose_columns_differ_in_type_are_refused_by_the_name_of_the_column(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    table(50).to_parquet(folder / "a.parquet")
    table(50).assign(trip=[["x"]] * 50).to_parquet(folder / "b.parquet")
    with pytest.raises(InputError, match=r"not of one type"):
        batch(folder, tmp_path / "out.parquet")


def test_tables_without_rows_give_one_without_answers(tmp_path: Path) -> None:
    for kind in ("in.csv", "in.parquet"):
        done = batch(put(table(5)[:0], kind, tmp_path), tmp_path / "out.parquet", force=True)
        assert done.report.rows == 0
        assert list(read(done.output).columns)[:2] == ["trip", "prediction"]


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        ("nothing.csv", NotFoundError, "There is no file of CSV, Parquet or JSON lines"),
        ("nothing/*.csv", NotFoundError, "There is no file of CSV, Parquet or JSON lines"),
        ("in.txt", InputError, "in.txt is not CSV, Parquet or JSON lines"),
        ("nothing.duckdb::trips", NotFoundError, "There is no file"),
        ("trips.duckdb::tripz", NotFoundError, r"has no table tripz.*Its tables are: trips"),
        ("empty.csv", InputError, "is empty"),
    ],
)
def test_an_input_that_is_none_is_refused(place: str, error: type[Exception], said: str, tmp_path: Path) -> None:
    put(table(5), "trips.duckdb::trips", tmp_path)
    (tmp_path / "in.txt").touch()
    (tmp_path / "empty.csv").touch()
    with pytest.raises(error, match=said):
        batch(str(tmp_path / place), tmp_path / "out.csv")
    assert not list(tmp_path.glob("out*"))


def test_a_column_called_as_an_answer_is_refused(tmp_path: Path) -> None:
    place = put(table(50).assign(prediction=1), "in.parquet", tmp_path)
    with pytest.raises(UsageError, match="has a column prediction"):
        batch(place, tmp_path / "out.csv")
    with pytest.raises(InputError, match="has no column flight, which shall be kept"):
        batch(place, tmp_path / "out.csv", keep=("flight",))


def test_progress_says_how_much_is_done_and_left(tmp_path: Path) -> None:
    told: list[BatchProgress] = []
    batch(put(table(250), "in.parquet", tmp_path), tmp_path / "out.csv", on_progress=told.append)
    assert [(one.rows, one.total) for one in told] == [(100, 250), (200, 250), (250, 250)]
    assert told[-1].left == 0.0
    assert told[0].left is not None
    assert told[0].rate > 0
