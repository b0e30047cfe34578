"""Records reach MLflow once, whatever happens to kernel, writer and server on the way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops import settings
from cellops.capture.journal import Journal
from cellops.errors import TrackingError
from cellops.flows import sync as flow
from cellops.flows.progress import read_progress
from cellops.flows.runs import runs, show
from cellops.records.run import RunClosed, RunOpened, RunStatus, SessionOpened
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
    for progress in (loaded.project / ".cellops" / "journal").glob("*.progress"):
        progress.unlink()
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
