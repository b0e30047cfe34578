"""`cellops execute --seed`: the same numbers each time, in one kernel and in those of steps, and on the record."""

from pathlib import Path

import nbformat
import pytest

from cellops.flows.execute import Execution, execute
from cellops.flows.steps import StepOptions, explain
from cellops.flows.verify import verify
from cellops.records.proof import Verdict
from cellops.records.step_progress import StepState
from support.proofs import in_short

LOAD = "%load_ext cellops"
DRAW = "import random\nimport numpy as np\nx = random.random() + float(np.random.rand())"
RUN = "%%mlops run --name drawn\ny = x + random.random()"


@pytest.fixture(autouse=True)
def _no_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")


def write(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)  # type: ignore[no-untyped-call]
    return path


def printed(done: Execution) -> str:
    cells = nbformat.read(done.executed.output, as_version=4).cells  # type: ignore[no-untyped-call]
    return "".join(out.text for cell in cells for out in cell.outputs if out.output_type == "stream")


def test_any_notebook_gives_the_same_numbers(project: Path) -> None:
    notebook = write(project / "plain.ipynb", DRAW, "print(x)")
    first = execute(notebook, seed=7)
    assert first.executed.cells == 2
    assert "_random.seed(7)" in Path(first.executed.output).read_text()
    assert printed(execute(Path(first.executed.output))) == printed(first)
    assert printed(execute(notebook, seed=8)) != printed(first)


def test_a_run_is_seeded_and_proven(project: Path) -> None:
    done = execute(write(project / "n.ipynb", LOAD, DRAW, RUN), seed=7)
    assert not any(finding.code == "unseeded-randomness" for finding in done.runs[0].findings)
    proof = verify("drawn")
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
    assert "_random.seed(7)" in proof.cells[0].source


def test_the_seed_decides_whether_a_step_is_kept(project: Path) -> None:
    steps = f"%%mlops step draw\n{DRAW}", f"%%mlops step add\n{RUN}"
    notebook = write(project / "n.ipynb", LOAD, *steps)
    cached = StepOptions(cache=True)
    first = execute(notebook, steps=cached, seed=7)
    proof = verify(first.runs[0].run)
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
    again = execute(notebook, steps=cached, seed=7)
    assert (again.executed.cells, again.runs[0].run) == (0, first.runs[0].run)
    (draw, add) = explain(notebook, steps=cached, seed=8).steps
    assert (draw.state, draw.reasons) == (StepState.RUNNING, ("--seed 8 changed",))
    assert add.state is StepState.RUNNING
