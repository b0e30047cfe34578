"""`cellops graph` and `%mlops graph` on notebooks as people write them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import cellops
from support.kernel import Kernel
from support.notebooks import LOAD, write

STEPS = (
    LOAD,
    "import math",
    "%%mlops step load --retries 2\nrows = [1.0, 4.0]",
    "%%mlops step roots\nroots = [math.sqrt(row) for row in rows]",
    "%%mlops step sums\ntotal = sum(rows)",
    "%%mlops step report\nprint(roots, total)",
)
CIRCLE = ("%%mlops step a\nx = 1", "%%mlops step b\ny = x\nnowhere", "%%mlops step a\nz = y")


def graph(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cellops", "graph", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_the_steps_stand_one_in_a_line_for_a_pipe(project: Path) -> None:
    write(project / "train.ipynb", *STEPS)
    done = graph("train.ipynb")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "train.ipynb: 4 steps in 3 levels",
        "1  load    cell 3 · with 1 · 2 retries",
        "2  roots   cell 4 · with 1-2  takes rows of load",
        "2  sums    cell 5 · with 1  takes rows of load",
        "3  report  cell 6 · with 1  takes roots of roots  takes total of sums",
    ]


def test_python_gets_the_graph_as_a_record(project: Path) -> None:
    found = cellops.graph(write(project / "train.ipynb", *STEPS))
    assert found.levels == (("load",), ("roots", "sums"), ("report",))
    assert found.needed("sums") == ("load", "sums")


def test_problems_are_told_with_their_cells_and_the_exit_code_is_1(project: Path) -> None:
    write(project / "train.ipynb", *CIRCLE)
    done = graph("train.ipynb")
    assert done.returncode == 1
    assert "train.ipynb: 2 steps, which wait for each other" in done.stdout
    assert "error cell 2, line 3: step b reads nowhere, which nothing above binds" in done.stdout
    assert "error cell 3: the steps a, b wait for each other: b needs x of a; a needs y of b" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "begins"), [("g.svg", "<svg"), ("g.json", "{"), ("g.mmd", "flowchart TD")])
def test_the_name_of_the_file_says_the_format(project: Path, name: str, begins: str) -> None:
    write(project / "train.ipynb", *STEPS)
    done = graph("train.ipynb", "-o", name)
    assert (done.returncode, done.stdout) == (0, f"The graph of train.ipynb: {name}\n")
    assert (project / name).read_text(encoding="utf-8").startswith(begins)


def test_other_programs_get_the_format_alone(project: Path) -> None:
    write(project / "train.ipynb", *CIRCLE)
    done = graph("train.ipynb", "--format", "json")
    read = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert [step["name"] for step in read["steps"]] == ["a", "b"]
    assert {problem["code"] for problem in read["problems"]} == {"missing-producer", "cycle"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["tarin.ipynb"], 2, "There is no notebook tarin.ipynb. Did you mean train.ipynb?"),
        (["."], 2, ". is a folder, no notebook. Give the path of a notebook; there are train.ipynb"),
        (["train.ipynb", "-o", "g.png"], 2, "The format of g.png is not known"),
        (["train.ipynb", "-o", "g.svg", "--format", "text"], 2, "The format of g.svg is not known"),
        (["train.ipynb", "-o", "gone/g.svg"], 2, "gone/g.svg cannot be written: No such file or directory"),
        (["train.ipynb", "--format", "dot"], 2, "Invalid value for '--format'"),
    ],
)
def test_what_is_typed_wrong_gets_one_clear_line(project: Path, words: list[str], code: int, said: str) -> None:
    write(project / "train.ipynb", *STEPS)
    done = graph(*words)
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_notebook_shows_its_own_graph(loaded: Kernel) -> None:
    write(loaded.project / "train.ipynb", *CIRCLE)
    loaded.run(f"import os; os.environ['JPY_SESSION_NAME'] = {str(loaded.project / 'train.ipynb')!r}")
    done = loaded.run("%reload_ext cellops\n%mlops graph")
    assert done.status == "ok", done.traceback
    page = done.displays[-1]["text/html"]
    ET.fromstring(re.sub(r"^<div[^>]*>|</div>$", "", page.strip()))
    assert "✗ cell 3: cycle" in page
    assert done.displays[-1]["text/plain"] == "train.ipynb: a · b"
    assert "step b reads nowhere" in done.streams


def test_a_kernel_without_a_notebook_asks_for_one(loaded: Kernel) -> None:
    loaded.run("import os; os.environ.pop('JPY_SESSION_NAME', None); os.environ.pop('CELLOPS_NOTEBOOK', None)")
    done = loaded.run("%reload_ext cellops\n%mlops graph")
    assert "This kernel does not know its notebook. Name it: %mlops graph NOTEBOOK" in done.traceback
    write(loaded.project / "other.ipynb", *STEPS)
    assert "load" in loaded.run("%mlops graph other.ipynb").displays[-1]["text/html"]
