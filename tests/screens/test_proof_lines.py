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


SAME = Comparison(kind="outcome", name="ends", verdict=Verdict.IDENTICAL, before="ok", after="ok")
OTHER = Comparison(kind="value", name="x", verdict=Verdict.DIVERGED, before="1", after="2")


def test_every_cell_that_differs_says_in_what(capsys: pytest.CaptureFixture[str]) -> None:
    different = cell("", OTHER, OTHER, OTHER).replace(verdict=Verdict.DIVERGED)
    proof(made(different, different.replace(order=2), different.replace(order=3)))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines.count("✗ value x: 1 then, 2 now") == 3 + 2 + 3
    assert lines.count("and 1 more; proof.json has them all") == 1


@pytest.mark.parametrize("verdict", [Verdict.IDENTICAL, Verdict.DIVERGED])
def test_cells_that_prepare_a_step_are_shown_where_they_differ(
    verdict: Verdict, capsys: pytest.CaptureFixture[str]
) -> None:
    above = cell("step fit", SAME).replace(source="taken = 1", verdict=verdict, prepares=True)
    proof(made(above, cell("step fit", SAME).replace(order=2)))
    shown = capsys.readouterr().out
    assert ("taken = 1" in shown) == (verdict is Verdict.DIVERGED)
    assert ("step fit · 1 cell above it identical" in shown) == (verdict is Verdict.IDENTICAL)


def test_a_cell_that_fails_otherwise_than_it_did_is_no_same_failure() -> None:
    ends = SAME.replace(before="fails with ValueError in line 2", after="fails with ValueError in line 2")
    assert cell("", ends).failure == "fails with ValueError in line 2, as it did then"
    assert not cell("", ends.replace(after="fails with KeyError", verdict=Verdict.DIVERGED)).failure
    assert not cell("", SAME).failure
    assert not cell("").failure


def test_each_step_stands_above_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    proof(made(cell("step load"), cell("step load"), cell("step fit")))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.startswith("step ")] == ["step load", "step fit"]
    proof(made(cell("")))
    assert "step" not in capsys.readouterr().out
