"""Runs that only show something: executed again, what differs in it is not called identical."""

import pytest

from cellops.flows.verify import verify
from cellops.pipeline.verify.outputs import ALL_TIME, MARKUP, ORDER, PART_TIME
from cellops.records.proof import Verdict
from support.kernel import Kernel

IDENTICAL, UNTOLD, DIVERGED = Verdict.IDENTICAL, Verdict.NOT_COMPARED, Verdict.DIVERGED
TIMER = "def timed():\n    took = perf_counter()\n    print(f'fold 1: {took:.6f} s')"


@pytest.mark.parametrize(
    ("above", "source", "verdict", "note"),
    [
        ("", "print(f'mean delay {2.5 if again() else 1.5} min')", DIVERGED, ""),
        ("", "print('score', 5 if again() else '(number)')", DIVERGED, ""),
        ("", "HTML(f'<b>x</b><svg><path d=\"M0 {again():d}\"/></svg>')", DIVERGED, MARKUP),
        ("", "print('{2.5, 1.5}' if again() else '{1.5, 2.5}')", DIVERGED, ORDER),
        (TIMER, "timed()", UNTOLD, PART_TIME),
        ("", "%time again();", DIVERGED, ALL_TIME),
    ],
    ids=["delay", "words", "picture", "order", "timer", "nothing else"],
)
def test_a_run_that_shows_something_else_is_not_identical(
    loaded: Kernel, monkeypatch: pytest.MonkeyPatch, *, above: str, source: str, verdict: Verdict, note: str
) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")
    loaded.run("import os\nfrom time import perf_counter\nfrom IPython.display import HTML\nfirst = os.getpid()")
    loaded.run(f"def again():\n    return os.getpid() != {pid_of(loaded)}")
    loaded.run(above or "pass")
    loaded.run(f"%%mlops run\n{source}")
    proof = verify()
    (shown,) = (one for one in proof.cells[-1].comparisons if one.kind == "output")
    assert shown.verdict is verdict
    assert shown.note.startswith(note)
    assert proof.verdict is (DIVERGED if verdict is DIVERGED else IDENTICAL)


def pid_of(loaded: Kernel) -> int:
    return int(loaded.run("print(os.getpid())").streams)
