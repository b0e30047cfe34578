"""Whatever stands in the way of an execution is told at once, before a kernel starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.notebooks import LOAD, write

BAD = [
    LOAD,
    "%%mlops parameters\nseed: int = 'x'\nrate: float = 'y'",
    "%%mlops run --sed 5\nauc = 1 / 2",
    "%%mlops step a\nprint(auc)",
]
STEPS = [LOAD, "%%mlops step load\nx = [1]", "%%mlops step fit\n%%mlops run\nauc = len(x) / 2\nmodel = dict(a=x)"]


def cellops(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cellops", *words]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)


@pytest.mark.parametrize("more", [[], ["--explain"], ["--jobs", "2"]])
def test_all_that_is_wrong_with_a_notebook_is_told_at_once(project: Path, more: list[str]) -> None:
    write(project / "bad.ipynb", *BAD)
    done = cellops("execute", "bad.ipynb", "--gate", "aux >", "-p", "sed=1", *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "cellops: There are 3 errors:",
        "- The gate 'aux >' is wrong at character 6: something is missing here",
        "    aux >",
        "         ^",
        "  Write for example: auc >= 0.72, auc >= champion - 0.005, min_group(recall, carrier) >= 0.5",
        "- 3 parameters do not fit:",
        "    sed: there is no such parameter (did you mean seed?)",
        "    seed: its default 'x' is no int: correct it in cell 2",
        "    rate: its default 'y' is no float: correct it in cell 2",
        "  The notebook declares seed: int, rate: float",
        "- Cell 3: No such option '--sed'. Did you mean '--seed'? See: %%mlops run --help",
        "Nothing has been executed: correct them and start again",
    ]


def test_steps_are_looked_at_beside_parameters(project: Path) -> None:
    write(project / "steps.ipynb", *STEPS)
    done = cellops("execute", "steps.ipynb", "--step", "fti", "-p", "x", "1")
    assert done.returncode == 2
    assert "- The notebook has no parameters cell, so x cannot be set" in done.stderr
    assert "- steps.ipynb has no step fti. Did you mean fit? Its steps are load, fit" in done.stderr


def test_a_store_without_a_key_is_told_beside_the_rest(project: Path) -> None:
    write(project / "plain.ipynb", LOAD, "x = 1")
    done = cellops("execute", "plain.ipynb", "--step", "fti", "--store", "steps", "-p", "x", "1")
    assert done.returncode == 2
    assert "- Steps are kept in steps with a key of at least 16 characters" in done.stderr
    assert "so x cannot be set" in done.stderr
    done = cellops("execute", "plain.ipynb", "--step", "fit")
    assert "plain.ipynb has no step fit. Begin its steps with %%mlops step NAME" in done.stderr


def test_cells_that_are_no_python_are_told_before_a_kernel_starts(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(project / "ipython"))
    write(project / "plain.ipynb", LOAD, "x = 1\ny = (", "%%mlops rnu\nx = 1", "%%bash\nx = (", "z z\nz")
    done = cellops("execute", "plain.ipynb")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[:5] == [
        "cellops: There are 3 errors:",
        "- Cell 3: %%mlops rnu: no cell has this verb. Write %%mlops run",
        "- Cell 2, line 2: the cell is no Python: '(' was never closed",
        "    y = (",
        "        ^",
    ]
    assert "- Cell 5, line 1: the cell is no Python: invalid syntax" in done.stderr


def test_a_notebook_that_does_not_load_cellops_is_told_before_a_kernel_starts(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(project / "ipython"))
    write(project / "n.ipynb", "x = 1", "%%mlops run\nscore = 1 / 2")
    done = cellops("execute", "n.ipynb")
    assert (done.returncode, done.stdout) == (2, "")
    fact = "Cell 2 begins with %%mlops, and no cell loads cellops"
    assert done.stderr == f"cellops: {fact}. Begin the notebook with %load_ext cellops\n"


def test_a_notebook_that_is_not_there_is_told_once(project: Path) -> None:
    write(project / "steps.ipynb", *STEPS)
    (project / "stesps.ipynb").mkdir()
    done = cellops("execute", "stesp.ipynb", "--gate", "auc > 1")
    assert (done.returncode, done.stderr) == (
        2,
        "cellops: There is no notebook stesp.ipynb. Did you mean steps.ipynb?\n",
    )


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("aux > 1", "Did you mean auc?"),
        ("p94_latency_ms < 3", "_latency_ms?"),
        ("zzz > 1", "They compute auc\n"),
    ],
)
def test_a_gate_on_an_unknown_metric_names_what_it_can_name(project: Path, gate: str, said: str) -> None:
    write(
        project / "steps.ipynb",
        LOAD,
        "%%mlops run\nauc = 1 / 2\nmodel = Fit()\nmodel.fit(1)\nproba = model.predict(1)[:, 1]",
    )
    done = cellops("execute", "steps.ipynb", "--gate", gate)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_column_that_the_notebook_does_not_name_is_doubted_before_it_is_executed(project: Path) -> None:
    write(project / "steps.ipynb", *STEPS, "kind = 'b'")
    done = cellops("execute", "steps.ipynb", "--explain", "--gate", "min_group(recall, knid) > 0.1")
    assert done.returncode == 0
    assert "groups by knid, which the notebook does not name (did you mean kind?)" in done.stdout
    done = cellops("execute", "steps.ipynb", "--explain", "--gate", "min_group(recall, kind) > 0.1")
    assert "does not name" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "steps.ipynb"], "The executed notebook would replace steps.ipynb"),
        (["-o", "data.csv"], "The output data.csv would replace a file that is no notebook by its name"),
        (["-o", "."], "is a folder"),
        (["-o", "data.csv/out.ipynb"], "The output data.csv/out.ipynb cannot be written: Not a directory"),
        (["-o", f"{'a' * 300}.ipynb"], "cannot be written: File name too long"),
        (["--junit", "steps.ipynb"], "--junit would replace steps.ipynb, which the execution needs"),
        (["--summary", "p.yaml", "--params", "p.yaml"], "--summary would replace p.yaml, which the execution needs"),
        (["-o", "o.ipynb", "--junit", "o.ipynb"], "--junit would replace o.ipynb, which the execution needs"),
        (["--junit", "r", "--summary", "r"], "--summary would replace what --junit writes to r"),
        (["--step", ""], "--step is empty. Give it a value, or leave it out"),
        (["--store", ""], "--store is empty. Give it a value, or leave it out"),
        (["--seed", "x"], "'x' is not a valid integer. See: cellops execute --help"),
        (["--cache", "--resume"], "Give one of them"),
        (["--explain", "--junit", "r.xml"], "executes nothing and writes no file. Leave out --junit, or --explain"),
        (["--explain", "--timeout", "3", "-o", "o.ipynb"], "Leave out --output, --timeout, or --explain"),
    ],
)
def test_nothing_is_replaced_that_is_needed(project: Path, words: list[str], said: str) -> None:
    notebook = write(project / "steps.ipynb", *STEPS)
    (project / "data.csv").write_text("a,b")
    (project / "p.yaml").write_text("")
    before = notebook.read_bytes()
    done = cellops("execute", "steps.ipynb", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (notebook.read_bytes(), (project / "data.csv").read_text()) == (before, "a,b")


def test_a_file_that_is_no_notebook_is_refused(project: Path) -> None:
    (project / "broken.ipynb").write_text("no json")
    done = cellops("execute", "broken.ipynb", "-p", "x", "1")
    assert (done.returncode, "cellops: broken.ipynb is not JSON, so it is no notebook" in done.stderr) == (2, True)


@pytest.mark.parametrize("more", [[], ["--explain"], ["--jobs", "2"]])
@pytest.mark.usefixtures("project")
def test_a_notebook_that_is_not_there_leaves_nothing_where_it_would_stand(tmp_path: Path, more: list[str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = cellops("execute", str(elsewhere / "train.ipynb"), *more)
    assert (done.returncode, "There is no notebook" in done.stderr) == (2, True)
    assert list(elsewhere.iterdir()) == []
