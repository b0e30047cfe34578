"""What a terminal shows of a proof."""

import pytest

from cellops import screens
from cellops.records.proof import CellProof, Comparison, Proof, Verdict


def made(verdict: Verdict) -> Proof:
    module = Comparison(kind="module", name="helper.py", verdict=Verdict.DIVERGED)
    cell = CellProof(order=1, source="x = 1", verdict=verdict)
    return Proof(
        run="a" * 32,
        name="trained",
        verdict=verdict,
        environment="same",
        tolerance=0.0,
        started=0.0,
        seconds=1.0,
        seconds_of_run=1.0,
        seconds_of_replay=1.0,
        cells=(cell,),
        modules=(module,),
    )


@pytest.mark.parametrize(("verdict", "mark"), [(Verdict.IDENTICAL, "?"), (Verdict.DIVERGED, "✗")])
def test_a_changed_module_is_marked_as_a_difference_only_where_the_run_differs(
    verdict: Verdict, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    screens.proof(made(verdict))
    shown = capsys.readouterr().out
    assert f"  {mark} module helper.py has been changed since the run" in shown
    assert ("✗" in shown) == (verdict is Verdict.DIVERGED)
