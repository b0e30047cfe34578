"""Parameters as a person types them, looks them up in the help, and has them told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.notebooks import LOAD, write

CELL = """%%mlops parameters
from pathlib import Path
from typing import Annotated, Literal
from annotated_types import Ge, Lt
depth: Annotated[int, Ge(1)] = 4  # of the trees
rate: Annotated[float, Ge(0), Lt(1)] = 0.1
mode: Literal["fast", "slow"] = "fast"
folder: Path = Path("data")
limit: int"""


@pytest.fixture
def notebook(project: Path) -> Path:
    (project / "wrong.yaml").write_text("dept: 4\nmodel: {rte: 1}\nlimit: 1.5\n")
    (project / "broken.yaml").write_text("a: [\n")
    return write(project / "n.ipynb", LOAD, CELL, "print(depth, rate, mode, folder, limit)")


def cellops(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cellops", *words]
    environment = {**os.environ, **variables, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "depth", "0", "-p", "limit", "1"], "depth: 0 is not >= 1"),
        (["-p", "rate=1", "-p", "limit=1"], "rate: 1.0 is not < 1"),
        (["-p", "mode=slwo", "-p", "limit=1"], "'slwo' is none of 'fast', 'slow' (did you mean 'slow'?)"),
        (["-p", "folder=", "-p", "limit=1"], "folder: a path is expected, an empty text was received"),
        ([], "limit: a value of type int is required"),
        (["-p", "", "1", "-p", "limit=1"], "'': there is no such parameter"),
        (["-p", "limit", "1", "-p", "limit=2"], "-p limit is given twice, with two values. Give it once. See: cellops"),
        (["--params", "broken.yaml"], "broken.yaml cannot be read: while parsing a flow node"),
        (["--params", "nowhere.yaml"], "nowhere.yaml is not there"),
        (["--params", "n.ipynb"], "is no YAML, JSON or TOML file by its name"),
        (["--params"], "Option '--params' requires an argument"),
        (["-o", "n.py", "-p", "limit=1"], "is named as a notebook as text"),
    ],
)
def test_what_does_not_fit_is_one_line_before_a_kernel_starts(notebook: Path, words: list[str], said: str) -> None:
    done = cellops("execute", notebook.name, *words)
    assert done.returncode == 2
    assert "Starting the kernel" not in done.stdout
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_each_problem_has_a_line_of_its_own(notebook: Path) -> None:
    done = cellops("execute", notebook.name, "--params", "wrong.yaml", "-p", "mode=slwo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "cellops: 5 parameters do not fit:",
        "  dept: there is no such parameter (did you mean depth?) (wrong.yaml)",
        "  model: there is no such parameter (did you mean mode?) (wrong.yaml)",
        "  model.rte: parameters stand at the top of the file (did you mean rate?) (wrong.yaml)",
        "  mode: 'slwo' is none of 'fast', 'slow' (did you mean 'slow'?); such as: -p mode fast",
        "  limit: int is expected, 1.5 was received (wrong.yaml); such as: 7",
        "The notebook declares depth: int, rate: float, mode: Literal['fast', 'slow'], folder: Path, limit: int",
    ]


def test_a_wrong_variable_is_named(notebook: Path) -> None:
    done = cellops("execute", notebook.name, "-p", "limit=1", CELLOPS_PARAM_DEPTH="many")
    assert (done.returncode, done.stdout) == (2, "")
    said = "depth: int is expected, 'many' was received (CELLOPS_PARAM_DEPTH); such as: CELLOPS_PARAM_DEPTH=4"
    assert said in done.stderr


def test_each_value_is_told_with_its_place(notebook: Path, project: Path) -> None:
    (project / "p.toml").write_text("rate = 0.5\ndepth = 2\n")
    words = ["execute", notebook.name, "-p", "depth=9", "--params", "p.toml"]
    done = cellops(*words, CELLOPS_PARAM_LIMIT="7", CELLOPS_PARAM_RATE="0.9", CELLOPS_PARAM_MODEL="x")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:6] == [
        "depth = 9 (-p)",
        "rate = 0.5 (p.toml)",
        "mode = 'fast' (default)",
        "folder = Path('data') (default)",
        "limit = 7 (CELLOPS_PARAM_LIMIT)",
        "CELLOPS_PARAM_MODEL is set, but this notebook has no such parameter (did you mean mode?)",
    ]


@pytest.mark.parametrize("words", [["n.ipynb", "--help"], ["--help", "n.ipynb"], ["-p", "x", "1", "n.ipynb", "-h"]])
def test_help_with_a_notebook_lists_its_parameters(notebook: Path, words: list[str]) -> None:
    done = cellops("execute", *words)
    assert done.returncode == 0
    listed = done.stdout.partition("Parameters of n.ipynb:")[2]
    assert [" ".join(line.split()) for line in listed.strip().splitlines()] == [
        "depth: int = 4 >= 1; of the trees",
        "rate: float = 0.1 >= 0, < 1",
        "mode: Literal['fast', 'slow'] = 'fast'",
        "folder: Path = Path('data')",
        "limit: int required",
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["x = 1"], "none"),
        (["%%mlops parameters\nx = = 1"], "is not plain Python"),
        (["%%mlops parameters\nx = 1", "%%mlops parameters\ny = 1"], "2 parameters cells: cell 1, cell 2"),
        (["%%mlops parameters\nx: int = 'a'"], "its default 'a' is no int"),
        (["%%mlops parameters\nx = print"], "its type takes no value from outside"),
    ],
)
def test_help_says_why_parameters_cannot_be_given(project: Path, cells: list[str], said: str) -> None:
    done = cellops("execute", write(project / "n.ipynb", *cells).name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: cellops execute")
    assert said in " ".join(done.stdout.partition("Parameters of n.ipynb:")[2].split())


def test_help_of_a_file_that_is_no_notebook_is_the_plain_one_with_the_reason(project: Path) -> None:
    (project / "n.ipynb").write_text("no json")
    done = cellops("execute", "n.ipynb", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: cellops execute")
    assert "is not JSON, so it is no notebook" in " ".join(done.stdout.split())
