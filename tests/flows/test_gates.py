"""Gates on the runs of real kernels: passed, missed, not to be judged; beside a champion of a real registry."""

import json
from pathlib import Path

import mlflow
import pytest

from cellops import settings
from cellops.errors import GateError, UnfitError, UsageError
from cellops.flows.execute import execute
from cellops.flows.gates import refuse
from cellops.flows.runs import runs
from cellops.flows.steps import StepOptions
from cellops.flows.sync import sync
from cellops.records.gate import GateOutcome
from cellops.records.run import RunStatus
from cellops.records.step_progress import StepState
from cellops.tracking.registry import Registry
from support.kernel import Kernel
from support.notebooks import LOAD, PARAMETERS, TRAIN, write

SCORES = "%%mlops run --name scored\nauc = 704 / 1000\nscores = {'f1': 1 / 2}"
BY_SCIKIT_LEARN = """
from sklearn.metrics import recall_score
by_kind = {kind: recall_score(y_test[of.index], model.predict(of)) for kind, of in X_test.groupby("kind")}
lowest = min(by_kind.values())
size = X_test["size"] > 0
"""


def test_gates_that_hold_pass_and_are_kept_with_the_run(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.cellops]\ngates = ["auc < 0.9"]\n')
    done = execute(write(project / "n.ipynb", LOAD, SCORES), gates=["auc >= 0.7", "scores.f1 > 0.4"])
    assert [(result.gate, result.passed) for result in done.gates] == [
        ("auc < 0.9", True),
        ("auc >= 0.7", True),
        ("scores.f1 > 0.4", True),
    ]
    refuse(done.gates)
    (run,) = runs()
    assert {result.gate: result.said for result in run.gates}["auc >= 0.7"] == "0.704 >= 0.7"
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    kept = json.loads(
        mlflow.artifacts.load_text(f"{client.get_run(run.mlflow_run_id).info.artifact_uri}/cellops/gates.json")
    )
    assert [result["outcome"] for result in kept] == ["passed"] * 3


def test_what_is_missed_or_missing_is_named(project: Path) -> None:
    cells = "%%mlops run --name other\nrows = len([1])", "%%mlops run --name broken\nauc = float('nan') * 1"
    notebook = write(project / "n.ipynb", LOAD, SCORES, *cells)
    done = execute(notebook, gates=["auc >= 0.72", "scores.g1 > 0"])
    assert [(result.gate, result.name, result.outcome) for result in done.gates] == [
        ("auc >= 0.72", "scored", GateOutcome.MISSED),
        ("auc >= 0.72", "broken", GateOutcome.NOT_JUDGED),
        ("scores.g1 > 0", "", GateOutcome.NOT_JUDGED),
    ]
    with pytest.raises(GateError) as caught:
        refuse(done.gates)
    text = str(caught.value)
    assert "The gate auc >= 0.72 failed, run scored" in text
    assert "0.704 >= 0.72 missed by 0.016" in text
    assert "auc came out as NaN or infinite" in text
    assert "no run has the metric scores.g1; did you mean scores.f1?" in text


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("acu > 1", "Did you mean auc?"),
        ("auc >== 1", "character 7"),
        ("min_group(rocal, a) > 1", "Did you mean recall?"),
    ],
)
def test_a_wrong_gate_is_refused_before_a_kernel_starts(project: Path, gate: str, said: str) -> None:
    notebook = write(project / "n.ipynb", LOAD, SCORES)
    stages: list[str] = []
    with pytest.raises(UsageError) as caught:
        execute(notebook, gates=[gate], on_stage=stages.append)
    assert said in str(caught.value)
    with pytest.raises((UsageError, UnfitError)) as caught:
        execute(write(notebook, LOAD, SCORES.replace("scored", f'scored --gate "{gate}"')), on_stage=stages.append)
    assert said in str(caught.value)
    assert str(caught.value).startswith("Cell 2: The gate")
    (project / "pyproject.toml").write_text(f'[tool.cellops]\ngates = ["{gate}"]\n')
    with pytest.raises(UsageError, match="Among the gates of the settings: The gate"):
        execute(write(notebook, LOAD, SCORES), on_stage=stages.append)
    assert stages == []


def test_groups_and_latency_are_measured_where_a_gate_asks(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, PARAMETERS, TRAIN + BY_SCIKIT_LEARN)
    gates = ["min_group(recall, kind, 20) >= 0.99", "p95_latency_ms < 60000", "min_group(recall, knid) > 0"]
    others = ["min_group(recall, late) > 0", "min_group(recall, rows) > 0", "gap_group(accuracy, size, 10) <= 1"]
    done = execute(notebook, {"rows": "600"}, gates=[*gates, *others])
    (run,) = done.runs
    assert run.metrics["min_group(recall, kind, 20)"] == pytest.approx(run.metrics["lowest"])
    assert run.metrics["p95_latency_ms"] > 0
    results = {result.gate: result for result in done.gates}
    assert results[gates[0]].outcome is GateOutcome.MISSED
    assert "3 groups judged" in results[gates[0]].said
    assert results[gates[1]].passed
    said = "the evaluation rows have no column knid, and the notebook no variable of that name (did you mean kind?)"
    assert said in results[gates[2]].said
    assert "the Series late has another index than they: 600 rows beside 300" in results[others[0]].said
    assert "the variable rows is of type int, no Series with their index" in results[others[1]].said
    # A variable of the notebook that has the rows' own index is taken as a column too; the column comes first.
    assert "no group counts" in results["gap_group(accuracy, size, 10) <= 1"].said
    record = json.loads(
        mlflow.artifacts.load_text(
            f"{mlflow.MlflowClient(settings.load().tracking_uri).get_run(run.mlflow_run_id).info.artifact_uri}"
            "/cellops/record.json"
        )
    )
    groups = record["groups"][0]["groups"]
    assert {group["name"] for group in groups} == {"a", "b", "c"}
    assert all(group["low"] <= group["value"] <= group["high"] for group in groups)
    assert "p95_latency_ms" not in record["metrics"]


def test_the_champion_is_the_registered_version_of_that_alias(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, "%%mlops run --name scored --experiment flights\nauc = 71 / 100")
    first = execute(notebook, gates=["auc >= champion"])
    assert [result.said for result in first.gates] == ["0.71, and there is no champion yet"]
    client = mlflow.MlflowClient(settings.load().tracking_uri)
    client.create_registered_model("flights")
    run_id = first.runs[0].mlflow_run_id
    version = client.create_model_version("flights", source=f"runs:/{run_id}/model", run_id=run_id)
    assert Registry(settings.load()).champion("flights") is None
    assert Registry(settings.load()).champion("of/no:model") is None
    client.set_registered_model_alias("flights", "champion", version.version)
    worse = write(notebook, LOAD, "%%mlops run --name scored --experiment flights\nauc = 70 / 100")
    done = execute(worse, gates=["auc >= champion - 0.005", "auc >= champion - 0.02"])
    assert [(result.outcome, result.said) for result in done.gates] == [
        (GateOutcome.MISSED, "0.7 >= 0.705 missed by 0.005 (champion flights 1: 0.71)"),
        (GateOutcome.PASSED, "0.7 >= 0.69 (champion flights 1: 0.71)"),
    ]


def test_gates_are_judged_while_the_store_is_away(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_TRACKING_URI", "http://127.0.0.1:9")
    done = execute(write(project / "n.ipynb", LOAD, SCORES), gates=["auc > 0.7", "auc > champion"])
    assert [result.outcome for result in done.gates] == [GateOutcome.PASSED, GateOutcome.NOT_JUDGED]
    assert "the champion is not known" in done.gates[1].said
    monkeypatch.delenv("CELLOPS_TRACKING_URI")
    assert sync(here=True).runs == 1
    (run,) = runs()
    assert {result.gate: result.outcome for result in run.gates} == {
        "auc > 0.7": GateOutcome.PASSED,
        "auc > champion": GateOutcome.NOT_JUDGED,
    }


def test_a_header_holds_gates_of_its_own_run(project: Path) -> None:
    gated = SCORES.replace("scored", 'scored --gate "auc >= 0.72"')
    notebook = write(project / "n.ipynb", LOAD, gated, "%%mlops run --name free\nauc = 1 / 10")
    done = execute(notebook)
    assert [(result.name, result.said) for result in done.gates] == [("scored", "0.704 >= 0.72 missed by 0.016")]
    assert [(run.name, run.status) for run in done.runs] == [
        ("scored", RunStatus.FINISHED),
        ("free", RunStatus.FINISHED),
    ]


def test_by_hand_a_missed_gate_is_a_finding(loaded: Kernel) -> None:
    done = loaded.run('%%mlops run --name scored --gate "auc >= 0.72" --gate "auc > champion"\nauc = 704 / 1000')
    assert done.status == "ok"
    found = [finding for finding in loaded.closed()[0].findings if finding.code == "gate-missed"]
    assert [finding.seen for finding in found] == ["the gate auc >= 0.72 was not passed: 0.704 >= 0.72 missed by 0.016"]
    wrong = loaded.run('%%mlops run --gate "auc >== 1"\nleft = 1')
    assert "character 7" in wrong.traceback
    assert loaded.run("left").errors[0]["ename"] == "NameError"


def test_a_column_of_groups_that_is_not_there_is_a_finding(loaded: Kernel) -> None:
    trained = (
        TRAIN.replace("seed)", "3)").replace("rows", "400").replace("trained", "trained --group kind --group none")
    )
    assert loaded.run(trained).status == "ok"
    assert loaded.run("%%mlops run --group kind\nscore = 1 / 2").status == "ok"
    first, second = loaded.closed()
    seen = [finding.seen for run in (first, second) for finding in run.findings if "by groups of" in finding.seen]
    no_column = "the evaluation rows have no column none, and the notebook no variable of that name"
    assert seen == [
        f"the model is not measured by groups of none: {no_column}",
        "the model is not measured by groups of kind: the run has no model with a contract and evaluation rows",
    ]
    assert [figure.name for figure in first.groups if figure.groups] == [
        f"gap_group({of}, kind)" for of in ("accuracy", "precision", "recall")
    ]


def test_without_gates_nothing_of_them_is_imported(loaded: Kernel) -> None:
    assert loaded.run(TRAIN.replace("seed)", "3)").replace("rows", "400")).status == "ok"
    shown = loaded.run("import sys; [n for n in sys.modules if 'gates.grammar' in n or 'packaging.groups' in n]")
    assert shown.results == ["[]"]


def test_a_kept_step_is_executed_again_where_a_gate_asks_what_its_run_was_not_asked(project: Path) -> None:
    header, body = TRAIN.split("\n", 1)
    body = body.replace("seed)", "3)").replace("rows", "400")
    notebook = write(project / "n.ipynb", LOAD, f"%%mlops step train\n{header}\n{body}")
    steps, told = StepOptions(cache=True), []
    first = execute(notebook, steps=steps, gates=["auc > 0.5"])
    again = execute(notebook, steps=steps, gates=["auc > 0.6"], on_step=told.append)
    assert [result.run for result in again.gates] == [first.runs[0].run]
    asked = execute(notebook, steps=steps, gates=["min_group(recall, kind, 5) > 0.01"], on_step=told.append)
    assert [result.outcome for result in asked.gates] == [GateOutcome.PASSED]
    assert asked.runs[0].run != first.runs[0].run
    assert [step.state for step in told] == [StepState.REUSED, StepState.RUNNING, StepState.DONE]
    assert told[1].reasons == ("a gate asks for min_group(recall, kind, 5), which was not measured",)


@pytest.mark.parametrize("cells", [["auc = 1 / 2"], [LOAD, "%%mlops parameters\nrate: float = 0.5", "auc = rate"]])
def test_a_gate_on_a_notebook_without_a_run_is_refused_before_a_kernel_starts(project: Path, cells: list[str]) -> None:
    notebook = write(project / "plain.ipynb", *cells)
    with pytest.raises(UsageError, match=r"No cell of plain\.ipynb opens a run, and a gate needs one: auc >= 0\.7"):
        execute(notebook, gates=["auc >= 0.7"], on_stage=pytest.fail)
