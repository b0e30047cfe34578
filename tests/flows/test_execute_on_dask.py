"""Steps on a real cluster of Dask: a scheduler and workers in processes of their own, some of them killed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import mlflow
import nbformat
import psutil
import pytest

from cellops import settings
from cellops.errors import ClusterError, NotebookError, StepError, UsageError
from cellops.flows.execute import execute
from cellops.flows.runs import runs
from cellops.flows.steps import StepOptions, explain
from cellops.flows.verify import verify
from cellops.records.execution import CellProgress, CellState
from cellops.records.step_progress import StepProgress, StepState
from support.cluster import Cluster, cluster
from support.notebooks import LOAD, write

PARAMETERS = "%%mlops parameters\nrate: float = 0.5"
MAKE = """%%mlops step make
import numpy as np
class Doubled:
    def __init__(self, array):
        self.array = array * 2
table = np.arange(4.0)
doubled = Doubled(table)
print("made")"""
LEFT = "%%mlops step left\nleft = float(table.sum()) * rate"
RIGHT = "%%mlops step right\nright = float(doubled.array.sum())"
WHERE = "import psutil\nprint('below', *(one.pid for one in psutil.Process().parents()))"
JOIN = "%%mlops step join\n%%mlops run --name joined\nscore = left + right"
FIRST = "%%mlops step first\n%%mlops run --name one\nvalue = 20.0"
SECOND = "%%mlops step second\n%%mlops run --name two\nprint('begun')\ntotal = value + 1"
WAITS = """import os, time
from pathlib import Path
import psutil
Path("part").write_text(" ".join(str(one.pid) for one in psutil.Process().parents()))
Path("part").rename("{who}")
while not Path("go-{who}").exists():
    time.sleep(0.01)
"""
THIRD = "%%mlops step third\nprint(total)"
KILLS = """
import os, signal
from pathlib import Path
from cellops.pipeline.dask.bundle import Bundles
real = getattr(Bundles, "real", Bundles.hand_over)
def hand_over(self, folder, below):
    handed = real(self, folder, below)
    try:
        Path({flag!r}).touch(exist_ok=False)
    except FileExistsError:
        return handed
    os.kill(os.getpid(), signal.SIGKILL)
Bundles.real, Bundles.hand_over = real, hand_over
"""


@pytest.fixture(autouse=True)
def _carried_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("two") / "cluster", 2) as made:
        yield made


@contextmanager
def when(path: Path, act: Callable[[], None]) -> Iterator[None]:
    """Act beside the block as soon as a file is there."""
    ended = threading.Event()

    def look() -> None:
        while not path.exists():
            if ended.wait(0.02):
                return
        act()

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield
    finally:
        ended.set()
        looker.join()


def logged() -> list[tuple[str, str]]:
    """Names and states of the runs that cells have opened, in MLflow."""
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    found = client.search_runs([one.experiment_id for one in client.search_experiments()])
    return sorted((run.info.run_name, run.info.status) for run in found if "cellops.run" in run.data.tags)


def printed(notebook: Path | str) -> list[str]:
    """The lines that the cells of steps have printed, but for those that name a run."""
    cells = nbformat.read(notebook, as_version=4).cells  # type: ignore[no-untyped-call]
    shown = [out for cell in cells if cell.source.startswith("%%mlops step") for out in cell.outputs]
    text = "".join(out.text for out in shown if out.output_type == "stream" and out.name == "stdout")
    return [line for line in text.splitlines() if not line.startswith("run ")]


def left_on(workers: Cluster) -> list[str]:
    """The kernels below the workers, and what stands in their folders."""
    below = [child for one in workers.workers if one.poll() is None for child in psutil.Process(one.pid).children(True)]
    kernels = [" ".join(child.cmdline()) for child in below if child.is_running()]
    found = workers.client.run(lambda dask_worker: __import__("os").listdir(dask_worker.local_directory))
    files = [name for names in found.values() for name in names if name.startswith("cellops")]
    return [line for line in kernels if "ipykernel" in line or "forkserver" in line] + files


def forking(workers: Cluster) -> list[int]:
    """The processes of workers that kernels are forked from."""
    found = []
    for child in (child for one in workers.workers for child in psutil.Process(one.pid).children()):
        with suppress(psutil.Error):  # it has just ended
            found += [child.pid] if "forkserver" in " ".join(child.cmdline()) else []
    return found


def test_steps_of_workers_are_as_those_of_this_machine(workers: Cluster, project: Path) -> None:
    left, right = f"{LEFT}\n{WHERE}", f"{RIGHT}\n{WHERE}"
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, MAKE, left, right, JOIN)
    cells: list[CellProgress] = []
    steps: list[StepProgress] = []
    done = execute(
        notebook,
        {"rate": 0.25},
        dask=workers.address,
        steps=StepOptions(cache=True),
        gates=["score >= 13.5"],
        on_progress=cells.append,
        on_step=steps.append,
    )
    assert [run.metrics["score"] for run in done.runs] == [1.5 + 12]
    assert [gate.outcome.value for gate in done.gates] == ["passed"]
    assert logged() == [("joined", "FINISHED")]
    ended = [(one.step, one.index) for one in cells if one.state is CellState.DONE]
    assert ended[0] == ("make", 2)
    assert sorted(ended[1:]) == [("join", 5), ("left", 3), ("right", 4)]
    made, *where = printed(done.executed.output)
    assert made == "made"
    parents = [{int(word) for word in text.split()[1:]} for text in where]
    assert {one.pid for one in workers.workers} <= parents[0] | parents[1], "each worker executed one of the two"
    assert {one.state for one in steps} == {StepState.RUNNING, StepState.DONE}
    assert left_on(workers) == []
    assert not [path for path in (settings.load().folder / "handed").rglob("*") if path.is_file()]

    told = explain(notebook, {"rate": 0.25}, dask=workers.address)
    assert {one.state for one in told.steps} == {StepState.REUSED}, told
    again = execute(notebook, {"rate": 0.25}, dask=workers.client, steps=StepOptions(cache=True))
    assert again.executed.cells == 0
    assert logged() == [("joined", "FINISHED")]


def test_records_of_workers_are_those_of_this_machine(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = "%%mlops step draw\n%%mlops run --name drawn\nimport helper\nvalue = helper.double(20.0)"
    (project / "helper.py").write_text("def double(x):\n    return 2 * x\n")
    notebook = write(project / "n.ipynb", LOAD, figure)
    monkeypatch.setenv("CELLOPS_SUMMARY", "false")
    own = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'other.db'}", "CELLOPS_EXPERIMENT": "other"}
    with cluster(tmp_path / "cluster", 1, own=own) as workers:
        done = execute(notebook, dask=workers.address)
    assert [(run.name, run.metrics["value"]) for run in done.runs] == [("drawn", 40.0)]
    assert logged() == [("drawn", "FINISHED")]
    assert not (tmp_path / "other.db").exists()
    cells = nbformat.read(done.executed.output, as_version=4).cells  # type: ignore[no-untyped-call]
    assert cells[1].outputs == [], "no line names the run, as the settings here say"
    folder = settings.load().folder
    texts = [path.read_text() for path in (*(folder / "journal").glob("*.jsonl"), *(folder / "steps").rglob("*.json"))]
    assert texts
    assert not [text for text in texts if "dask-scratch-space" in text], "files are named by where they are here"
    assert verify("last").verdict == "identical"


def test_an_idle_worker_keeps_nothing_in_memory(tmp_path: Path, project: Path) -> None:
    ends = WAITS.format(who="long")
    notebook = write(project / "n.ipynb", LOAD, f"%%mlops step long\n{ends}", "%%mlops step short\nprint('short')")
    preload = tmp_path / "soon.py"
    preload.write_text("from cellops.pipeline.dask import tasks_plugin\ntasks_plugin.IDLE = 0.1\n")
    left: list[int] = []
    with cluster(tmp_path / "cluster", 2, preload=preload) as workers:

        def look(event: StepProgress) -> None:
            if (event.step, event.state) == ("short", StepState.DONE):
                ends = time.monotonic() + 30
                while not (project / "long").exists() or (len(forking(workers)) > 1 and time.monotonic() < ends):
                    time.sleep(0.02)
                left.append(len(forking(workers)))
                (project / "go-long").touch()

        execute(notebook, dask=workers.address, on_step=look)
    assert left == [1], "only the worker that executes a step has a process that kernels are forked from"


def test_what_lost_workers_did_is_done_again_and_logged_once(tmp_path: Path, project: Path) -> None:
    waits = WAITS.format(who="second")
    notebook = write(project / "n.ipynb", LOAD, FIRST, SECOND, waits, THIRD)
    preload = tmp_path / "kills.py"
    preload.write_text(KILLS.format(flag=str(tmp_path / "killed")))
    steps: list[StepProgress] = []
    with cluster(tmp_path / "cluster", 3, preload=preload) as workers:

        def lose() -> None:
            workers.kill_worker_of(project, "second")
            (project / "go-second").touch()

        with when(project / "second", lose):
            done = execute(notebook, dask=workers.address, on_step=steps.append)
        assert left_on(workers) == []
    assert (tmp_path / "killed").exists(), "a worker has died between handing over and answering"
    again = [(one.step, one.reasons[0]) for one in steps if one.state is StepState.AGAIN]
    assert [step for step, _ in again] == ["first", "second"]
    assert all("was lost, and it is begun again on tcp://" in reason for _, reason in again)
    assert printed(done.executed.output) == ["begun", "21.0"]
    assert sorted((run.name, run.status.value) for run in runs()) == [("one", "FINISHED"), ("two", "FINISHED")]
    assert logged() == [("one", "FINISHED"), ("two", "FINISHED")]
    assert not [path for path in (settings.load().folder / "handed").rglob("*") if path.is_file()]


def test_a_stopped_execution_leaves_nothing_on_the_workers_and_is_resumed(workers: Cluster, project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, FIRST, SECOND, "%%mlops run --name three\n" + WAITS.format(who="who"))
    output = project / "executed.ipynb"

    def stop(event: CellProgress) -> None:
        if event.index == 3 and event.state is CellState.RUNNING:
            ends = time.monotonic() + 60
            while (not (project / "who").exists() or printed(output) != ["begun"]) and time.monotonic() < ends:
                time.sleep(0.02)
            assert printed(output) == ["begun"], "the notebook is saved while the step goes on"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(notebook, dask=workers.address, output=output, on_progress=stop)
    assert left_on(workers) == []
    told = workers.client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.get_events())
    assert not [topic for topic in told if topic.startswith("cellops")], "the scheduler keeps nothing that cells show"
    assert workers.client.run(lambda dask_worker: len(dask_worker.state.tasks)) == dict.fromkeys(
        workers.client.nthreads(), 0
    )
    assert logged() == [("one", "FINISHED"), ("three", "KILLED"), ("two", "FINISHED")]
    (project / "go-who").touch()
    again = execute(notebook, dask=workers.address, steps=StepOptions(resume=True))
    assert again.executed.cells == 3
    assert sorted(run.name for run in again.runs) == ["one", "three", "two"]


def test_what_fails_on_a_worker_is_told_as_here(workers: Cluster, project: Path) -> None:
    fails = "%%mlops step fails\nprint('before')\n1 / 0"
    notebook = write(project / "n.ipynb", LOAD, fails)
    output = project / "executed.ipynb"
    with pytest.raises(NotebookError, match=r"n\.ipynb failed in cell 2 of 2.*ZeroDivisionError") as failed:
        execute(notebook, dask=workers.address, output=output)
    assert failed.value.data["line"] == 3
    assert "has executed step fails" in failed.value.__notes__[0]
    assert printed(output) == ["before"]
    ones = "%%mlops step ones\nones = (1 for _ in range(3))"
    notebook = write(project / "n.ipynb", LOAD, ones, "%%mlops step sums\nsum(ones)")
    with pytest.raises(StepError, match="ones cannot be handed to another step"):
        execute(notebook, dask=workers.address)
    late = "%%mlops step late --timeout 0.2\nimport time\ntime.sleep(60)"
    with pytest.raises(StepError, match=r"step late took longer than 0\.2 s"):
        execute(write(project / "n.ipynb", LOAD, late), dask=workers.address)


def test_a_worker_of_another_version_that_comes_later_executes_nothing(tmp_path: Path, project: Path) -> None:
    begins = f"%%mlops step begins\n{WAITS.format(who='begins')}"
    notebook = write(project / "n.ipynb", LOAD, begins)
    preload = tmp_path / "older.py"
    preload.write_text("from cellops.pipeline.dask import cluster\ncluster.__version__ = '0.0.1'\n")
    with cluster(tmp_path / "cluster", 1) as workers:
        workers.preload(preload)

        def come() -> None:
            workers.kill_worker_of(project, "begins")
            (project / "go-begins").touch()
            workers.workers.clear()
            workers.add_workers(1)

        with (
            when(project / "begins", come),
            pytest.raises(ClusterError, match=r"has cellops 0\.0\.1, and this machine"),
        ):
            execute(notebook, dask=workers.address)


def test_secrets_go_where_nobody_reads_them(workers: Cluster, tmp_path: Path, project: Path) -> None:
    shared = (tmp_path / "shared").as_uri()
    made = '%%mlops step make\nurl = "https://joe:" + "correct-horse-9" + "@example.org/x"'
    notebook = write(project / "n.ipynb", LOAD, made, "%%mlops step use\nprint(len(url))")
    with pytest.raises(StepError, match="A secret seems to stand in url, which would go to"):
        execute(notebook, dask=workers.address, steps=StepOptions(store=shared))
    assert not [path for path in (tmp_path / "shared").rglob("*") if path.is_file()]
    token = "%%mlops parameters\nfrom cellops import Secret\ntoken: Secret"
    notebook = write(project / "n.ipynb", LOAD, token, "%%mlops step use\nprint(len(token))")
    with (
        cluster(tmp_path / "cluster", 0, host="127.0.0.2") as elsewhere,
        pytest.raises(UsageError, match=r"would go to tcp://127\.0\.0\.2:\d+, which is not encrypted"),
    ):
        execute(notebook, {"token": "correct-horse-9"}, dask=elsewhere.address, steps=StepOptions(store=shared))


def test_a_cluster_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = write(project / "n.ipynb", LOAD, FIRST)
    monkeypatch.setattr("cellops.pipeline.dask.cluster.CONNECTING", 2)
    with pytest.raises(UsageError, match=r"No scheduler of Dask answers at tcp://127\.0\.0\.1:1"):
        execute(notebook, dask="tcp://127.0.0.1:1")
    with pytest.raises(UsageError, match="none is named"):
        execute(notebook, dask="tcp://cluster.example:8786")
    with pytest.raises(UsageError, match="--dask is empty"):
        execute(notebook, dask="")
    assert not list((project / ".cellops").rglob("*.ipynb"))


def test_a_cluster_that_goes_away_is_one_clear_line(
    workers: Cluster, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last test of these workers.
    notebook = write(project / "n.ipynb", LOAD, FIRST, "%%mlops step waits\nvalue\n" + WAITS.format(who="who"))
    monkeypatch.setattr("cellops.pipeline.dask.underway.WITHOUT_WORKERS", 1)
    monkeypatch.setattr("cellops.pipeline.dask.underway.LOOKING", 0.5)
    workers.workers[0].kill()
    workers.workers[0].wait()
    steps: list[StepProgress] = []
    with (
        when(project / "who", lambda: workers.kill_worker_of(project, "who")),
        pytest.raises(ClusterError, match="has had no worker for 1 s"),
    ):
        execute(notebook, dask=workers.address, on_step=steps.append)
    assert any("was lost, the last one; it waits 1 s for another" in "".join(one.reasons) for one in steps)
    (project / "who").unlink()
    workers.workers.clear()
    workers.add_workers(1)
    with (
        when(project / "who", workers.scheduler.kill),
        pytest.raises(ClusterError, match="does not answer any more"),
    ):
        execute(notebook, dask=workers.address, steps=StepOptions(resume=True))
    (worker,) = workers.workers
    worker.wait(60)
    assert logged() == [("one", "FINISHED")]
