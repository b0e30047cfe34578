"""From a run to a package, to drift without reference data."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellops.errors import InputError, IntegrityError, NotFoundError, PackageError, UsageError
from cellops.flows.drift import drift
from cellops.flows.execute import execute
from cellops.flows.package import package
from support.notebooks import LOAD, PARAMETERS, TRAIN, write

EXPECT = """%%mlops expect table
expect_column_values_to_be_in_set("kind", ["a", "b", "c"])
expect_column_values_to_be_between("size", -9, 9, action="impute", default="median")
expect_column_values_to_be_in_set("late", [0, 1], action="impute", default=0)
expect_column_values_to_not_be_null("late")
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one trained run and its package."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / ".cellops").mkdir()
    prepare = "import pandas as pd\ntable = pd.DataFrame({'size': [1.0], 'kind': ['a'], 'late': [0]})"
    notebook = write(
        folder / "train.ipynb", LOAD, PARAMETERS, prepare, EXPECT, TRAIN, "%%mlops run --name bare\nx = 1 / 2"
    )
    from cellops import settings

    held = settings.load(folder)
    execute(notebook, settings=held)
    package("trained", output=folder / "model", settings=held)
    return folder


@pytest.fixture
def inside(trained: Path, project: Path) -> Path:
    """A copy of that project, to work in."""
    shutil.copytree(trained / "model", project / "model")
    return project


def test_a_package_carries_its_contract_and_where_it_comes_from(inside: Path) -> None:
    held = {path.relative_to(inside / "model").as_posix() for path in (inside / "model").rglob("*") if path.is_file()}
    assert held >= {"MLmodel", "model.skops", "contract/profile.json", "environment/lock.txt", "manifest.json"}
    provenance = json.loads((inside / "model" / "provenance.json").read_text())
    assert provenance["notebook"] == "train.ipynb"
    suite = json.loads((inside / "model" / "contract" / "suite.json").read_text())["expectations"]
    # A rule on what is predicted goes with the package where it says what a server does.
    assert [rule["columns"] for rule in suite] == [["kind"], ["size"], ["late"]]
    assert type(suite[1]["default"]) is float
    lock = (inside / "model" / "environment" / "lock.txt").read_text()
    assert "scikit-learn==" in lock
    assert "://" not in lock


def test_the_same_run_as_onnx(inside: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cellops import screens, settings

    built = package("trained", output=inside / "onnx", format="onnx", settings=settings.load(trained))
    assert (built.provenance.model_format, built.findings) == ("onnx", ())
    assert built.provenance.conversion is not None
    assert built.provenance.conversion.difference < 1e-6
    assert "onnxruntime==" in (inside / "onnx" / "environment" / "lock.txt").read_text()
    screens.package(built)
    assert "onnx in float64, from skops; answers within" in capsys.readouterr().out
    with pytest.raises(UsageError, match="no such format"):
        package("trained", format="tensorflow", settings=settings.load(trained))


def test_a_package_holds_no_reference_rows_but_those_of_parity_and_background(inside: Path) -> None:
    """What drift is told against is the profile: no other file could hold rows, and each part is small."""
    files = {path.relative_to(inside / "model") for path in (inside / "model").rglob("*") if path.is_file()}
    contract = {path.stem for path in files if path.parts[0] == "contract"}
    told = {"schema", "profile", "suite", "performance", "output", "importance", "groups"}
    assert contract <= told | {"parity", "background"}
    assert {path.suffix for path in files} <= {".json", ".txt", ".skops", ".yaml", ".yml", ".toml", ".py", ""}
    parity = json.loads((inside / "model" / "contract" / "parity.json").read_text())
    assert len(parity["labels"]) <= 20
    background = json.loads((inside / "model" / "contract" / "background.json").read_text())
    assert {len(values) for values in background["inputs"].values()} == {100}
    profile = json.loads((inside / "model" / "contract" / "profile.json").read_text())
    kept = [column["sketch"] for column in profile["columns"] if column.get("sketch")]
    assert kept
    assert all(len(sketch["values"]) <= 2_048 for sketch in kept)


def test_the_contract_says_how_much_the_answers_hang_on_each_input_and_the_rows_for_it_are_gone(
    inside: Path, trained: Path
) -> None:
    shares = json.loads((inside / "model" / "contract" / "importance.json").read_text())
    assert set(shares) == {
        field["name"] for field in json.loads((inside / "model/contract/schema.json").read_text())["inputs"]
    }
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert not list((trained / ".cellops").rglob("*.rows"))


def test_packaging_again_under_the_same_name_gives_the_same_package(trained: Path) -> None:
    from cellops import settings

    again = package("trained", output=trained / "elsewhere", name="model", settings=settings.load(trained))

    def held(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert held(Path(again.path)) == held(trained / "model")


NEVER = {"mlflow", "torch", "dask", "matplotlib", "IPython", "pytest", "jinja2", "polars", "distributed", "uvicorn"}
"""What takes long to import and is not needed to package a run of the local store."""


def test_another_process_gives_the_same_bytes_and_imports_no_mlflow(trained: Path) -> None:
    code = "import sys; from cellops.flows.package import package; from pathlib import Path;"
    code += "package('trained', output=Path('elsewhere/model')); print(*sys.modules)"
    env = os.environ | {"PYTHONHASHSEED": "42", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=trained, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not NEVER & {name.partition(".")[0] for name in done.stdout.split()}
    first, again = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (trained / "model", trained / "elsewhere" / "model")
    )
    assert first == again


STOPPED = """
import os, signal, sys
from pathlib import Path
from cellops.flows.package import package
from cellops.packaging import build
build.replay = lambda *_: os.kill(os.getpid(), signal.SIGTERM)
package("trained", output=Path(sys.argv[1], "again"))
"""


def test_a_package_that_is_stopped_in_the_middle_leaves_nothing(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    surroundings = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    command = [sys.executable, "-c", STOPPED, tmp_path]
    done = subprocess.run(command, cwd=trained, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["temporary"]


def test_a_disk_of_temporary_files_that_is_full_is_one_line(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cellops.flows.package.in_format", full)
    monkeypatch.chdir(trained)
    with pytest.raises(PackageError, match=r"No space left.* set TMPDIR"):
        package("trained", output=tmp_path / "again", format="onnx")


def test_packages_of_runs_of_one_name_are_versions_of_one_model(trained: Path) -> None:
    from cellops import settings

    held = settings.load(trained)
    built = package("trained", settings=held)
    assert (built.manifest.name, Path(built.path).parent) == ("trained", held.folder / "packages")
    with pytest.raises(PackageError, match="Call it a-b"):
        package("trained", output=trained / "third", name="a/b", settings=held)
    assert not (trained / "third").exists()


def test_a_run_without_a_model_or_no_run_at_all_is_a_clear_error(trained: Path, project: Path) -> None:
    from cellops import settings

    with pytest.raises(PackageError, match="has no model"):
        package("bare", settings=settings.load(trained))
    with pytest.raises(NotFoundError, match="Did you mean trained"):
        package("traned", settings=settings.load(trained))
    with pytest.raises(NotFoundError):
        package("last", settings=settings.load(project))


def data(rows: int = 2000, shift: float = 0.0) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    size = generator.normal(size=rows) + shift
    times = pd.date_range("2024-01-01", periods=rows, freq="h")
    late = (size + generator.normal(size=rows) > 0).astype(int)
    return pd.DataFrame(
        {"size": size, "kind": generator.choice(["a", "b", "c"], size=rows), "late": late, "time": times}
    )


def test_drift_needs_no_reference_and_finds_what_moved(inside: Path) -> None:
    later = data()
    later.loc[later["time"] >= "2024-02-01", "size"] += 2.0
    later.to_parquet("later.parquet")
    done = drift("model", "later.parquet", time="time")
    verdicts = {w.label: {c.column: c.verdict.value for c in w.columns} for w in done.report.windows}
    assert verdicts["2024-01"] == {"size": "stable", "kind": "stable"}
    assert verdicts["2024-02"] == {"size": "major", "kind": "stable"}
    assert done.report.windows[0].performance is not None
    assert Path(done.page).read_text().startswith("<!")
    assert json.loads(Path(done.data).read_text())["windows"][1]["label"] == "2024-02"


def test_drift_says_what_is_wrong_with_its_input(inside: Path) -> None:
    with pytest.raises(UsageError, match="--log"):
        drift("model")
    with pytest.raises(NotFoundError):
        drift("model", "nowhere.csv")
    Path("notes.txt").write_text("size")
    with pytest.raises(InputError, match="neither CSV nor Parquet"):
        drift("model", "notes.txt")
    data().to_csv("later.csv", index=False)
    with pytest.raises(InputError, match="Did you mean time"):
        drift("model", "later.csv", time="tme")
    with pytest.raises(InputError, match="no column lat"):
        drift("model", "later.csv", label="lat")
    with pytest.raises(InputError, match="size is an input of the model"):
        drift("model", "later.csv", label="size")


def test_a_report_that_cannot_be_written_is_refused_before_the_data_are_read(inside: Path) -> None:
    Path("taken").write_text("")
    with pytest.raises(UsageError, match="cannot be written to taken/deeper: taken is no folder"):
        drift("model", "nowhere.csv", output=Path("taken/deeper"))
    data().to_csv("later.csv", index=False)
    Path("reports/drift.json").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be written to reports"):
        drift("model", "later.csv", output=Path("reports"))


def test_where_labels_alone_went_wrong_no_column_is_blamed(inside: Path) -> None:
    wrong = data()
    wrong["late"] = 1 - wrong["late"]
    wrong.to_parquet("wrong.parquet")
    done = drift("model", "wrong.parquet")
    assert done.unexplained == ("all",)
    assert done.leading == ()
    data().to_parquet("right.parquet")
    assert drift("model", "right.parquet").unexplained == ()


def test_a_csv_file_is_judged_as_the_same_rows_in_parquet(inside: Path) -> None:
    later = data(shift=0.5)
    later.to_parquet("later.parquet")
    later.assign(late=later["late"].astype(float)).to_csv("later.csv", index=False)
    read = [drift("model", name, time="time").report for name in ("later.parquet", "later.csv")]
    assert read[0].windows == read[1].windows
    assert read[0].windows[0].performance is not None


def test_a_label_under_another_name_is_taken_and_said(inside: Path) -> None:
    data().rename(columns={"late": "truth"}).to_csv("later.csv", index=False)
    report = drift("model", "later.csv", label="truth").report
    assert [finding.code for finding in report.findings] == ["label-not-target"]
    assert report.windows[0].labelled_rows == 2000


def test_one_bad_cell_is_named_and_costs_one_row(inside: Path) -> None:
    later = data().astype({"size": object})
    later.loc[17, "size"] = "abc"
    later.to_csv("later.csv", index=False)
    report = drift("model", "later.csv").report
    bad, unscored = report.findings
    assert (bad.where, bad.seen.partition(";")[0]) == ("column size, row 17", "'abc' is not a number")
    assert unscored.where == "column size"
    assert unscored.seen == "the model cannot answer 1 of 2000 rows, for there a value is missing"
    (window,) = report.windows
    assert (window.rows, window.labelled_rows) == (2000, 1999)
    assert next(column for column in window.columns if column.column == "size").current.missing == 1


def test_windows_that_cannot_be_scored_are_one_finding_and_the_rest_is_compared(inside: Path) -> None:
    later = data().drop(columns="kind")
    later.to_csv("later.csv", index=False)
    report = drift("model", "later.csv", time="time").report
    (finding,) = report.findings
    assert (finding.code, finding.where) == ("window-not-scored", "windows 2024-01, 2024-02, 2024-03")
    first = {column.column: column for column in report.windows[0].columns}
    assert first["size"].result("psi") is not None
    assert first["kind"].finding is not None


def test_a_file_of_something_else_is_named_as_that(inside: Path) -> None:
    data().to_csv("semi.csv", index=False, sep=";")
    with pytest.raises(InputError, match=r"semi\.csv has none of the model's columns size, kind.* needs commas"):
        drift("model", "semi.csv")
    assert not (inside / ".cellops" / "drift").exists()


def test_reports_of_different_data_do_not_replace_each_other(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cellops import screens

    data().to_parquet("later.parquet")
    data().to_csv("later.csv", index=False)
    first, other = drift("model", "later.parquet"), drift("model", "later.csv")
    assert Path(first.page).parent != Path(other.page).parent
    screens.drift(other)
    assert "in place of" not in capsys.readouterr().out
    screens.drift(drift("model", "later.csv"))
    assert "in place of the one that was there" in capsys.readouterr().out


def test_drift_without_an_input_column_writes_the_report_and_ends_with_1(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cellops.cli import main

    data().drop(columns="kind").to_csv("later.csv", index=False)
    with pytest.raises(SystemExit) as left:
        main(["drift", "model", "later.csv"])
    told = capsys.readouterr()
    assert left.value.code == 1
    assert "missing or unreadable: kind" in told.out
    assert "The report is incomplete" in told.err
    assert (inside / ".cellops" / "drift" / "model" / "later.csv" / "drift.html").exists()


def test_the_table_marks_every_figure_that_is_worse_and_prints_no_endless_number(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cellops import screens

    wrong = data()
    wrong["late"] = 1 - wrong["late"]
    wrong.to_parquet("wrong.parquet")
    done = drift("model", "wrong.parquet")
    screens.drift(done)
    assert capsys.readouterr().out.count("▼") == len(done.report.windows[0].worse) > 2
    (window,) = done.report.windows
    (first, *others) = window.performance.measures
    huge = window.performance.replace(measures=(first.replace(value=1e300, low=-1e299, high=2e300), *others))
    screens.drift(done.replace(report=done.report.replace(windows=(window.replace(performance=huge),))))
    assert "1e+300 (-1e+299 to 2e+300)" in capsys.readouterr().out


def test_an_alarm_stops_only_those_who_ask_for_it(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cellops.cli import main

    data().to_parquet("same.parquet")
    data(shift=3.0).to_parquet("moved.parquet")
    for name, options, code in (
        ("same.parquet", ["--fail-on-alarm"], None),
        ("moved.parquet", [], None),
        ("moved.parquet", ["--fail-on-alarm"], 3),
        ("moved.parquet", ["--statistics", "wassersten"], 2),
        ("moved.parquet", ["--alarm-rate", "1"], 2),
    ):
        left = _code(lambda name=name, options=options: main(["drift", "model", name, *options]))
        assert left == code, (name, options)
    told = capsys.readouterr()
    assert "Drift is an alarm in all: size" in told.err
    assert "Did you mean wasserstein" in told.err
    assert "the mean went from" in told.out


def _code(work: Callable[[], None]) -> object:
    try:
        work()
    except SystemExit as left:
        return left.code
    return None


def test_the_rate_of_alarms_and_the_statistics_are_the_ones_asked_for(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data().to_parquet("later.parquet")
    given = drift("model", "later.parquet", alarm_rate=0.2, statistics="all").report
    monkeypatch.setenv("CELLOPS_ALARM_RATE", "0.1")
    usual = drift("model", "later.parquet").report
    assert (given.alarm_rate, usual.alarm_rate) == (0.2, 0.1)
    assert given.windows[0].alarm.level == pytest.approx(2 * usual.windows[0].alarm.level)
    many, few = ({r.statistic for r in report.windows[0].columns[0].results} for report in (given, usual))
    assert many > few > {"psi", "chi_squared"}


def test_a_changed_byte_is_refused(inside: Path) -> None:
    path = inside / "model" / "contract" / "profile.json"
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(bytes(content))
    data().to_csv("later.csv", index=False)
    with pytest.raises(IntegrityError, match=r"profile\.json"):
        drift("model", "later.csv")
    assert not (inside / ".cellops" / "drift").exists()


def test_the_table_and_the_page_count_alike_and_say_where_nothing_was_judged(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cellops import screens

    data(shift=0.4).to_parquet("later.parquet")
    done = drift("model", "later.parquet")
    screens.drift(done)
    shown = capsys.readouterr().out
    drifted = sum(column.verdict.drifted for column in done.report.windows[0].columns)
    assert f" {drifted} of 2 " in shown
    assert f"{drifted} of 2 input columns drifted" in shown
    assert done.headline in Path(done.page).read_text()
    data(rows=50).drop(columns="kind").to_parquet("few.parquet")
    screens.drift(drift("model", "few.parquet"))
    shown = capsys.readouterr().out
    assert "too few rows" in shown
    assert "The model could not answer the rows" in shown
    assert shown.count("Column kind is missing") == 1


def test_a_package_of_a_name_that_several_runs_bear_says_which_it_took(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cellops import screens, settings

    held = settings.load(trained)
    again = write(trained / "again.ipynb", LOAD, "%%mlops run --name trained\nx = 1 / 2")
    first = package("trained", output=trained / "first", settings=held)
    assert first.alike == 1
    execute(again, settings=held)
    with pytest.raises(PackageError, match="has no model"):
        package("trained", output=trained / "second", settings=held)
    chosen = package(first.run.run, output=trained / "third", settings=held)
    screens.package(chosen.replace(alike=2))
    assert f"trained {first.run.run[:8]}, the newest of 2 runs of that name" in capsys.readouterr().out
