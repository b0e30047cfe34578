"""A proof in lines: what was not compared gives no distance, and each step is named above its cells."""

import pytest

from cellops.records.proof import CellProof, Comparison, Proof, Verdict
from cellops.screens.proof import headline, proof


def made(*cells: CellProof) -> Proof:
    return Proof(
        run="a" * 32,
        name="fitted",
        verdict=Verdict.IDENTICAL,
        environment="same",
        tolerance=1e-9,
        started=0,
        seconds=1,
        seconds_of_run=1,
        seconds_of_replay=1,
        cells=cells,
        folder="proofs",
    )


def cell(kernel: str, *comparisons: Comparison) -> CellProof:
    return CellProof(
        order=1, execution_count=1, kernel=kernel, source="x = 1", verdict=Verdict.IDENTICAL, comparisons=comparisons
    )


def test_what_was_not_compared_gives_no_distance() -> None:
    clock = Comparison(kind="value", name="begun", verdict=Verdict.NOT_COMPARED, difference=1e-8)
    assert ": identical · 1 cell, 0 things compared, 1 not" in headline(made(cell("", clock)))


def test_each_step_stands_above_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    proof(made(cell("step load"), cell("step load"), cell("step fit")))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.startswith("step ")] == ["step load", "step fit"]
    proof(made(cell("")))
    assert "step" not in capsys.readouterr().out
