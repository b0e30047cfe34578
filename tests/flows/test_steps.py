"""Steps as an ML engineer has them: from the terminal, in MLflow's tree of runs, held against gates, cleaned away."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from mlflow import MlflowClient

from cellops import settings
from cellops.errors import NotebookError
from cellops.flows.clean import STEPS, clean, removable
from cellops.flows.execute import execute
from cellops.flows.runs import runs
from cellops.flows.steps import StepOptions, explain
from cellops.pipeline.cache.entries import Cache
from cellops.records.run import NotebookExecuted, RunStatus
from cellops.records.step_progress import StepExecuted, StepState
from cellops.tracking.store import Store

CELLS = (
    "%load_ext cellops",
    "%%mlops parameters\nrate: float = 0.5",
    "%%mlops step load\nvalues = [1.0, 2.0, 3.0]",
    "%%mlops step train\n%%mlops run --name trained\nloss = sum(values) * rate",
)


@pytest.fixture
def notebook(project: Path) -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])  # type: ignore[no-untyped-call]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "python3", "language": "python"}
    path = project / "pipeline.ipynb"
    nbformat.write(made, path)  # type: ignore[no-untyped-call]
    return path


def tree() -> dict[str, tuple[str | None, str, str | None]]:
    """Of MLflow's runs by name: the name of the run above, the status, and the state of the step."""
    client = MlflowClient(settings.load().tracking_uri)
    found = client.search_runs([e.experiment_id for e in client.search_experiments()])
    names = {run.info.run_id: run.info.run_name for run in found}
    return {
        run.info.run_name: (
            names.get(run.data.tags.get("mlflow.parentRunId")),
            run.info.status,
            run.data.tags.get("cellops.step.state"),
        )
        for run in reversed(found)
    }


def test_an_execution_is_a_tree_in_mlflow_and_one_run_in_cellops(notebook: Path) -> None:
    done = execute(notebook, {"rate": "0.25"}, gates=["loss < 2"], steps=StepOptions(cache=True))
    assert tree() == {
        "pipeline": (None, "FINISHED", None),
        "load": ("pipeline", "FINISHED", "done"),
        "train": ("pipeline", "FINISHED", "done"),
        "trained": ("train", "FINISHED", None),
    }
    assert [(run.name, run.step) for run in runs()] == [("trained", "train")]
    assert [gate.outcome.value for gate in done.gates] == ["passed"]

    again = execute(notebook, {"rate": "0.25"}, gates=["loss < 1"], steps=StepOptions(cache=True))
    assert again.executed.cells == 0
    assert [run.run for run in again.runs] == [done.runs[0].run]
    assert [gate.outcome.value for gate in again.gates] == ["missed"]
    assert [run.name for run in runs()] == ["trained"]


def test_a_tree_is_written_once(project: Path) -> None:
    (project / "executed.ipynb").write_text("{}")
    event = NotebookExecuted(
        execution="e" * 32,
        notebook=str(project / "executed.ipynb"),
        status=RunStatus.KILLED,
        source="train.ipynb",
        started=10.0,
        ended=20.0,
        parameters={"rate": "0.5"},
        steps=(
            StepExecuted(name="load", state=StepState.REUSED, started=10.0),
            StepExecuted(name="fit", state=StepState.FAILED, started=11.0, seconds=2.0, reasons=("cell 3 changed",)),
            StepExecuted(name="plot", state=StepState.RUNNING, started=11.0, seconds=2.0),
        ),
    )
    store = Store(settings.load())
    store.keep_notebook(event)
    store.keep_notebook(event)
    assert tree() == {
        "train": (None, "KILLED", None),
        "load": ("train", "FINISHED", "reused"),
        "fit": ("train", "FAILED", "failed"),
        "plot": ("train", "KILLED", "running"),
    }
    client = MlflowClient(settings.load().tracking_uri)
    assert len(client.search_runs([e.experiment_id for e in client.search_experiments()])) == 4
    assert runs() == []


def test_steps_at_the_terminal(notebook: Path) -> None:
    first = cellops("execute", notebook, "--cache", "--jobs", "2")
    assert first.returncode == 0
    assert "✓ step train is done after" in first.stdout
    told = cellops("execute", notebook, "--explain", "-p", "rate", "1")
    assert told.stdout == "load   is as it was\ntrain  would be executed: parameter rate: 0.5 → 1.0\n"
    gated = cellops("execute", notebook, "--explain", "--gate", "loss < 2", "--gate", "p95_latency_ms < 20")
    assert gated.stdout == (
        "load   is as it was\n"
        "train  would be executed: a gate asks for p95_latency_ms, which was not measured\n"
        "gate loss < 2 would be evaluated\ngate p95_latency_ms < 20 would be evaluated\n"
    )
    assert cellops("execute", notebook, "--explain", "--gate", "loss <").returncode == 2
    assert cellops("execute", notebook, "--step", "tran", "--jobs", "1").returncode == 2
    both = cellops("execute", notebook, "--cache", "--resume")
    assert both.returncode == 2
    assert "Give one of them" in both.stderr

    clean(removable())
    assert next(event.reasons for event in explain(notebook).steps) == ("nothing is kept of it",)


def test_a_step_without_the_run_says_which_step_has_it(notebook: Path) -> None:
    done = cellops("execute", notebook, "--step", "load")
    said = "Step train opens one, and was not asked for: leave --step out, or name it"
    assert f"No cell that was executed opened a run. {said}" in " ".join(done.stdout.split())


def test_steps_that_an_execution_uses_are_not_cleaned_away(project: Path) -> None:
    folder = settings.load().folder / STEPS
    kept = Cache(folder).values.keep({"a": [1]})[0]
    with Cache(folder).in_use():
        clean(removable())
        assert Cache(folder).values.has(kept)
    clean(removable())
    assert not Cache(folder).values.has(kept)


def test_steps_are_bounded_behind_a_failure_too(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_CACHE_LIMIT", "0")
    made = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    made.cells[-1].source = "%%mlops step train\nraise ValueError(values)"
    nbformat.write(made, notebook)  # type: ignore[no-untyped-call]
    said: list[str] = []
    with pytest.raises(NotebookError):
        execute(notebook, steps=StepOptions(cache=True), on_stage=said.append)
    assert [text for text in said if text.endswith("used longest ago: they may keep 0.0 MB (CELLOPS_CACHE_LIMIT).")]
    folder = settings.load().folder / STEPS
    assert folder.is_dir()
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["lock"]


def cellops(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cellops", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
