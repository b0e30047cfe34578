"""Runs of steps in kernels of their own are executed again from the data on, whatever became of their execution."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cellops.errors import NotebookError
from cellops.flows.execute import execute
from cellops.flows.runs import show
from cellops.flows.steps import StepOptions
from cellops.flows.sync import sync
from cellops.flows.verify import verify
from cellops.records.proof import CellProof, Proof, Verdict
from support.processes import started
from support.proofs import in_short

CELLS = (
    "import pandas as pd\nimport random\nimport time\nbegun = time.time()",
    "%%mlops parameters\nrate: float = 0.5",
    "class Box:\n    def __init__(self, content):\n        self.content = content",
    "%%mlops step load\nfrom helpers import read\ndf = read('data.csv')\nbox = Box([1, 2])\ninside = box.content",
    "%%mlops step aside\nunused = 5",
    "%%mlops step train\n%%mlops run --name trained\nloss = float(df['a'].sum()) * rate + len(box.content)",
    "box.content.append(3)\nnoise = random.random()",
    "%%mlops step judge\n%%mlops run --name judged\nscore = loss + noise + len(box.content) + rate",
)


@pytest.fixture(autouse=True)
def _no_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")


def write(path: Path, *sources: str) -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])  # type: ignore[no-untyped-call]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "python3", "language": "python"}
    nbformat.write(made, path)  # type: ignore[no-untyped-call]
    return path


def of_cell(proof: Proof, text: str) -> CellProof:
    return next(cell for cell in proof.cells if text in cell.source)


def differing(proof: Proof) -> tuple[str, str] | None:
    """The first thing that differs: the first line of its cell, and its name."""
    for cell in proof.cells:
        for one in cell.comparisons:
            if one.verdict is Verdict.DIVERGED:
                return cell.source.splitlines()[0], one.name
    return None


def test_a_run_of_a_step_is_executed_again_from_the_data_on(project: Path) -> None:
    (project / "data.csv").write_text("a\n1\n2\n")
    (project / "helpers.py").write_text("import pandas as pd\n\ndef read(path):\n    return pd.read_csv(path)\n")
    notebook = write(project / "pipeline.ipynb", *CELLS)
    execute(notebook, {"rate": "0.25"}, steps=StepOptions(cache=True))

    proof = verify("judged")
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
    assert {"df", "inside"} <= {one.name for one in of_cell(proof, "step load").comparisons}
    assert not any("unused" in cell.source for cell in proof.cells)
    executed = nbformat.read(Path(proof.folder) / "executed.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    assert [cell.source for cell in executed.cells if cell.source.startswith("## ")] == [
        "## Step load",
        "## Step train",
        "## Step judge",
    ]
    assert all(cell.execution_count for cell in executed.cells[2:] if cell.cell_type == "code")

    shown = subprocess.run(
        [sys.executable, "-m", "cellops", "show", "judged"], capture_output=True, text=True, check=True
    )
    assert "\n  cells      step load: In [1], " in shown.stdout
    assert "\n             step judge: In [" in shown.stdout

    write(notebook, *CELLS[:-1], CELLS[-1].replace("+ rate", "- rate"))
    again = execute(notebook, {"rate": "0.25"}, steps=StepOptions(cache=True))
    assert [run.name for run in again.runs] == ["trained", "judged"]
    proof = verify("judged")
    assert proof.run == again.runs[1].run
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)

    sync()
    for journal in (project / ".cellops" / "journal").iterdir():
        journal.unlink()
    (project / "data.csv").write_text("a\n1\n4\n")
    proof = verify("judged")
    assert proof.verdict is Verdict.DIVERGED
    assert differing(proof) == ("%%mlops step load", "data.csv")
    assert proof.first_divergence is not None
    assert proof.first_divergence.where.startswith("step load, In [")

    (project / "data.csv").write_text("a\n1\n2\n")
    (project / "helpers.py").write_text("import pandas as pd\n\ndef read(path):\n    return pd.read_csv(path) * 2\n")
    proof = verify("judged")
    assert differing(proof) == ("%%mlops step load", "df")
    assert proof.causes[0].code == "changed-code"


def test_the_first_step_that_came_out_otherwise_is_named(project: Path) -> None:
    notebook = write(
        project / "pipeline.ipynb",
        "import numpy as np",
        "%%mlops step draw\nx = np.random.default_rng().random(3)\nunread = x + 1",
        "%%mlops step sum\n%%mlops run --name summed\ntotal = float(x.sum())",
    )
    execute(notebook, {}, steps=StepOptions(jobs=2))
    proof = verify("summed")
    assert proof.verdict is Verdict.DIVERGED
    assert differing(proof) == ("%%mlops step draw", "x")
    assert proof.causes[0].code == "unseeded-randomness"
    (note,) = (note for note in proof.notes if "unread" in note)
    assert note.startswith("step draw, In [")


KILLED = (
    "%load_ext cellops\nimport math",
    "%%mlops step load\nimport random\nrandom.seed(3)\nvalues = [random.random() for _ in range(5)]",
    """%%mlops step middle
import os, threading
if os.path.exists('runner'):
    with open('runner', 'w') as held:
        print('begun', file=held, flush=True)
        threading.Event().wait()
if os.path.exists('kill'):
    os.kill(os.getpid(), 9)
doubled = [2 * value for value in values]""",
    "%%mlops step train\n%%mlops run --name trained\nloss = math.fsum(doubled)",
)


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_what_kernel_and_runner_were_killed_in_is_resumed_and_proven(project: Path) -> None:
    notebook = write(project / "pipeline.ipynb", *KILLED)
    undisturbed = execute(notebook, {}, steps=StepOptions(jobs=1)).runs[0]

    pipe = project / "runner"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "cellops", "execute", str(notebook), "--jobs", "1"]
    with started(command, stdout=subprocess.DEVNULL) as running, pipe.open() as kernel:
        assert kernel.readline() == "begun\n"
        running.kill()
        assert kernel.read() == ""  # the end of the file is the kernel's
    pipe.unlink()
    (project / "kill").touch()
    with pytest.raises(NotebookError, match="the kernel was killed by signal 9"):
        execute(notebook, {}, steps=StepOptions(resume=True))
    (project / "kill").unlink()

    steps = {}
    resumed = execute(
        notebook, {}, steps=StepOptions(resume=True), on_step=lambda event: steps.update({event.step: event.state})
    )
    assert steps == {"load": "reused", "middle": "done", "train": "done"}
    assert [run.metrics for run in resumed.runs] == [undisturbed.metrics]
    proof = verify(resumed.runs[0].run)
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
    assert of_cell(proof, "step load").executed
    assert show(resumed.runs[0].run).proof == "identical"


def test_a_parameter_that_only_another_step_uses_does_not_speak_of_a_run(project: Path) -> None:
    notebook = write(
        project / "pipeline.ipynb",
        "%load_ext cellops",
        "%%mlops parameters\nrows: int = 600\nrate: float = 1.0",
        "%%mlops step load\nx = list(range(rows))",
        "%%mlops step train\n%%mlops run --name trained\nloss = sum(x) * rate",
    )
    execute(notebook, {"rows": "710"}, steps=StepOptions(jobs=1))
    proof = verify("trained")
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
    execute(notebook, {"rows": "710", "rate": "2"}, steps=StepOptions(jobs=1))
    proof = verify("last")
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
