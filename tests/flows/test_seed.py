"""`cellops execute --seed`: the same numbers each time, in one kernel and in those of steps, and on the record."""

from pathlib import Path

import nbformat
import pytest

from cellops.flows.execute import Execution, execute
from cellops.flows.steps import StepOptions, explain
from cellops.flows.verify import verify
from cellops.records.execution import CellProgress, CellState
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
    first = execute(notebook, seed=7, summary=project / "summary.md")
    assert first.executed.cells == 2
    assert "Executed 2 code cells in" in (project / "summary.md").read_text()
    assert "_random.seed(7)" in Path(first.executed.output).read_text()
    assert printed(execute(Path(first.executed.output))) == printed(first)
    assert printed(execute(notebook, seed=8)) != printed(first)


def test_a_run_is_seeded_and_proven(project: Path) -> None:
    done = execute(write(project / "n.ipynb", LOAD, DRAW, RUN), seed=7)
    assert not any(finding.code == "unseeded-randomness" for finding in done.runs[0].findings)
    proof = verify("drawn")
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
    assert "_random.seed(7)" in proof.cells[0].source
    assert not proof.notes


def test_the_seed_decides_whether_a_step_is_kept(project: Path) -> None:
    steps = f"%%mlops step draw\n{DRAW}", f"%%mlops step add\n{RUN}"
    notebook = write(project / "n.ipynb", LOAD, *steps)
    cached = StepOptions(cache=True)
    first = execute(notebook, steps=cached, seed=7, summary=project / "summary.md")
    assert first.executed.cells == 3
    assert "Executed 3 code cells in" in (project / "summary.md").read_text()
    done: list[tuple[int | None, int, str]] = []

    def tell(event: CellProgress) -> None:
        if event.state is CellState.DONE:
            done.append((event.index, event.total, event.title))

    proof = verify(first.runs[0].run, on_progress=tell)
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
    assert not proof.notes
    assert done == [(0, 2, "step draw"), (1, 2, "step add")]
    shown = [cell.source.partition("\n")[0] for cell in proof.cells if not cell.left_out]
    assert shown == ["%%mlops step draw", "%%mlops step add"]
    again = execute(notebook, steps=cached, seed=7)
    assert (again.executed.cells, again.runs[0].run) == (0, first.runs[0].run)
    (draw, add) = explain(notebook, steps=cached, seed=8).steps
    assert (draw.state, draw.reasons) == (StepState.RUNNING, ("options: --seed 7 → --seed 8",))
    assert add.state is StepState.RUNNING


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("name", ["seed", "cellops-seed"])
def test_a_cell_of_the_users_stays_whatever_its_name_and_tag(name: str, project: Path, *, cached: bool) -> None:
    own = "threshold = 5\nimport random\nrandom.seed(42)"
    notebook = write(project / "n.ipynb", LOAD, own, "%%mlops step use\nprint(threshold)")
    read = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    read.cells[1].update(id=name, metadata={"tags": [name]})
    nbformat.write(read, notebook)  # type: ignore[no-untyped-call]
    told: list[int | None] = []
    steps = StepOptions(cache=True) if cached else None
    done = execute(notebook, steps=steps, seed=7, on_progress=lambda event: told.append(event.index))
    assert printed(done).endswith("5\n")
    assert cached or 1 in told
    cells = nbformat.read(done.executed.output, as_version=4).cells  # type: ignore[no-untyped-call]
    assert len({cell.id for cell in cells}) == len(cells) == 4


@pytest.mark.parametrize("steps", [None, StepOptions(cache=True)])
def test_another_seed_takes_the_place_of_the_one_before(steps: StepOptions | None, project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, f"%%mlops step draw\n{DRAW}\nprint(x)")
    first = execute(notebook, steps=steps, seed=7)
    again = write(project / "again.ipynb", "")
    again.write_bytes(Path(first.executed.output).read_bytes())
    assert printed(execute(again, steps=steps, seed=8)) == printed(execute(notebook, steps=steps, seed=8))
    assert printed(execute(again, steps=steps, seed=7)) == printed(first)
    edited = nbformat.read(again, as_version=4)  # type: ignore[no-untyped-call]
    edited.cells[0].source += "\nprint('mine')"
    nbformat.write(edited, again)  # type: ignore[no-untyped-call]
    assert "mine" in printed(execute(again, steps=steps, seed=8))
