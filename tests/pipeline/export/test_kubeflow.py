"""The pipeline of Kubeflow: compiled by its own SDK, and executed by its local runner.

kfp needs an older protobuf than MLflow, so it has an environment of its own, which uv makes in some seconds.
A component asks pip whether kfp is there.
"""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

import cellops
from support.exported import as_command, environment_with, git
from support.notebooks import LOAD, write

KEY = "a long random text that signs steps"
RUNNER = """
import importlib.util, sys
from kfp import local
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root="outputs")
spec = importlib.util.spec_from_file_location("exported", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.pipeline(project=sys.argv[2], parameters={"SCORE": sys.argv[3]})
"""
STEPS = [
    LOAD,
    "%%mlops parameters\nscore: float = 0.5",
    "%%mlops step load-all\nx = [score]",
    "%%mlops step fit\n%%mlops run\nauc = x[0] / 1",
]


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with kfp."""
    return environment_with(tmp_path_factory.mktemp("kfp") / "environment", "kfp[kubernetes]==2.17.0", "pip")


def test_it_compiles_and_its_local_runner_executes_the_steps_and_the_gate(
    project: Path, tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project, "init", "-q", "-b", "main")
    monkeypatch.delenv("CELLOPS_PROJECT")  # as it is in a container
    write(project / "steps.ipynb", *STEPS)
    store = (tmp_path / "store").as_uri()
    made = cellops.export("kfp", "steps.ipynb", store=store, gates=["auc >= 0.7"])
    compiled = project / "pipeline.yaml"

    def call(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, **variables}
        return subprocess.run(
            [str(python), *words], env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    refused = call(made.files[0], str(compiled))
    assert (refused.returncode, refused.stderr) == (
        1,
        "Set CELLOPS_KFP_IMAGE: an image with the repository in it and its environment\n",
    )
    done = call(made.files[0], str(compiled), CELLOPS_KFP_IMAGE="registry/project:1")
    assert done.returncode == 0, done.stderr
    pipeline, platform = yaml.safe_load_all(compiled.read_text())
    tasks = pipeline["root"]["dag"]["tasks"]
    assert [task.get("dependentTasks", []) for task in tasks.values()].count([]) == 1
    assert len(tasks) == 3
    assert not any(task.get("cachingOptions", {}).get("enableCache") for task in tasks.values())
    assert "CELLOPS_STEP_STORE_KEY" in str(platform)

    monkeypatch.setenv("PATH", f"{as_command(tmp_path / 'bin')}:{os.environ['PATH']}")
    runner = tmp_path / "runner.py"
    runner.write_text(RUNNER)
    good = call(str(runner), made.files[0], str(project), "0.75", CELLOPS_STEP_STORE_KEY=KEY)
    assert good.returncode == 0, good.stdout + good.stderr
    results = project / "cellops-results/steps"
    assert {path.name for path in results.iterdir()} >= {"load-all.ipynb", "fit.ipynb", "executed.ipynb", "junit.xml"}
    assert "Executed 0 code cells, 4 are as they were" in (results / "summary.md").read_text()
    assert [run.metrics for run in cellops.runs()] == [{"auc": 0.75}]
    summaries = list((project / "outputs").rglob("summary"))
    assert [path.read_text() for path in summaries] == [(results / "summary.md").read_text()]
