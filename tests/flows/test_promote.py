"""Champions in a real registry of MLflow."""

from pathlib import Path

import mlflow
import pytest

import cellops
from cellops import settings
from cellops.errors import CellopsError, GateError, NotFoundError, PackageError
from cellops.flows.execute import execute
from cellops.flows.steps import StepOptions
from cellops.records.gate import GateOutcome
from support.notebooks import LOAD, PARAMETERS, TRAIN, write

SCORES = "%%mlops run --name scored\nauc = 9 / 10"


def test_the_model_of_an_execution_becomes_the_champion_that_gates_look_at(project: Path) -> None:
    steps = PARAMETERS, f"%%mlops step fit\n{TRAIN}", "%%mlops step look\n%%mlops run --name later\nrows = len([1])"
    notebook = write(project / "train.ipynb", LOAD, *steps)
    first = project / "first.ipynb"
    done = execute(notebook, output=first, gates=["auc >= champion", "auc >= 0.5"], steps=StepOptions(cache=True))
    trained, later = sorted(done.runs, key=lambda run: run.started)
    assert cellops.show(str(first)).run == trained.run  # the last that has a model

    made = cellops.promote(str(first))
    assert (made.champion.model, made.champion.version, made.before) == ("project", "1", None)
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    version = client.get_model_version_by_alias("project", "champion")
    assert version.run_id == trained.mlflow_run_id
    again = cellops.promote(trained.run)
    assert again.before is not None
    assert (again.champion.version, again.before.version) == ("1", "1")
    assert len(client.search_model_versions("name = 'project'")) == 1
    assert cellops.promote(str(first), model="others").champion.model == "others"
    with pytest.raises(PackageError, match="has no model"):
        cellops.promote(later.run)
    with pytest.raises(CellopsError, match="Invalid model name"):
        cellops.promote(str(first), model="a/b")

    second = project / "second.ipynb"
    reused = execute(notebook, output=second, gates=["auc >= champion"], steps=StepOptions(cache=True))
    assert [result.outcome for result in reused.gates] == [GateOutcome.PASSED]
    assert "champion project 1" in reused.gates[0].said
    assert cellops.show(str(second)).run == trained.run


def test_what_has_not_passed_or_not_finished_is_no_champion(project: Path) -> None:
    output = project / "out.ipynb"
    execute(write(project / "n.ipynb", LOAD, SCORES), output=output, gates=["auc >= 0.95"])
    with pytest.raises(GateError, match=r"The gate auc >= 0\.95 failed"):
        cellops.promote(str(output))
    with pytest.raises(CellopsError):
        execute(write(project / "n.ipynb", LOAD, f"{SCORES}\n1 / 0"), output=output)
    with pytest.raises(PackageError, match="is failed"):
        cellops.promote(str(output))
    with pytest.raises(NotFoundError, match="is no notebook that an execution of this project has written"):
        cellops.promote(str(project / "n.ipynb"))
    with pytest.raises(NotFoundError, match=r"There is no run elsewhere\.ipynb"):
        cellops.promote("elsewhere.ipynb")
