"""A notebook as a pipeline, from its parameters to the executed notebook among the run's artifacts."""

from pathlib import Path

import mlflow
import pytest

from cellops import settings
from cellops.errors import NotebookError, ParameterError, UsageError
from cellops.flows.execute import execute
from cellops.flows.runs import runs
from cellops.records.run import RunStatus
from support.notebooks import LOAD, PARAMETERS, TRAIN, write


def notebook_artifacts(run_id: str | None) -> list[str]:
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    return [item.path for item in client.list_artifacts(run_id, "notebook")]


def test_a_run_of_a_pipeline_carries_the_executed_notebook(project: Path) -> None:
    notebook = write(project / "train.ipynb", LOAD, PARAMETERS, TRAIN)
    done = execute(notebook, {"rows": "500"}, output=project / "out" / "train.ipynb")
    assert [run.status for run in done.runs] == [RunStatus.FINISHED]
    run = done.runs[0]
    assert run.parameters["rows"] == "500"
    assert run.notebook == str(notebook)
    assert notebook_artifacts(run.mlflow_run_id) == ["notebook/train.ipynb"]
    assert done.executed.output == str(project / "out" / "train.ipynb")


def test_by_hand_and_as_a_pipeline_give_the_same_numbers(project: Path) -> None:
    from support.kernel import Kernel

    notebook = write(project / "train.ipynb", LOAD, PARAMETERS, TRAIN)
    executed = execute(notebook).runs[0]
    kernel = Kernel(project, {"CELLOPS_WRITER": "false"})
    try:
        for cell in (LOAD, PARAMETERS, TRAIN):
            assert kernel.run(cell).status == "ok"
        by_hand = kernel.closed()[0]
    finally:
        kernel.stop()
    assert by_hand.metrics == pytest.approx(executed.metrics)
    assert {d.digest for d in by_hand.data} != set()
    assert sorted(by_hand.parameters) == sorted(executed.parameters)


def test_a_notebook_that_fails_in_cell_5_leaves_no_run(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, "a = 1", "b = 2", "a / 0", TRAIN)
    with pytest.raises(NotebookError, match="division by zero") as caught:
        execute(notebook)
    assert caught.value.data["cell_index"] == 4
    assert runs() == []


def test_a_run_that_fails_is_failed_and_keeps_its_notebook(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, "%%mlops run --name broken\nlimit = 3\nraise ValueError('bad rows')")
    with pytest.raises(NotebookError, match="bad rows"):
        execute(notebook, output=project / "n_out.ipynb")
    (run,) = runs()
    assert (run.name, run.status, run.synced) == ("broken", RunStatus.FAILED, True)
    assert run.parameters == {"limit": "3"}
    assert notebook_artifacts(run.mlflow_run_id) == ["notebook/n_out.ipynb"]


def test_a_run_before_the_failing_cell_is_kept_with_its_notebook(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, "%%mlops run --name early\nvalue = 1 / 8", "undefined_name")
    stages: list[str] = []
    with pytest.raises(NotebookError, match="undefined_name") as caught:
        execute(notebook, on_stage=stages.append)
    (run,) = runs()
    assert stages == ["Starting the kernel", "Carrying the runs to MLflow"]
    assert caught.value.__notes__ == [f"The run early is kept as finished: cellops show {run.run[:8]}"]
    assert (run.name, run.status) == ("early", RunStatus.FINISHED)
    assert len(notebook_artifacts(run.mlflow_run_id)) == 1


def test_a_wrong_parameter_is_refused_before_anything_happens(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, TRAIN)
    with pytest.raises(ParameterError, match="did you mean rows"):
        execute(notebook, {"row": "1"})
    with pytest.raises(ParameterError, match="seed"):
        execute(notebook, {"seed": "many"})
    assert list((project / ".cellops").glob("executions/*")) == []
    assert runs() == []


def test_expectations_that_do_not_hold_stop_the_pipeline(project: Path) -> None:
    suite = '%%mlops expect table\nexpect_column_values_to_be_between("age", 0, 120)'
    notebook = write(
        project / "n.ipynb", LOAD, "import pandas as pd\ntable = pd.DataFrame({'age': [3, 300]})", suite, TRAIN
    )
    with pytest.raises(NotebookError, match="expect_column_values_to_be_between"):
        execute(notebook)
    assert runs() == []


def test_an_unreachable_store_does_not_fail_the_execution(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("CELLOPS_WRITER", "false")
    done = execute(
        write(project / "n.ipynb", LOAD, "%%mlops run --name kept\nvalue = 1 / 8"), output=project / "o.ipynb"
    )
    assert done.runs == ()
    assert "cellops sync" in str(done.unsynced)
    monkeypatch.delenv("CELLOPS_TRACKING_URI")
    from cellops.flows.sync import sync

    assert sync(here=True).runs == 1
    (run,) = runs()
    assert notebook_artifacts(run.mlflow_run_id) == ["notebook/o.ipynb"]


def test_an_output_that_cannot_be_written_is_refused_before_the_kernel_starts(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD)
    (project / "file").write_text("")
    stages: list[str] = []
    with pytest.raises(UsageError, match="cannot be written"):
        execute(notebook, output=project / "file" / "out.ipynb", on_stage=stages.append)
    assert stages == []


def test_a_notebook_of_an_earlier_execution_is_not_taken_for_this_one(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, "x = 1")
    earlier = write(project / "out.ipynb", "left = 'from before'")
    stages: list[str] = []
    with pytest.raises(ParameterError):
        execute(notebook, {"rows": "many"}, output=earlier, on_stage=stages.append)
    assert stages == []
    assert list((project / ".cellops").glob("journal/execution-*")) == []
