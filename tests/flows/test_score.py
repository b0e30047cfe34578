"""`cellops score` as it is typed: killed and resumed, in several processes, on a cluster, and beside drift."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from cellops.errors import IntegrityError, UsageError
from cellops.flows.drift import drift
from cellops.flows.score import score
from cellops.monitoring import prediction_log
from cellops.records.batch import Scored
from support.batches import digests, package, table
from support.cluster import Cluster, cluster
from support.processes import started

ROWS = 40_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("trips"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trips, of which some break the rule of the package."""
    frame = table(ROWS)
    frame.loc[[10, 25_000], "distance"] = 9000.0
    path = tmp_path_factory.mktemp("rows") / "in.parquet"
    frame.to_parquet(path)
    return path


@pytest.fixture(scope="module")
def whole(model: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The digests of what a batch gives that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    done = score(model, rows, folder / "out.parquet", chunk_rows=500, on_bad="set-aside")
    assert isinstance(done, Scored)
    assert (done.chunks, done.report.answered, done.report.set_aside) == (80, ROWS - 2, 2)
    return digests(folder, "out")


def command(model: Path, rows: Path, output: Path, *more: str) -> list[str]:
    words = ["score", str(model), str(rows), str(output), "--chunk-rows", "500", "--on-bad", "set-aside", *more]
    return [sys.executable, "-m", "cellops", *words]


def test_whoever_scores_a_table_of_duckdb_reads_what_came_of_it_and_nothing_else(model: Path, project: Path) -> None:
    frame = table(20)
    with duckdb.connect(str(project / "trips.duckdb")) as connection:
        connection.execute("CREATE TABLE trips AS SELECT * FROM frame")
    words = [sys.executable, "-m", "cellops", "score", str(model), "trips.duckdb::trips", "out.csv"]
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len(pd.read_csv("out.csv")) == len(frame)
    assert f"Drift: cellops drift {model} out.csv.drift" in done.stdout


def wait_for_parts(folder: Path, count: int) -> None:
    while len(list(folder.glob("*.part"))) < count:
        time.sleep(0.002)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_batch_goes_on_and_gives_the_same_bytes(
    number: int, model: Path, rows: Path, whole: dict[str, str], project: Path
) -> None:
    output = project / "out.parquet"
    with started(command(model, rows, output), cwd=project, stderr=subprocess.PIPE, text=True) as process:
        wait_for_parts(project / "out.parquet.parts", 5)
        process.send_signal(number)
        _, said = process.communicate()
    assert not output.exists()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert "go on with --resume" in said
    done = score(model, rows, output, chunk_rows=500, on_bad="set-aside", resume=True)
    assert isinstance(done, Scored)
    assert 5 <= done.resumed < 80
    assert digests(project, "out") == whole


def test_several_processes_give_the_same_bytes_and_end_with_the_one_that_started_them(
    model: Path, rows: Path, whole: dict[str, str], project: Path
) -> None:
    import psutil

    with started(command(model, rows, project / "out.parquet", "--jobs", "2"), cwd=project) as process:
        wait_for_parts(project / "out.parquet.parts", 4)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
    assert len(children) >= 2
    assert not psutil.wait_procs(children, timeout=30)[1]
    done = score(model, rows, project / "out.parquet", chunk_rows=500, on_bad="set-aside", jobs=2, resume=True)
    assert isinstance(done, Scored)
    assert 4 <= done.resumed < 80
    assert digests(project, "out") == whole


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path / "cluster", 2) as made:
        yield made


def test_two_workers_of_a_cluster_give_the_same_bytes_though_one_is_lost(
    workers: Cluster, model: Path, rows: Path, whole: dict[str, str], project: Path
) -> None:
    killed = []

    def kill(_progress: object) -> None:
        if not killed:
            workers.workers[0].kill()
            killed.append(workers.workers[0].wait())

    done = score(
        model,
        rows,
        project / "out.parquet",
        chunk_rows=500,
        on_bad="set-aside",
        dask=workers.address,
        on_progress=kill,
    )
    assert killed
    assert isinstance(done, Scored)
    assert digests(project, "out") == whole


def test_drift_reads_what_a_batch_has_left(model: Path, rows: Path, project: Path) -> None:
    done = score(model, rows, project / "out.parquet", on_bad="set-aside")
    assert isinstance(done, Scored)
    assert done.drift_file is not None
    told, own = drift(model, done.drift_file).report, drift(model, rows).report
    assert told.windows[0].rows == own.windows[0].rows == ROWS
    seen = {column.column: (column.verdict, column.current) for column in told.windows[0].columns}
    assert seen == {column.column: (column.verdict, column.current) for column in own.windows[0].columns}
    with pytest.raises(UsageError, match="holds no times or labels"):
        drift(model, done.drift_file, time="hour")


def test_a_batch_in_the_prediction_log_is_there_once_however_often_it_is_scored(
    model: Path, rows: Path, project: Path
) -> None:
    for _ in range(2):
        done = score(model, rows, project / "out.parquet", on_bad="set-aside", log=project / "log", force=True)
    assert isinstance(done, Scored)
    logged, answers = prediction_log.read(project / "log"), pd.read_parquet(project / "out.parquet")
    assert logged["prediction_id"].tolist() == answers["prediction_id"].tolist()
    assert logged["label"].tolist() == answers["prediction"].tolist()
    assert set(logged["protocol"]) == {"batch"}
    assert drift(model, log=project / "log").report.windows[0].rows == ROWS - 2
    assert len(list((project / "log").rglob("*.parquet"))) == done.chunks


def test_what_cannot_be_is_refused_before_anything_is_written(model: Path, rows: Path, project: Path) -> None:
    with pytest.raises(UsageError, match=r"--jobs or --dask|processes of this machine"):
        score(model, rows, "out.csv", jobs=2, dask="tcp://127.0.0.1:1")
    with pytest.raises(UsageError, match="no such way with bad rows"):
        score(model, rows, "out.csv", on_bad="drop")
    with pytest.raises(UsageError, match="is not CSV, Parquet or JSON lines"):
        score(model, rows, "out.xlsx")
    with pytest.raises(UsageError, match="There is no folder"):
        score(model, rows, "nowhere/out.csv")
    with pytest.raises(UsageError, match="how a folder is watched"):
        score(model, rows, "out.csv", once=True)
    broken = project / "broken"
    subprocess.run(["cp", "-r", str(model), str(broken)], check=True)
    (broken / "contract" / "schema.json").write_text("{}")
    with pytest.raises(IntegrityError):
        score(broken, rows, "out.csv")
    pd.DataFrame({"other": [1]}).to_csv(project / "other.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-m", "cellops", "score", str(model), "other.csv", "out.csv"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "other.csv has no column carrier, distance, hour, night, which the model takes" in done.stderr
    assert not list(project.glob("out*"))
