"""The command line as a person types it, wrong on purpose."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cellops import cli
from support.notebooks import LOAD, PARAMETERS, TRAIN, write


def cellops(*words: str, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cellops", *words], capture_output=True, text=True, check=False, timeout=300, **options
    )  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["exceute", "n.ipynb"], 2, "There is no verb exceute. Did you mean execute?"),
        (["execute"], 2, "Missing argument 'NOTEBOOK'. See: cellops execute --help"),
        (["execute", "n.ipynb", "--ouput", "x"], 2, "No such option '--ouput'. (Did you mean one of: '--output'"),
        (["execute", "nowhere.ipynb"], 1, "There is no notebook"),
        (["show", "nothing"], 1, "There is no run nothing"),
        (["package", "last"], 1, "There is no run last"),
        (["serve", "nowhere"], 1, "nowhere"),
        (["drift", "nowhere", "data.csv"], 1, "nowhere"),
        (["drift", "nowhere"], 2, "Give either a file with data or --log"),
        (["drift", "nowhere", "data.csv", "--window", "year"], 2, "Invalid value for '--window'"),
        (["runs", "--limit", "many"], 2, "Invalid value for '-n' / '--limit'"),
    ],
)
def test_what_is_typed_wrong_gets_one_clear_line(project: Path, words: list[str], code: int, said: str) -> None:
    done = cellops(*words)
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_one_clear_line(project: Path) -> None:
    done = cellops("runs", env={**os.environ, "CELLOPS_WRITR": "no"})
    assert (done.returncode, "Did you mean writer?" in done.stderr) == (2, True)
    (project / "pyproject.toml").write_text("[tool.cellops]\npatch_limit = 'much'\n")
    done = cellops("runs")
    assert (done.returncode, "wrong type" in done.stderr) == (2, True)


@pytest.mark.parametrize("verb", ["", *cli.terminal.commands])
def test_help_teaches_quickly(project: Path, verb: str) -> None:
    done = cellops(*([verb] if verb else []), "--help")
    assert done.returncode == 0
    assert "Usage: cellops" in done.stdout
    assert not list((project / ".cellops").iterdir())


def test_help_imports_nothing_heavy() -> None:
    heavy = ("mlflow", "pandas", "numpy", "sklearn", "papermill", "starlette")
    script = f"import sys, cellops.cli, cellops.magics; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_runs_in_an_empty_project_teach(project: Path) -> None:
    assert "%load_ext cellops" in cellops("runs").stdout
    assert "All is in the tracking store" in cellops("sync").stdout


def test_the_usual_way(project: Path) -> None:
    write(project / "train.ipynb", LOAD, PARAMETERS, TRAIN)
    done = cellops("execute", "train.ipynb", "-p", "seed", "8", "-o", "out.ipynb")
    assert done.returncode == 0, done.stderr
    assert "Executed 4 cells" in done.stdout
    assert "run trained finished" in done.stdout
    assert "trained" in cellops("runs").stdout
    shown = cellops("show", "trained").stdout
    assert "seed" in shown
    assert "auc" in shown
    built = cellops("package", "trained", "-o", "model")
    assert built.returncode == 0, built.stderr
    assert "Serve it with: cellops serve model" in built.stdout
    again = cellops("package", "trained", "-o", "model")
    assert again.returncode == 0
    cleaned = cellops("clean", "--yes")
    assert cleaned.returncode == 0
    assert "trained" in cellops("runs").stdout


def test_a_failing_notebook_and_a_wrong_parameter_have_their_exit_codes(project: Path) -> None:
    write(project / "n.ipynb", LOAD, PARAMETERS, "1 / 0")
    done = cellops("execute", "n.ipynb")
    assert done.returncode == 1
    assert "failed in cell 3 of 3" in done.stderr
    done = cellops("execute", "n.ipynb", "-p", "sed", "1", "-p", "rows", "x")
    assert done.returncode == 2
    assert "did you mean seed?" in done.stderr
    assert "rows" in done.stderr


def test_ctrl_c_saves_the_notebook_and_ends_the_run_as_killed(project: Path) -> None:
    write(project / "n.ipynb", LOAD, "%%mlops run --name endless\nprint('begun', flush=True)\nwhile True: pass")
    process = subprocess.Popen(
        [sys.executable, "-m", "cellops", "execute", "n.ipynb", "-o", "out.ipynb"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "cell  1 of 2" in process.stdout.readline()
    journal = project / ".cellops" / "journal"
    while not any(b"run-opened" in path.read_bytes() for path in journal.glob("*.jsonl")):
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopped" in errors
    assert (project / "out.ipynb").exists()
    assert "killed" in cellops("runs").stdout


def test_nothing_but_the_verbs_is_offered_from_python() -> None:
    import cellops

    assert "runs" in dir(cellops)
    assert callable(cellops.runs)
    with pytest.raises(AttributeError, match="its verbs are"):
        cellops.exceute  # noqa: B018
