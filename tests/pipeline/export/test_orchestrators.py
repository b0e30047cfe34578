"""The DAG of Airflow under a real Airflow, the stages of DVC under a real DVC, the line of cron under a shell.

Airflow and DVC pin what we need in other versions, so each has an environment of its own, which uv makes in seconds.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

import cellops
from support.exported import as_command, cron, environment_with, git
from support.notebooks import LOAD, write

STEPS = [
    LOAD,
    "%%mlops parameters\nscore: float = 0.5\ntext: str = 'a'",
    "%%mlops step load\nx = [score]",
    "%%mlops step look\nprint(x)",
    "%%mlops step fit\n%%mlops run\nauc = x[0] / 1",
]
HOSTILE = "it's {{ ds }} {% raw %} ${x} $(touch broken) 5% \u00e9\nb"
READ = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1], include_examples=False)
tasks = {
    dag: {
        task.task_id: {
            "behind": sorted(task.upstream_task_ids),
            "retries": task.retries,
            "cwd": task.cwd,
            "line": task.render_template(task.bash_command, {}),
        }
        for task in found.tasks
    }
    for dag, found in bag.dags.items()
}
catchup = {dag: found.catchup for dag, found in bag.dags.items()}
print("READ", json.dumps({"errors": bag.import_errors, "dags": tasks, "catchup": catchup}))
"""


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with Airflow."""
    return environment_with(tmp_path_factory.mktemp("airflow") / "environment", "apache-airflow==3.2.2")


@pytest.fixture(scope="session")
def dvc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with DVC."""
    return environment_with(tmp_path_factory.mktemp("dvc") / "environment", "dvc==3.67.1")


@pytest.fixture
def repository(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    git(project, "init", "-q", "-b", "main")
    monkeypatch.delenv("CELLOPS_PROJECT")  # as it is in CI
    monkeypatch.setenv("PATH", f"{as_command(tmp_path / 'bin')}:{os.environ['PATH']}")
    write(project / "steps.ipynb", *STEPS)
    return project


def test_airflow_imports_the_dag_and_renders_the_same_lines(repository: Path, airflow: Path, tmp_path: Path) -> None:
    made = cellops.export(
        "airflow", "steps.ipynb", {"text": HOSTILE}, schedule="0 6 * * 1", gates=["auc >= 0.7"], promote="flights"
    )
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    done = subprocess.run(
        [str(airflow), "-c", READ, str(repository / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("READ ")).removeprefix("READ "))
    assert (read["errors"], read["catchup"]) == ({}, {"cellops-steps": False})
    tasks = read["dags"]["cellops-steps"]
    assert {name: task["behind"] for name, task in tasks.items()} == {
        "step-load": [],
        "step-look": ["step-load"],
        "step-fit": ["step-load"],
        "execute": ["step-fit", "step-look"],
        "promote": ["execute"],
    }
    assert [task["line"] for task in tasks.values()] == list(made.commands)
    assert {task["cwd"] for task in tasks.values()} == {str(repository)}
    assert {name: task["retries"] for name, task in tasks.items() if task["retries"]} == {
        "step-load": 1,
        "step-look": 1,
        "step-fit": 1,
    }


def test_dvc_reads_the_stages_with_the_same_lines(repository: Path, dvc: Path) -> None:
    def call(*words: str) -> str:
        done = subprocess.run([str(dvc), "-m", "dvc", *words], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call("init", "-q")
    made = cellops.export("dvc", "steps.ipynb", {"text": HOSTILE.replace("\n", "")}, gates=["auc >= 0.5"])
    planned = call("repro", "--dry")
    assert [line in planned for line in made.commands] == [True] * 4
    stages = call("stage", "list", "--name-only").split()
    assert stages == ["steps-step-load", "steps-step-look", "steps-step-fit", "steps"]
    assert not (repository / "broken").exists()


def test_the_line_of_cron_is_silent_unless_it_fails(repository: Path) -> None:
    write(repository / "50% done.ipynb", *STEPS[:2], "%%mlops run\nauc = score / 1")
    made = cellops.export("cron", "50% done.ipynb", {"score": "0.75"}, schedule="0 6 * * 1", gates=["auc >= 0.7"])
    (command,) = cron(Path(made.files[0]).read_text())

    def call(line: str) -> "subprocess.CompletedProcess[str]":
        environment = {"HOME": str(repository), "PATH": "/usr/bin:/bin", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        return subprocess.run(
            ["/bin/sh", "-c", line],
            cwd="/",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    good = call(command.replace("cellops execute", "cellops execute --help"))
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    bad = call(command.replace("score 0.75", "score much"))
    assert bad.returncode == 2
    assert bad.stdout.startswith("50% done.ipynb: exit code 2\n")
    assert "score: float is expected, 'much' was received" in bad.stdout
