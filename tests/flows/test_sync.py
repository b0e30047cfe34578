"""Records reach MLflow once, whatever happens to kernel, writer and server on the way."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops import settings
from cellops.capture.journal import Journal, path_of
from cellops.capture.lease import Lease, lease_of
from cellops.errors import TrackingError
from cellops.flows import progress
from cellops.flows import sync as flow
from cellops.flows.progress import read_progress
from cellops.flows.runs import runs, show
from cellops.records.figure import FigureSpool
from cellops.records.run import NotebookExecuted, RunClosed, RunOpened, RunStatus, SessionOpened
from support.journals import key, run, session
from support.kernel import Kernel
from support.server import free_port, mlflow_server

TRAIN = """%%mlops run --name trained --seed 5
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
X = pd.DataFrame({"size": np.random.normal(size=400), "kind": np.random.randint(0, 3, 400)})
y = (X["size"] + np.random.normal(size=400) > 0).astype(int)
strength = 0.5
model = LogisticRegression(C=strength).fit(X, y)
auc = roc_auc_score(y, model.predict_proba(X)[:, 1])
"""


def kill(kernel: Kernel) -> None:
    process = kernel.manager.provisioner.process  # type: ignore[union-attr]
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_run_is_in_mlflow_with_all_that_it_left(loaded: Kernel) -> None:
    assert loaded.run("%%mlops parameters\nmonths = [1, 2]").status == "ok"
    assert loaded.run(TRAIN).status == "ok"
    result = flow.sync()
    assert (result.journals, result.runs) == (1, 1)
    run = show("trained")
    assert run.status is RunStatus.FINISHED
    assert run.synced
    assert run.metrics["auc"] > 0.7
    assert run.parameters["strength"] == "0.5"
    assert run.parameters["months"] == "[1, 2]"
    assert run.parameters["model.C"] == "0.5"
    assert run.seed == 5
    assert list(run.models) == ["model"]

    import mlflow

    client = mlflow.MlflowClient(settings.load().tracking_uri)
    held = {item.path for item in client.list_artifacts(run.mlflow_run_id, "cellops")}
    expected = {
        "record.json",
        "trail.jsonl",
        "environment.json",
        "lock.txt",
        "data.json",
        "findings.json",
        "contract.json",
    }
    assert {f"cellops/{name}" for name in expected} <= held
    inputs = client.get_run(run.mlflow_run_id).inputs.dataset_inputs
    assert {(i.dataset.name, i.tags[0].value) for i in inputs} >= {("X", "training"), ("y", "training")}
    mlflow.set_tracking_uri(settings.load().tracking_uri)
    assert mlflow.sklearn.load_model(run.models["model"]).C == 0.5


def test_carrying_twice_gives_one_run(loaded: Kernel) -> None:
    loaded.run("%%mlops run --name once\nvalue = 2 ** 0.5")
    flow.sync()
    for held in (loaded.project / ".cellops" / "journal").glob("*.progress"):
        held.unlink()
    flow.sync()
    found = [run for run in runs() if run.name == "once"]
    assert len(found) == 1
    assert found[0].metrics == {"value": pytest.approx(2**0.5)}


def test_a_killed_kernel_loses_no_closed_record_and_its_open_run_ends_as_killed(loaded: Kernel) -> None:
    loaded.run("%%mlops run --name closed\nvalue = 1 / 4")
    loaded.send("%%mlops run --name open\nprint('begun', flush=True)\nwhile True: pass")
    loaded.wait_for_output("begun")
    assert {run.name: run.status for run in runs()} == {"closed": RunStatus.FINISHED, "open": RunStatus.RUNNING}
    kill(loaded)
    assert {run.name: run.status for run in runs()} == {"closed": RunStatus.FINISHED, "open": RunStatus.KILLED}
    assert flow.sync().killed == 1
    assert {run.name: (run.status, run.synced) for run in runs()} == {
        "closed": (RunStatus.FINISHED, True),
        "open": (RunStatus.KILLED, True),
    }
    assert flow.sync().journals == 0


@pytest.fixture
def writing(project: Path) -> Iterator[Kernel]:
    started = Kernel(project, {})
    try:
        yield started
    finally:
        started.stop()


def test_the_background_writer_carries_a_run_while_the_kernel_lives(writing: Kernel) -> None:
    writing.run("%load_ext cellops")
    writing.run("%%mlops run --name live\nvalue = 3 / 4")
    writing.client.stop_channels()
    writing.manager.shutdown_kernel()
    journal = next((writing.project / ".cellops" / "journal").glob("*.jsonl"))
    assert flow.sync().journals <= 1
    assert read_progress(journal).done
    assert show("live").metrics == {"value": 0.75}


def test_an_unreachable_server_costs_nothing_and_is_caught_up(project: Path) -> None:
    port = free_port()
    (project / "pyproject.toml").write_text(
        f'[tool.cellops]\ntracking_uri = "http://127.0.0.1:{port}"\nwriter = false\n'
    )
    started = Kernel(project, {})
    try:
        started.run("%load_ext cellops")
        assert started.run("%%mlops run --name patient\nvalue = 0.5 + 0.25").status == "ok"
    finally:
        started.stop()
    done = subprocess.run([sys.executable, "-m", "cellops", "sync"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "did not answer" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    local = runs()
    assert [(run.name, run.synced) for run in local] == [("patient", False)]
    assert local[0].findings[-1].code == "store-unreachable"
    with mlflow_server(project, port):
        assert flow.sync().runs == 1
        run = show("patient")
        assert (run.status, run.synced, run.metrics) == (RunStatus.FINISHED, True, {"value": 0.75})


def test_a_line_that_was_torn_or_comes_from_a_newer_version_is_passed_over(project: Path) -> None:
    journal = Journal(project / ".cellops" / "journal", "s")
    journal.append(SessionOpened(session="s", pid=2**22 + 1, started=0.0, version="0", project=str(project)))
    journal.append(RunOpened(run="r" * 32, session="s", name="torn", started=1.0, order=1))
    with journal.path.open("ab") as file:
        file.write(json.dumps({"event": "of-tomorrow"}).encode() + b"\n")
    journal.append(RunClosed(run="r" * 32, status=RunStatus.FINISHED, ended=2.0, metrics={"a": 1.0}))
    with journal.path.open("ab") as file:
        file.write(b'{"event":"run-opened","ru')
    flow.sync()
    assert [(run.name, run.metrics) for run in runs()] == [("torn", {"a": 1.0})]


def test_a_bad_tracking_address_is_one_clear_error(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_TRACKING_URI", "sqlite:////proc/nowhere/mlflow.db")
    journal = Journal(project / ".cellops" / "journal", "s")
    journal.append(RunOpened(run="r" * 32, session="s", name="kept", started=1.0, order=1))
    with pytest.raises(TrackingError, match="did not answer"):
        flow.refuse(flow.sync())


def test_nothing_is_left_in_the_environment(loaded: Kernel) -> None:
    loaded.run(TRAIN)
    before = dict(os.environ)
    flow.sync()
    left = {name for name in os.environ if name not in before}
    assert left <= {"MLFLOW_DISABLE_TELEMETRY", "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"} | {
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
    }


def test_a_journal_that_cannot_be_carried_keeps_no_other_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    for number in range(2):
        session(project, f"dead-{number}", *run(f"dead-{number}"), store=dead)
    session(project, "here", *run("here"), store=settings.LOCAL)
    result = flow.sync()
    assert (result.journals, result.runs) == (1, 1)
    assert [found.where for found in result.findings] == [f"tracking store {dead}"]
    assert "cellops sync --here" in result.findings[0].remedy
    with pytest.raises(TrackingError, match=dead):
        flow.refuse(result)
    assert {known.name: known.synced for known in runs()} == {"here": True, "dead-0": False, "dead-1": False}
    assert flow.sync(here=True).runs == 2
    assert flow.sync() == flow.SyncResult(journals=0, runs=0, killed=0)


def test_each_thing_that_could_not_be_carried_has_its_line(project: Path) -> None:
    stores = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    for number, store in enumerate(stores):
        session(project, f"s{number}", *run(f"r{number}"), store=store)
    done = subprocess.run([sys.executable, "-m", "cellops", "sync"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    for store in stores:
        assert store in done.stderr
        assert sum(f"error tracking store {store}: " in line for line in done.stdout.splitlines()) == 1


def test_records_go_to_the_store_for_which_they_were_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meant = f"sqlite:///{project / 'meant.db'}"
    session(project, "meant", *run("meant"), store=meant)
    session(project, "local", *run("local"), store=settings.LOCAL)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project / 'third.db'}")
    assert flow.sync().runs == 2
    assert runs() == []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", meant)
    assert [known.name for known in runs()] == ["meant"]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert [known.name for known in runs()] == ["local"]


def test_a_session_records_its_store_without_credentials(project: Path) -> None:
    started = Kernel(project, {"CELLOPS_WRITER": "false", "MLFLOW_TRACKING_URI": "http://user:s3cr3t@127.0.0.1:9"})
    try:
        started.run("%load_ext cellops")
        assert isinstance(opened := started.events()[0], SessionOpened)
        assert opened.store == "http://127.0.0.1:9"
    finally:
        started.stop()


def test_a_run_whose_opening_cannot_be_read_is_kept(project: Path) -> None:
    _opened, *rest = run("torn", metrics={"auc": 0.5})
    session(project, "s", *rest, *run("whole"))
    assert flow.sync().runs == 2
    torn, whole = sorted(runs(), key=lambda known: known.name != key("torn")[:8])
    assert (torn.metrics, torn.status) == ({"auc": 0.5}, RunStatus.FINISHED)
    assert [finding.code for finding in torn.findings] == ["opening-not-read"]
    assert whole.name == "whole"


def test_what_was_known_before_the_cell_remains_of_a_killed_run(project: Path) -> None:
    opened, *_ = run("long")
    path = session(project, "s", opened.replace(parameters={"depth": 3}))
    os.utime(path, (5.0, 5.0))
    local = show("long")
    assert (local.status, local.parameters, local.ended) == (RunStatus.KILLED, {"depth": 3}, 5.0)
    assert flow.sync().killed == 1
    carried = show("long")
    assert (carried.status, carried.parameters, carried.ended) == (RunStatus.KILLED, {"depth": "3"}, 5.0)
    assert [finding.code for finding in carried.findings] == ["kernel-gone"]


def test_a_writer_knows_how_long_a_killed_run_lasted(writing: Kernel) -> None:
    writing.run("%load_ext cellops")
    writing.send("%%mlops run --name long\ndepth = 3\nprint('begun', flush=True)\nwhile True: pass")
    writing.wait_for_output("begun")
    journal = next((writing.project / ".cellops" / "journal").glob("*.jsonl"))
    while not read_progress(journal).open:
        os.sched_yield()
    before = journal.stat().st_mtime
    kill(writing)
    while not read_progress(journal).done:
        os.sched_yield()
    (known,) = runs()
    assert (known.status, known.parameters) == (RunStatus.KILLED, {"depth": "3"})
    assert known.ended is not None
    assert known.ended > before


def test_a_session_that_has_just_begun_is_not_taken_for_one_that_ended(project: Path) -> None:
    folder = project / ".cellops" / "journal"
    lease = Lease(lease_of(path_of(folder, "s")))
    assert flow.sync().journals == 0
    path = Journal(folder, "s", SessionOpened(session="s", pid=1, started=0.0, version="0", project="")).path
    assert not flow.sync().findings
    assert not read_progress(path).done
    lease.release()
    flow.sync()
    assert read_progress(path).done


def test_reading_the_files_of_the_project_in_the_kernel_loses_no_later_run(loaded: Kernel) -> None:
    loaded.run("%%mlops run --name first\nvalue = 3 / 4")
    loaded.run("from pathlib import Path\nsizes = [len(p.read_bytes()) for p in Path().rglob('*') if p.is_file()]")
    flow.sync()
    loaded.run("%%mlops run --name second\nvalue = 3 / 4")
    flow.sync()
    assert {found.name for found in runs() if found.synced} == {"first", "second"}


def test_a_journal_that_has_grown_since_it_was_done_is_carried_on(project: Path) -> None:
    path = session(project, "s", *run("first"))
    with path.open("ab") as file:
        file.write(b'{"event": "torn')
    flow.sync()
    assert read_progress(path).done
    with path.open("ab") as file:
        file.write(b"\n" + b"".join(event.to_json() + b"\n" for event in run("second")))
    assert not read_progress(path).done
    flow.sync()
    assert read_progress(path).done
    assert {found.name for found in runs() if found.synced} == {"first", "second"}


def test_a_model_of_a_module_beside_a_notebook_in_a_folder_is_logged(loaded: Kernel) -> None:
    folder = loaded.project / "notebooks"
    folder.mkdir()
    (folder / "own_models.py").write_text(
        "from sklearn.linear_model import LinearRegression as Own\nclass Mine(Own): pass"
    )
    loaded.run("%cd -q notebooks\nimport sys; sys.path.insert(0, '')\nfrom own_models import Mine")
    loaded.run("%%mlops run --name own\nmodel = Mine().fit([[0.0], [1.0]], [0, 1])")
    flow.sync()
    assert list(show("own").models) == ["model"]


def test_a_journal_that_git_tracks_is_refused_and_keeps_no_other_back(project: Path) -> None:
    session(project, "foreign", *run("foreign"))
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "--force", ".cellops/journal/foreign.jsonl"], check=True)
    session(project, "own", *run("own"))
    result = flow.sync()
    assert result.runs == 1
    assert ["tracked by git" in finding.seen for finding in flow.errors_of(result)] == [True]


def test_what_is_no_journal_stops_nothing(project: Path) -> None:
    path = session(project, "s", *run("first"))
    (path.parent / "b.jsonl").mkdir()
    (path.parent / "c.jsonl").symlink_to("nowhere")
    assert [found.name for found in runs()] == ["first"]
    assert flow.sync().runs == 1


def test_the_writer_carries_to_the_store_that_the_session_recorded(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = session(project, "s", *run("first"), store="local")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/other.db")
    flow.follow(path, settings.load())
    assert read_progress(path).store == "local"
    assert not (project / "other.db").exists()


def test_a_run_is_found_by_its_key_however_many_newer_ones_there_are(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cellops.flows.runs.NEWEST", 2)
    monkeypatch.setattr("cellops.tracking.store.PAGE", 2)
    names = ["oldest", "b", "c", "d"]
    session(project, "s", *(event for at, name in enumerate(names) for event in run(name, started=at + 1.0)))
    flow.sync()
    assert show(key("oldest")[:8]).name == "oldest"
    assert [found.name for found in runs(limit=3)] == ["d", "c", "b"]


def test_a_folder_deleted_under_a_kernel_is_made_again_and_said(loaded: Kernel) -> None:
    loaded.run("before = 1")
    shutil.rmtree(loaded.project / ".cellops")
    done = loaded.run("%%mlops run --name after\nvalue = 3 / 4")
    assert done.streams.count("was deleted while this kernel ran") == 1
    assert [record.source for record in loaded.cells()][:1] == ["before = 1"]
    again = loaded.run("%%mlops run --name later\nvalue = 3 / 4")
    assert "was deleted" not in again.streams
    flow.sync()
    assert {found.name for found in runs() if found.synced} == {"after", "later"}


def test_an_empty_journal_is_not_done(project: Path) -> None:
    path = Journal(project / ".cellops" / "journal", "s").path
    flow.sync()
    assert not read_progress(path).done


def test_a_kernel_that_has_gone_is_gone_though_its_number_is_ours(project: Path) -> None:
    opened, *_ = run("long")
    session(project, "s", opened)
    assert runs()[0].status is RunStatus.KILLED


@pytest.mark.skipif(sys.platform == "win32", reason="priorities are those of POSIX")
def test_the_writer_steps_back_behind_the_kernel() -> None:
    stepping = (
        "import os\nfrom cellops.flows.writer import step_back\nown = os.nice(0)\nstep_back()\nprint(os.nice(0) - own)"
    )
    done = subprocess.run([sys.executable, "-c", stepping], capture_output=True, text=True, check=True)
    assert done.stdout == "10\n"


def test_the_writer_holds_nothing_while_the_kernel_idles(writing: Kernel) -> None:
    writing.run("%load_ext cellops")
    writing.run("%%mlops run --name first\nvalue = 3 / 4")
    journal = next((writing.project / ".cellops" / "journal").glob("*.jsonl"))
    while not read_progress(journal).runs or read_progress(journal).open:
        os.sched_yield()
    with progress.lock(journal, timeout=60):
        writing.run("%%mlops run --name second\nvalue = 3 / 4")
    assert flow.sync().findings == ()
    assert {known.name: known.synced for known in runs()} == {"first": True, "second": True}


def test_spools_of_models_that_were_not_logged_stay(loaded: Kernel) -> None:
    loaded.run(TRAIN)
    spool = next((loaded.project / ".cellops" / "spool").rglob("*.pkl"))
    spool.write_bytes(b"changed")
    result = flow.sync()
    assert [finding.code for finding in result.findings] == ["model-not-logged"]
    assert spool.exists()


def test_an_executed_notebook_waits_for_the_runs_that_it_belongs_to(project: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    session(project, "kernel", *run("trained"), store=dead, execution="e")
    folder = project / ".cellops" / "journal"
    notebook = NotebookExecuted(execution="e", notebook="n.ipynb", status=RunStatus.FINISHED, store=settings.LOCAL)
    path = Journal(folder, f"{progress.OF_EXECUTIONS}e", notebook).path
    assert len(flow.sync().findings) == 1
    assert not read_progress(path).done
    assert flow.sync(here=True).findings == ()
    assert read_progress(path).done


def test_a_disk_that_keeps_no_progress_stops_its_journal_only(project: Path) -> None:
    bad = session(project, "bad", *run("bad"))
    bad.with_suffix(".progress").mkdir()
    session(project, "good", *run("good"))
    result = flow.sync()
    assert [(found.code, found.where) for found in result.findings] == [("not-carried", "bad.jsonl")]
    bad.with_suffix(".progress").rmdir()
    assert flow.sync().findings == ()
    assert {known.name for known in runs()} == {"bad", "good"}


def test_a_file_outside_of_the_folder_that_a_journal_names_is_neither_taken_nor_deleted(project: Path) -> None:
    private = project / "private.png"
    private.write_bytes(b"mine")
    figure = FigureSpool(name="f", path=str(private), digest="0" * 64)
    session(project, "s", *run("first", figures=(figure,)))
    assert flow.sync().runs == 1
    assert private.exists()
    assert not list((project / ".cellops" / "artifacts").rglob("private.png"))
