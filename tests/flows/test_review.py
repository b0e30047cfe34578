"""Labels of reviewers, on real packages and logs."""

import csv
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from cellops.errors import InputError, NotFoundError, UsageError
from cellops.flows.review import queue, review
from cellops.flows.review_files import export_queue, import_labels
from cellops.flows.training_rows import training_rows
from cellops.monitoring.review_claims import WHILE_LOOKING, Claims
from cellops.records.contract import Personal
from support.reviews import labels_in, write_log
from support.served import MARKUP, build, declared

CHANCES = (0.99, 0.52, 0.55, 0.45, 0.58, 0.01)
"""Of benign; the rows wait in the order 1, 2, 3, 4."""


@pytest.fixture(scope="module")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("cancer", tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("diabetes", tmp_path_factory.mktemp("package"))


@pytest.fixture
def log(cancer: Path, tmp_path: Path) -> Path:
    return write_log(cancer, tmp_path / "log", CHANCES)


def begun(cancer, log, reviewer="Ada"):
    return review(cancer, log=log, sample=0, reviewer=reviewer)


def shown(state):
    return state.row and state.row.prediction_id


def test_labels_go_into_the_log_with_who_gave_them(cancer, log):
    with begun(cancer, log) as mine:
        state = mine.state()
        assert (shown(state), state.left) == ("p:1", 4)
        assert [(choice.label, choice.key) for choice in state.choices] == [("benign", "1"), ("malignant", "2")]
        assert [choice.probability for choice in state.choices] == pytest.approx([0.52, 0.48])
        assert shown(mine.label("malignant")) == "p:2"
        state = mine.skip()
        assert (shown(state), state.labelled, state.skipped, state.left) == ("p:3", 1, 1, 2)
    assert labels_in(log) == [("p:1", "malignant", "Ada")]
    again = begun(cancer, log)
    assert [shown(again.state()), again.state().left] == ["p:2", 3]
    again.finish()


def test_a_label_that_is_taken_back_leaves_no_trace(cancer, log):
    with begun(cancer, log) as mine:
        mine.label("malignant")
        state = mine.undo()
        assert (shown(state), state.row.before, state.labelled) == ("p:1", None, 0)
        mine.label("benign")
    assert labels_in(log) == [("p:1", "benign", "Ada")]


def test_a_label_that_was_kept_is_replaced(cancer, log):
    with begun(cancer, log) as mine:
        mine.label("malignant")
        mine.label("malignant")
        mine.undo()
        state = mine.undo()
        assert (shown(state), state.row.before) == ("p:1", "malignant")
        mine.label("benign")
        assert mine.finish().labelled == 1
    assert labels_in(log) == [("p:1", "malignant", "Ada"), ("p:1", "benign", "Ada")]
    assert queue(cancer, log=log).disagreements == ()


def test_no_two_reviewers_see_the_same_row(cancer, log):
    ada = begun(cancer, log)
    assert begun(cancer, log, "Bob").state().row is None
    assert [row.held_by for row in queue(cancer, log=log, sample=0, reviewer="Bob").rows] == ["Ada"] * 4
    ada.label("benign")
    ada.finish()
    bob = begun(cancer, log, "Bob")
    assert (shown(bob.state()), bob.state().left) == ("p:2", 3)
    bob.finish()


def test_a_label_that_came_meanwhile_is_not_asked_for_again(cancer, tmp_path):
    log = write_log(cancer, tmp_path / "log", [0.5 + row / 1000 for row in range(25)])
    mine = begun(cancer, log)
    file = tmp_path / "labels.csv"
    file.write_text("prediction_id,label\np:22,benign\n")
    import_labels(cancer, file, log=log, reviewer="Bob")
    seen = [shown(mine.state())]
    while (state := mine.skip()).row is not None:
        seen.append(shown(state))
    mine.finish()
    assert seen == [f"p:{row}" for row in range(25) if row != 22]


def test_a_label_that_is_none_is_refused_and_the_row_stays(cancer, log):
    with begun(cancer, log) as mine:
        with pytest.raises(InputError, match="The classes are benign, malignant"):
            mine.label("purple")
        assert shown(mine.state()) == "p:1"
    assert labels_in(log) == []


def test_numbers_are_labels_of_a_regression(diabetes, tmp_path):
    log = write_log(diabetes, tmp_path / "log", [100.0, 120.0], handled=[None, "imputed bmi"])
    with review(diabetes, log=log, sample=0, reviewer="Ada") as mine:
        assert "no probabilities" in mine.notes[0]
        assert mine.state().row.why == "imputed bmi"
        for wrong in ("many", "nan", "inf"):
            with pytest.raises(InputError, match="is a number"):
                mine.label(wrong)
        mine.label(" 12.5 ")
    assert labels_in(log) == [("p:1", 12.5, "Ada")]


def test_a_file_goes_out_and_comes_back(cancer, log, tmp_path):
    file = tmp_path / "april.csv"
    assert export_queue(cancer, file, log=log, sample=0, reviewer="Ada", limit=3).rows == 3
    assert begun(cancer, log, "Bob").state().left == 1
    with pytest.raises(UsageError, match="there already"):
        export_queue(cancer, file, log=log)
    rows = list(csv.DictReader(file.open(encoding="utf-8-sig")))
    assert [row["prediction_id"] for row in rows] == ["p:1", "p:2", "p:3"]
    rows[0]["label"], rows[2]["label"] = "benign", "malignant"
    with file.open("w", newline="") as written:
        # As a spreadsheet does where a comma divides decimals.
        writer = csv.DictWriter(written, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    done = import_labels(cancer, file, log=log, reviewer="Ada")
    assert (done.labelled, done.skipped, done.already) == (2, 1, 0)
    again = import_labels(cancer, file, log=log, reviewer="Ada")
    assert (again.labelled, again.already) == (0, 2)
    assert labels_in(log) == [("p:1", "benign", "Ada"), ("p:3", "malignant", "Ada")]


def test_a_file_with_a_wrong_line_is_refused_as_a_whole(cancer, log, tmp_path):
    file = tmp_path / "april.csv"
    file.write_text("prediction_id,label\np:1,benign\nnever:7,benign\np:2,purple\np:1,malignant\n")
    with pytest.raises(InputError, match="nothing of it: line 3: never:7 is no prediction of cancer") as refused:
        import_labels(cancer, file, log=log, reviewer="Ada")
    assert refused.value.data["rows"] == [3, 4, 5]
    assert labels_in(log) == []


def test_formulas_in_a_log_are_text_in_a_spreadsheet(tmp_path):
    hostile = build("hostile", tmp_path / "package")
    log = write_log(hostile, tmp_path / "log", [0.5], **{MARKUP: "=HYPERLINK(1)"})
    file = tmp_path / "out.csv"
    export_queue(hostile, file, log=log, sample=0)
    (row,) = csv.DictReader(file.open(encoding="utf-8-sig"))
    assert row[MARKUP] == "'=HYPERLINK(1)"


def test_reviewers_who_disagree_are_told(cancer, log, tmp_path):
    with begun(cancer, log) as mine:
        mine.label("benign")
    file = tmp_path / "bob.csv"
    file.write_text("prediction_id,label\np:1,malignant\n")
    (told,) = import_labels(cancer, file, log=log, reviewer="Bob").disagreements
    assert (told.prediction_id, told.labels) == ("p:1", {"Ada": "benign", "Bob": "malignant"})
    found = queue(cancer, log=log, sample=0)
    assert found.disagreements == (told,)
    assert (found.waiting, found.labelled, found.reviewed) == (3, 1, {"Bob": 1})


def test_labelled_rows_are_rows_of_the_next_training(cancer, log, tmp_path):
    with pytest.raises(InputError, match="has a label yet"):
        training_rows(cancer, tmp_path / "rows.parquet", log=log)
    with begun(cancer, log) as mine:
        mine.label("benign")
        mine.label("malignant")
    file = tmp_path / "bob.csv"
    file.write_text("prediction_id,label\np:1,malignant\n")
    import_labels(cancer, file, log=log, reviewer="Bob")
    written = training_rows(cancer, tmp_path / "rows.parquet", log=log)
    assert (written.rows, written.reviewed, written.disputed) == (2, 2, 1)
    rows = pd.read_parquet(written.path)
    assert rows["diagnosis"].tolist() == ["malignant", "malignant"]
    assert rows["review.disputed"].tolist() == [True, False]
    assert rows["review.reviewer"].tolist() == ["Bob", "Ada"]
    assert rows["mean radius"].dtype == "float64"
    with pytest.raises(UsageError, match="neither a Parquet nor a CSV"):
        training_rows(cancer, tmp_path / "rows.xlsx", log=log)


def test_personal_columns_are_not_told_and_said_to_be_missing(cancer, tmp_path):
    columns = {"mean radius": Personal.DROP, "mean area": Personal.HASH}
    package = declared(cancer, tmp_path, **columns)
    log = write_log(package, tmp_path / "log", [0.5], key=b"a key of the operator")
    with begun(package, log) as mine:
        told = {each.name: (each.value, each.note) for each in mine.state().row.inputs}
        assert told["mean radius"] == (None, "personal: not logged")
        assert told["mean area"] == (None, "personal: only its hash is logged")
        assert told["mean texture"][0] is not None
        mine.label("benign")
    written = training_rows(package, tmp_path / "rows.csv", log=log)
    assert written.notes == ("Personal columns are not in clear in the log, so the rows lack mean radius, mean area",)
    assert "mean radius" not in pd.read_csv(written.path)


def test_what_cannot_be_reviewed_is_refused(cancer, log, tmp_path):
    with pytest.raises(NotFoundError, match="no prediction log"):
        review(cancer, log=tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match="no package nothing, and no registered model"):
        review("nothing", log=log)
    with pytest.raises(UsageError, match="share from 0 to 1"):
        review(cancer, log=log, below=60)
    with pytest.raises(UsageError, match="printable"):
        review(cancer, log=log, reviewer="A\x1b[2J")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no columns prediction_id and label"):
        import_labels(cancer, wrong, log=log)


def test_where_everything_has_a_label_nothing_waits(cancer, tmp_path):
    log = write_log(cancer, tmp_path / "log", (0.52, 0.99))
    file = tmp_path / "all.csv"
    file.write_text("prediction_id,label\np:0,benign\np:1,malignant\n")
    import_labels(cancer, file, log=log, reviewer="Ada")
    with begun(cancer, log) as mine:
        assert (mine.state().row, mine.state().left) == (None, 0)
        with pytest.raises(UsageError, match="queue is done"):
            mine.skip()
    found = queue(cancer, log=log, sample=0.5)
    assert (found.waiting, found.rows, found.labelled) == (0, (), 2)


def test_rows_of_a_long_pause_may_be_anothers(cancer, log, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("cellops.flows.review_log.Claims", partial(Claims, now=lambda: now[0]))
    ada = begun(cancer, log)
    now[0] += WHILE_LOOKING + 1
    bob = begun(cancer, log, "Bob")
    assert shown(bob.state()) == "p:1"
    assert ada.label("benign").row is None
    ada.finish()
    bob.finish()
