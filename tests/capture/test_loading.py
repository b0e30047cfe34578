"""A cell that loads the extension and does more is the first one on the trail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cellops.capture.journal import read
from cellops.capture.loading import only_sets_up
from cellops.flows.verify import verify
from cellops.records.cell import CellRecord, Outcome
from cellops.records.proof import Verdict
from cellops.records.slice import Slice
from cellops.settings import load
from support.kernel import TIMEOUT, Kernel

SETUP = "import os\nrate = 3\n%load_ext cellops\nimport math, random\nscale = rate * 2"
RUN = "%%mlops run\ntotal = math.sqrt(scale + rate)\nplace = os.sep"


def test_a_run_has_the_cell_that_loads_in_its_slice_and_is_verified(kernel: Kernel, project: Path) -> None:
    kernel.run(SETUP, cell_id="first")
    kernel.run("beside = 1")
    kernel.run(RUN)
    first, run = kernel.cells()[0], kernel.closed()[0]
    assert (first.order, first.execution_count, first.cell_id, first.source) == (1, 1, "first", SETUP)
    assert (first.outcome, first.writes) == (Outcome.OK, ("os", "rate", "math", "random", "scale"))
    assert run.slice == Slice(cells=(1, 3))
    assert _alone(kernel, (1, 3)) == "15.0"
    assert verify(run.run, settings=load()).verdict is Verdict.IDENTICAL


def _alone(kernel: Kernel, orders: tuple[int, ...]) -> str:
    """The run's number, times five and rounded, from a kernel that executes these cells only."""
    other = Kernel(kernel.project, {"CELLOPS_WRITER": "false"})
    sources = [cell.source for cell in kernel.cells() if cell.order in orders]
    try:
        for source in sources:
            assert other.run(source).status == "ok"
        return other.run("round(total * 5, 0)").results[0]
    finally:
        other.stop()


@pytest.mark.parametrize("verb", ["load_ext", "reload_ext"])
def test_names_of_earlier_cells_stay_from_before_capturing(kernel: Kernel, verb: str) -> None:
    kernel.run("old = kept = 3")
    kernel.run(f"kept = 4\n%{verb} cellops\nif kept == 3:\n    old = 1")
    kernel.run("%%mlops run\ntotal = kept / 2")
    kernel.run("%%mlops run\ntotal = old / 2")
    assert [run.slice for run in kernel.closed()] == [
        Slice(cells=(1, 2)),
        Slice(cells=(3,), widened=("In [4] used old, bound before capturing began",)),
    ]


def test_loading_again_in_a_cell_begins_a_trail_with_it(loaded: Kernel) -> None:
    loaded.run("old = 1")
    loaded.run("%unload_ext cellops\n%load_ext cellops\nrate = 4")
    loaded.run("%%mlops run\ntotal = rate / 2")
    loaded.run("%reload_ext cellops\nrate = 5")
    loaded.run("%%mlops run\ntotal = rate / 2")
    trails: dict[str, list[tuple[int, int | None]]] = {}
    for cell in loaded.cells():
        trails.setdefault(cell.session, []).append((cell.order, cell.execution_count))
    assert sorted(trails.values()) == [[(1, 2)], [(1, 3), (2, 4)], [(1, 5), (2, 6)]]
    assert {run.slice for run in loaded.closed()} == {Slice(cells=(1, 2))}
    proofs = [verify(run.run, settings=load()) for run in loaded.closed()]
    assert [proof.verdict for proof in proofs] == [Verdict.IDENTICAL] * 2


def test_all_that_a_first_cell_brings_by_a_star_is_its_own(kernel: Kernel) -> None:
    kernel.run("from math import *\n%load_ext cellops\nrate = 4")
    kernel.run("%%mlops run\ntotal = sqrt(rate)")
    found = kernel.closed()[0].slice
    assert found is not None
    assert found.cells == (1, 2)
    assert not any("before capturing" in text for text in found.widened)


def test_a_cell_that_fails_behind_loading_is_recorded_as_failed(kernel: Kernel) -> None:
    done = kernel.run("kept = 4\n%load_ext cellops\nheld = 2\n1 / 0\nlost = 3")
    assert done.status == "error"
    kernel.run("%%mlops run\ntotal = kept / held")
    first, _ = kernel.cells()
    assert (first.outcome, first.error and first.error.type, first.error and first.error.line) == (
        Outcome.ERROR,
        "ZeroDivisionError",
        4,
    )
    assert kernel.closed()[0].slice == Slice(cells=(1, 2))


@pytest.mark.parametrize("above", ["", "%%capture held\n", "%%time\n"])
def test_it_is_recorded_once_below_other_magics_and_when_it_awaits(kernel: Kernel, above: str) -> None:
    wait = "" if above else "import asyncio\nawait asyncio.sleep(0)\n"
    assert kernel.run(f"{above}{wait}%load_ext cellops\nrate = 4").status == "ok"
    kernel.run("%%mlops run\ntotal = rate / 2")
    assert [cell.order for cell in kernel.cells()] == [1, 2]
    assert kernel.closed()[0].slice == Slice(cells=(1, 2))


@pytest.mark.parametrize(
    ("source", "only"),
    [
        ("%load_ext cellops", True),
        ("# first\n\n%load_ext cellops\n  # off: %unload_ext\n%load_ext autoreload\n%autoreload 2\n", True),
        ("%matplotlib inline\n%reload_ext cellops", True),
        ("%load_ext cellops\nimport os", False),
        ("%load_ext cellops\n%run setup.py", False),
        ("%load_exts = 3", False),
    ],
)
def test_a_cell_that_only_loads_is_not_recorded(kernel: Kernel, source: str, only: bool) -> None:
    assert only_sets_up(source) is only
    if only:
        kernel.run(source)
        kernel.run("rate = 3")
        assert [cell.source for cell in kernel.cells()] == ["rate = 3"]


def test_in_the_terminal_too(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", "--simple-prompt", "-i"],
        input="import os; rate = 4; get_ipython().run_line_magic('load_ext', 'cellops'); twice = rate * 2\nrate\n",
        env={"CELLOPS_WRITER": "false", "IPYTHONDIR": str(project / "ipython"), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "cellops" in done.stdout
    (journal,) = (project / ".cellops" / "journal").glob("*.jsonl")
    cells = [event for event, _ in read(journal) if isinstance(event, CellRecord)]
    assert [(cell.order, cell.execution_count, cell.writes) for cell in cells] == [
        (1, 1, ("os", "rate", "twice")),
        (2, 2, ()),
    ]


@pytest.mark.parametrize(("environment", "called"), [({}, ["cellops"]), ({"CELLOPS_EXECUTION": "e" * 32}, [])])
def test_no_page_is_called_where_nobody_looks(environment: dict[str, str], called: list[str], project: Path) -> None:
    kernel = Kernel(project, {"CELLOPS_WRITER": "false", **environment})
    try:
        loading = kernel.run("%load_ext cellops")
        assert loading.status == "ok"
        kernel.client.comm_info("cellops")
        reply = kernel.client.get_shell_msg(timeout=TIMEOUT)
        assert [one["target_name"] for one in reply["content"]["comms"].values()] == called
    finally:
        kernel.stop()
