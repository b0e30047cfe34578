"""Trials on a real cluster of Dask: a scheduler and workers in processes of their own, one of them killed."""

import threading
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from cellops import settings
from cellops.errors import UsageError
from cellops.flows.runs import runs
from cellops.flows.sweep import sweep
from cellops.flows.sync import sync
from cellops.records.sweep import Trial, TrialState
from support.cluster import Cluster, cluster
from support.notebooks import LOAD, write

PARAMETERS = "%%mlops parameters\nx: float = 1.0"
FITTED = """%%mlops run
from sklearn.linear_model import Ridge
model = Ridge(alpha=x).fit([[0.0], [1], [2]], [0.0, 1, 2])
score = -(x - 2) ** 2
"""
WAITS = """%%mlops run
import os, time
from pathlib import Path
import psutil
score = x
with open(f"begun-{x:g}", "a") as file:
    file.write("again ")
if x >= 2 and not Path("killed").exists():
    part = Path(f"part-{x:g}")  # of its own: two may be here at once
    part.write_text(" ".join(str(one.pid) for one in psutil.Process().parents()))
    part.rename("who")
while x >= 2 and not Path("go").exists():
    time.sleep(0.01)
"""
TOGETHER = """%%mlops run
import os, time
from pathlib import Path
Path(f"begun-{x:g}").touch()
while not all(Path(f"begun-{one}").exists() for one in (1, 2)):
    time.sleep(0.01)
score = x
threads = float(os.environ.get("OMP_NUM_THREADS", 0))
"""


@pytest.fixture(autouse=True)
def _carried_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path / "cluster", 2) as made:
        yield made


def trial_runs(client: mlflow.MlflowClient) -> list[mlflow.entities.Run]:
    everywhere = [one.experiment_id for one in client.search_experiments()]
    return [run for run in client.search_runs(everywhere) if "cellops.trial" in run.data.tags]


def test_trials_of_workers_are_carried_as_those_of_this_machine(workers: Cluster, project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, FITTED)
    found = sweep(notebook, {"x": "1..3"}, metric="score", jobs=2, dask=workers.address)
    assert [(trial.state, trial.value) for trial in found.trials] == [
        (TrialState.COMPLETED, -1.0),
        (TrialState.COMPLETED, 0.0),
        (TrialState.COMPLETED, -1.0),
    ]
    assert all(trial.output is not None and Path(trial.output).exists() for trial in found.trials)
    assert found.unsynced is None
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    assert sorted(run.data.metrics["score"] for run in trial_runs(client)) == [-1, -1, 0]
    (best,) = [run for run in runs() if run.metrics["score"] == 0]
    assert list(best.models) == ["model"]
    assert not any((settings.load().folder / "handed").rglob("*.tar.gz"))
    assert sync(settings.load()).findings == ()


def test_as_many_trials_go_on_at_once_as_there_are_threads(
    workers: Cluster, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, TOGETHER)
    found = sweep(notebook, {"x": "1..2"}, metric="score", dask=workers.address, trial_timeout=120)
    assert [trial.state for trial in found.trials] == [TrialState.COMPLETED] * 2
    assert [run.metrics["threads"] for run in runs()] == [1, 1], "workers compute as this machine would"


def test_what_a_lost_worker_did_is_done_again_and_logged_once(workers: Cluster, project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, WAITS)
    ended = threading.Event()

    def lose() -> None:
        while not (project / "who").exists() and not ended.wait(0.02):
            pass
        (project / "killed").touch()
        workers.kill_worker_of(project, "who")
        (project / "go").touch()

    killer = threading.Thread(target=lose)
    killer.start()
    try:
        found = sweep(notebook, {"x": "1..3"}, metric="score", jobs=2, dask=workers.client)
    finally:
        ended.set()
        killer.join()
    assert [(trial.state, trial.value) for trial in found.trials] == [(TrialState.COMPLETED, x) for x in (1, 2, 3)]
    begun = [(project / f"begun-{x}").read_text().split() for x in (1, 2, 3)]
    assert max(map(len, begun)) == 2, "one of them was begun twice"
    assert sorted(run.metrics["score"] for run in runs()) == [1, 2, 3]
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    assert sorted(run.data.metrics["score"] for run in trial_runs(client)) == [1, 2, 3]


def test_a_stopped_sweep_stops_its_trials_on_the_workers(workers: Cluster, project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, WAITS)
    trials: list[Trial] = []

    def stop(trial: Trial) -> None:
        trials.append(trial)
        if trial.state is TrialState.COMPLETED:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(notebook, {"x": "1..3"}, metric="score", jobs=2, dask=workers.address, on_trial=stop)
    assert workers.client.run(lambda dask_worker: len(dask_worker.state.tasks)) == dict.fromkeys(
        workers.client.scheduler_info()["workers"], 0
    )
    (project / "go").touch()
    found = sweep(notebook, resume=True, jobs=2, dask=workers.address)
    assert [trial.state for trial in found.trials] == [TrialState.COMPLETED] * 3


def test_a_cluster_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, FITTED)
    monkeypatch.setattr("cellops.pipeline.dask.cluster.CONNECTING", 2)
    with pytest.raises(UsageError, match=r"No scheduler of Dask answers at tcp://127\.0\.0\.1:1"):
        sweep(notebook, {"x": "1..3"}, metric="score", dask="tcp://127.0.0.1:1")
    with pytest.raises(UsageError, match="--store"):
        sweep(notebook, {"x": "1..3"}, metric="score", dask="tcp://cluster.example:8786")
    with pytest.raises(UsageError, match="no cluster is named"):
        sweep(notebook, {"x": "1..3"}, metric="score", store="file:///shared")
    with cluster(tmp_path / "cluster", 0) as empty, pytest.raises(UsageError, match="has no worker"):
        sweep(notebook, {"x": "1..3"}, metric="score", dask=empty.address)
    assert not list((project / ".cellops").rglob("trial-*"))
    assert not list((project / ".cellops").rglob("sweep-*"))  # --resume goes on with the one before
