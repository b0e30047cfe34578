"""Sweeps over real notebooks in real kernels: compared, carried, pruned, stopped, killed and resumed."""

import importlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import mlflow
import nbformat
import pytest

from cellops import settings
from cellops.capture.environment.machine import usable_cores
from cellops.capture.journal import read
from cellops.errors import NoNotebookError, ParameterError, SweepError, UnfitError, UsageError
from cellops.flows.runs import runs
from cellops.flows.sweep import sweep
from cellops.flows.sync import sync
from cellops.pipeline.kernel_options import THREADS
from cellops.records.execution import CellProgress, CellState
from cellops.records.run import RunOpened
from cellops.records.sweep import SweepPlan, Swept, Trial, TrialState
from support.notebooks import LOAD, write
from support.processes import started

PARAMETERS = "%%mlops parameters\nx: float = 1.0\nkind: str = 'a'\nrounds: int = 1"
FIT = "from sklearn.linear_model import Ridge\nmodel = Ridge(alpha=x).fit([[0.0], [1], [2]], [0.0, 1, 2])\n"
SCORE = "%%mlops run\nscore = -(x - 2) ** 2 + (kind == 'b')"
WAITS = """%%mlops run
from pathlib import Path
import time
score = x
Path(f"begun-{x:g}").touch()
while x >= 3 and not Path("go").exists():
    time.sleep(0.01)
"""


@pytest.fixture(autouse=True)
def _carried_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has imported MLflow, which another one would have to."""
    monkeypatch.setenv("CELLOPS_WRITER", "false")


def notebook(project: Path, *cells: str) -> Path:
    return write(project / "n.ipynb", LOAD, PARAMETERS, *(cells or (SCORE,)))


def sweeps(client: mlflow.MlflowClient) -> list[Any]:
    """The runs that stand for sweeps."""
    everywhere = [one.experiment_id for one in client.search_experiments()]
    return [run for run in client.search_runs(everywhere) if "cellops.sweep" in run.data.tags]


def states(found: Swept) -> list[TrialState]:
    return [trial.state for trial in found.trials]


def test_a_grid_finds_the_best_and_stands_in_the_store_below_one_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CELLOPS_WRITER")  # as it is for people: one process beside the kernels carries
    plans: list[SweepPlan] = []
    cells: list[tuple[int, CellProgress]] = []
    found = sweep(
        notebook(project, SCORE.replace("score", FIT + "score", 1)),
        {"x": "1..3", "kind": ["a", "b"]},
        metric="score",
        jobs=2,
        seed=5,
        on_plan=plans.append,
        on_cell=lambda number, cell: cells.append((number, cell)),
    )
    begun = [cell for number, cell in cells if number == 5 and cell.state is CellState.RUNNING]
    assert [cell.index for cell in begun if cell.index is not None] == [0, 1, 2]
    assert {cell.total for cell in begun} == {3}
    (plan,) = plans
    assert (plan.planned, plan.begun.sampler, plan.begun.maximize) == (6, "grid", True)
    assert [trial.values for trial in found.trials[:3]] == [
        {"x": 1, "kind": "a"},
        {"x": 1, "kind": "b"},
        {"x": 2, "kind": "a"},
    ]
    assert found.best is not None
    assert (found.best.values, found.best.value) == ({"x": 2, "kind": "b"}, 1.0)
    assert found.command == "cellops execute n.ipynb -p x 2 -p kind b --seed 5"
    assert found.unsynced is None
    executed = nbformat.read(str(found.best.output), as_version=4)
    assert "x = 2.0\nkind = 'b'" in "\n".join(cell.source for cell in executed.cells)
    listed = runs()
    assert len(listed) == 6  # the run of the sweep stands for no training
    assert {run.run for run in listed if run.models} == {*found.best.runs}
    assert not [path for path in (project / ".cellops" / "spool").rglob("*") if path.is_file()]
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    (parent,) = sweeps(client)
    everything = client.search_runs([parent.info.experiment_id])
    assert parent.info.run_name == "n sweep"
    assert parent.info.status == "FINISHED"
    assert parent.data.params == {"x": "1..3", "kind": "a,b"}
    assert parent.data.metrics["best_score"] == 1.0
    assert parent.data.tags["cellops.sweep.best.kind"] == "b"
    assert len(client.get_metric_history(parent.info.run_id, "score")) == 6
    children = [run for run in everything if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert sorted(run.data.metrics["score"] for run in children) == sorted(trial.value or 0 for trial in found.trials)
    assert {run.data.tags["cellops.trial"] for run in children} == set("012345")
    assert {file.path for file in client.list_artifacts(parent.info.run_id)} >= {"sweep.svg"}
    assert any(file.path == "notebook" for file in client.list_artifacts(children[0].info.run_id))


def test_a_trial_that_fails_or_has_no_number_is_kept_and_the_others_go_on(project: Path) -> None:
    path = notebook(
        project,
        "if kind == 'broken':\n    raise ValueError('no such kind')",
        "%%mlops run\nscore = 9",
        "%%mlops run\nscore = float('nan') * 1 if kind == 'nan' else x",
    )
    found = sweep(path, {"kind": "a,broken,nan"}, metric="score")
    assert states(found) == [TrialState.COMPLETED, *[TrialState.FAILED] * 2]
    errors = [str(trial.error) for trial in found.trials]
    assert "failed in cell 3 of 5, In [4], line 2: ValueError: no such kind" in errors[1]
    assert errors[2] == "score came out as NaN or infinite"


def test_when_all_fail_the_sweep_ends_early(project: Path) -> None:
    path = notebook(project, "1 / 0", SCORE)
    results: list[Swept] = []
    with pytest.raises(SweepError, match=r"The first 3 trials have failed, the last: n\.ipynb failed in cell 3"):
        sweep(path, {"x": "1..9"}, metric="score", on_result=results.append)
    assert states(results[0]) == [TrialState.FAILED] * 3
    path = notebook(project, WAITS)
    with pytest.raises(
        SweepError, match=r"All 2 trials have failed, the last: it took longer than 2 s \(--trial-timeout"
    ):
        sweep(path, {"x": "3,4"}, metric="score", trial_timeout=2)
    with pytest.raises(SweepError, match="All 2 trials have failed"):
        sweep(path, resume=True)


def test_a_metric_that_no_run_logs_is_named_with_those_that_are(project: Path) -> None:
    path = notebook(project, "%%mlops run\nscores = {'auc': x / 4, 'f1': x / 5}")
    results: list[Swept] = []
    with pytest.raises(SweepError) as caught:
        sweep(path, {"x": "1..9"}, metric="scores.acu", on_result=results.append)
    assert "No run of trial 0 has the metric scores.acu; it logged scores.auc, scores.f1" in str(caught.value)
    assert "Did you mean --metric scores.auc?" in str(caught.value)
    assert len(results[0].trials) == 1


def test_of_several_runs_the_last_with_the_metric_counts_and_each_namespace_is_fresh(project: Path) -> None:
    path = notebook(
        project,
        "assert 'left' not in globals()\nleft = True",
        "%%mlops run\nscore = x",
        "%%mlops run\nscore = x * 2",
        "%%mlops run\nother = 1 / x",
    )
    found = sweep(path, {"x": "1,2"}, metric="score")
    assert [trial.value for trial in found.trials] == [2.0, 4.0]
    assert all(len(trial.runs) == 3 and len(trial.also_measured_by) == 1 for trial in found.trials)


@pytest.mark.parametrize(
    ("space", "options", "said"),
    [
        ({"x": "1:2"}, {}, "Give --trials N, or a step behind the range"),
        ({"x": "1:2"}, {"sampler": "grid", "trials": 4}, "A grid needs values that can be counted, and x"),
        ({"x": "1,2"}, {"sampler": "grit"}, "Did you mean grid?"),
        ({"x": "1,2"}, {"sampler": "random"}, "Say how many trials there shall be: --trials N"),
        ({"x": "1,2"}, {"metric": "scroe"}, "Did you mean --metric score?"),
        ({"x": "1,2"}, {"metric": None}, "Name a metric: --metric NAME. The run cells compute score"),
        ({"x": "2,2"}, {}, "2.0 is among the choices twice"),
        ({"y": "1,2", "x": "1,2"}, {}, "y: there is no such parameter"),
        ({"x": "1,2", "rounds": "one"}, {}, "rounds: int is expected, 'one' was received"),
        ({"x": "1"}, {}, "Nothing is searched"),
        ({"x": "1,2"}, {"output": Path("plot.png")}, "Give a path that ends in .svg: plot.svg"),
        ({"x": "1,2"}, {"models": "bset"}, "Did you mean best?"),
        ({"x": "1,2"}, {"metric": ""}, "Name a metric: --metric NAME"),
        ({"x": "1,2"}, {"resume": True}, "There is no sweep of n.ipynb to be resumed"),
    ],
)
def test_what_stands_in_the_way_is_refused_before_a_kernel_starts(
    project: Path, space: dict[str, object], options: dict[str, object], said: str
) -> None:
    plans: list[SweepPlan] = []
    with pytest.raises((UsageError, ParameterError, UnfitError)) as caught:
        sweep(notebook(project), space, on_plan=plans.append, **{"metric": "score", **options})  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert not plans


def test_all_is_refused_at_once(project: Path) -> None:
    path = write(project / "n.ipynb", LOAD, PARAMETERS, "score = x", "x = (")
    with pytest.raises(UnfitError) as caught:
        sweep(path, {"x": "3..1", "z": "1"}, sampler="grit", metric="score")
    text = str(caught.value)
    assert all(
        part in text for part in ("x: it is empty", "z: there is no", "no sampler grit", "opens a run", "Cell 4")
    )
    with pytest.raises(NoNotebookError):
        sweep(project / "m.ipynb", {"x": "1,2"}, metric="score")


def test_what_is_reported_is_a_series_and_prunes(project: Path) -> None:
    path = notebook(
        project,
        """%%mlops run
import cellops, time
for step in range(4):
    cellops.report(score=x + step, other=step)
    if x < 0:
        time.sleep(60)
""",
    )
    found = sweep(path, {"x": "5,6,7,8,-9"}, metric="score", prune=True, seed=1)
    assert states(found) == [*[TrialState.COMPLETED] * 4, TrialState.PRUNED]
    assert [trial.value for trial in found.trials] == [8.0, 9.0, 10.0, 11.0, -9.0]
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    listed = {run.run: run for run in runs()}
    first = listed[found.trials[0].runs[0]].mlflow_run_id
    history = client.get_metric_history(str(first), "score")
    assert sorted({(one.step, one.value) for one in history}) == [(0, 5.0), (1, 6.0), (2, 7.0), (3, 8.0)]
    pruned = client.get_run(str(listed[found.trials[4].runs[0]].mlflow_run_id))
    assert pruned.info.status == "KILLED"
    assert pruned.data.tags["cellops.trial.state"] == "pruned"


def test_outside_of_a_run_a_report_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    import cellops

    cellops.report(auc=0.5)
    assert "no run is open here" in capsys.readouterr().err
    with pytest.raises(UsageError, match="is no number"):
        cellops.report(auc="high")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="was given no metric"):
        cellops.report()


def test_secrets_and_values_from_files_are_of_all_trials(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_A_SERVICE", "correct horse battery")
    (project / "fixed.yaml").write_text("rounds: 3\n")
    cell = "%%mlops parameters\nfrom cellops import Secret\nx: int = 1\nrounds: int = 1\ntoken: Secret"
    path = write(project / "n.ipynb", LOAD, cell, "%%mlops run\nscore = len(token) + rounds + x\nprint(token)")
    given = {"x": "1,2", "token": "env:OF_A_SERVICE"}
    found = sweep(path, given, metric="score", parameters_file=project / "fixed.yaml")
    assert [trial.value for trial in found.trials] == [25.0, 26.0]
    assert found.command == "cellops execute n.ipynb -p rounds 3 -p token env:OF_A_SERVICE -p x 2"
    kept = [path for path in (project / ".cellops").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"correct horse" in path.read_bytes()]


def test_a_sweep_that_is_stopped_goes_on(project: Path) -> None:
    path = notebook(project, WAITS)

    def stop_at_the_third(trial: Trial) -> None:
        if trial.number == 2:
            threading.Thread(target=_interrupt_once_there, args=(project / "begun-3",)).start()

    results: list[Swept] = []
    with pytest.raises(KeyboardInterrupt) as caught:
        sweep(path, {"x": "1..4"}, metric="score", seed=3, on_trial=stop_at_the_third, on_result=results.append)
    assert states(results[0]) == [*[TrialState.COMPLETED] * 2, TrialState.STOPPED]
    assert "2 of 4 trials are done; go on with: cellops sweep n.ipynb --resume" in caught.value.__notes__
    (project / "go").touch()
    plans: list[SweepPlan] = []
    found = sweep(path, resume=True, on_plan=plans.append)
    assert (plans[0].done, plans[0].planned) == (2, 4)
    assert states(found) == [TrialState.COMPLETED] * 4
    assert [trial.value for trial in found.trials] == [1.0, 2.0, 3.0, 4.0]
    finished = [run for run in runs() if run.status == "FINISHED"]
    assert len(finished) == 4
    shown = sweep(path, resume=True)
    assert shown.trials == found.trials
    assert len(sweep(path, resume=True, space={"x": "1..4"}, metric="score").trials) == 4
    with pytest.raises(UsageError) as refused:
        sweep(path, {"x": "1..5"}, maximize=False, seed=4, resume=True)
    text = str(refused.value)
    assert "x was 1..4 and is 1..5; the direction was to maximize and is to minimize; --seed was 3 and is 4" in text
    write(path, LOAD, PARAMETERS, WAITS + "\n")
    with pytest.raises(UsageError, match="code cell 3 of the notebook has been edited since"):
        sweep(path, resume=True)


def _interrupt_once_there(path: Path) -> None:
    while not path.exists():
        threading.Event().wait(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def test_a_killed_sweep_goes_on_and_logs_nothing_twice(project: Path) -> None:
    path = notebook(project, "%%mlops run\n" + FIT, WAITS)
    command = [sys.executable, "-m", "cellops", "sweep", str(path), "-p", "x", "1,3", "--metric", "score"]
    with started(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (project / "begun-3").exists():
            assert process.poll() is None
            threading.Event().wait(0.05)
        process.kill()
        process.wait()
    sync()
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    assert [run.info.status for run in sweeps(client)] == ["KILLED"]
    (project / "go").touch()
    found = sweep(path, resume=True)
    assert states(found) == [TrialState.COMPLETED] * 2
    assert found.unsynced is None
    assert [run.info.status for run in sweeps(client)] == ["FINISHED"]
    opened = [e for j in (project / ".cellops/journal").glob("*.jsonl") for e, _ in read(j) if isinstance(e, RunOpened)]
    assert len(opened) == 6  # the second trial was begun twice
    listed = {run.run: run.status.value for run in runs()}
    assert sorted(listed.values()) == [*["FINISHED"] * 4, *["KILLED"] * 2]
    assert not [path for path in (project / ".cellops" / "spool").rglob("*") if path.is_file()]
    children = [client.get_run(str(run.mlflow_run_id)) for run in runs()]
    assert len({run.data.tags["mlflow.parentRunId"] for run in children}) == 1
    assert sorted(run.data.tags["cellops.trial.state"] for run in children) == [*["completed"] * 4, *["stopped"] * 2]


def test_what_is_asked_of_a_resumed_sweep_holds_and_models_of_the_best_of_all_are_kept(project: Path) -> None:
    path = notebook(project, "%%mlops run\n" + FIT + "score = x")
    fixed = project / "fixed.yaml"
    fixed.write_text("rounds: 3\n")

    def leave(stage: str) -> None:
        if stage.startswith("Carrying"):
            raise KeyboardInterrupt

    given: dict[str, Any] = {"metric": "score", "sampler": "grid", "parameters_file": fixed}
    with pytest.raises(KeyboardInterrupt):  # nothing is in the store when the sweep goes on
        sweep(path, {"x": "1,2,3"}, trials=1, on_stage=leave, **given)
    fixed.write_text("rounds: 5\n")
    with pytest.raises(UsageError, match="rounds was 3 and is 5; --models was best and is all"):
        sweep(path, resume=True, models="all", **given)
    plans: list[SweepPlan] = []
    sweep(path, resume=True, trials=2, prune=True)
    (journal,) = (project / ".cellops" / "journal").glob("sweep-*.jsonl")
    *lines, last = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines))  # as one that was killed behind its last trial leaves it
    found = sweep(path, resume=True, on_plan=plans.append)
    assert (plans[0].planned, plans[0].begun.prune, plans[0].done) == (2, True, 2)
    assert journal.read_bytes().splitlines()[-1][:22] == last[:22] == b'{"event":"sweep-ended"'
    assert found.best is not None
    assert found.best.number == 1
    assert {run.run for run in runs() if run.models} == {*found.best.runs}


@pytest.mark.parametrize(("models", "kept"), [("all", 2), ("none", 0)])
def test_models_are_kept_of_the_trials_that_are_named(project: Path, models: str, kept: int) -> None:
    stages: list[str] = []

    def no_picture(plan: SweepPlan) -> None:
        (project / ".cellops" / "sweeps" / plan.begun.name / "sweep.svg").mkdir(parents=True)

    found = sweep(
        notebook(project, "%%mlops run\n" + FIT + "score = x"),
        {"x": "1,2"},
        metric="score",
        models=models,
        on_plan=no_picture,
        on_stage=stages.append,
    )
    assert len([run for run in runs() if run.models]) == kept
    assert not [path for path in (project / ".cellops" / "spool").rglob("*") if path.is_file()]
    assert found.plot is None
    assert any("sweep.svg cannot be written: Is a directory" in stage for stage in stages)


def test_a_model_whose_module_is_away_waits_for_it(project: Path) -> None:
    source = "from sklearn.linear_model import Ridge\nclass Own(Ridge):\n    pass\n"
    library = project / "library"
    path = notebook(
        project,
        "import pathlib, shutil, sys\npathlib.Path('library').mkdir()\n"
        f"pathlib.Path('library/own_models.py').write_text({source!r})\nsys.path.insert(0, {str(library)!r})",
        "%%mlops run\nfrom own_models import Own\nmodel = Own(alpha=x).fit([[0.0], [1], [2]], [0.0, 1, 2])\nscore = x",
        "shutil.rmtree('library')",
    )
    found = sweep(path, {"x": "1,2"}, metric="score")
    assert "it is not logged yet" in str(found.unsynced)
    assert not any(run.models for run in runs())
    library.mkdir()
    (library / "own_models.py").write_text(source)
    importlib.invalidate_caches()  # this process has seen that the folder was not there
    sync()
    assert found.best is not None
    assert {run.run for run in runs() if run.models} == {*found.best.runs}
    assert not [path for path in (project / ".cellops" / "spool").rglob("*") if path.is_file()]


def test_the_whole_may_take_too_long(project: Path) -> None:
    path = notebook(project, WAITS)
    results: list[Swept] = []
    with pytest.raises(SweepError, match="took longer than 2 s in all, and was stopped after 0 of 2 trials"):
        sweep(path, {"x": "3,4"}, metric="score", total_timeout=2, on_result=results.append)
    assert states(results[0]) == [TrialState.STOPPED]


@pytest.mark.parametrize(("given", "threads"), [(None, max(1, usable_cores() // 2)), ("3", 3)])
def test_trials_at_once_share_the_processors_unless_somebody_has_said_otherwise(
    given: str | None, threads: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    if given is not None:
        monkeypatch.setenv(THREADS[0], given)
    path = notebook(
        project,
        "from sklearn.ensemble import HistGradientBoostingClassifier\nfrom threadpoolctl import threadpool_info",
        "%%mlops run\nscore = [pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'openmp'][0]",
    )
    found = sweep(path, {"x": "1,2"}, metric="score", jobs=2)
    assert [trial.value for trial in found.trials] == [threads, threads]
