"""Workers that are forked from one state of a generator draw the same numbers, which is a finding."""

import pytest

from support.kernel import Kernel

POOL = (
    "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(3) as pool:\n"
    "    drawn = pool.map({}, range(3))"
)
FUNCTIONS = """
import numpy as np, random
from numpy import random as numpy_random
mine = np.random.default_rng(7)
def of_numpy(i): return np.random.rand()
def of_alias(i): return numpy_random.rand()
def of_mine(i): return mine.normal()
def inner(): return [np.random.rand() for _ in range(2)]
def through_another(i): return inner()
def of_python(i): return random.random()
def of_nothing(i): return np.sqrt(i)
def seeded(i): np.random.seed(i); return np.random.rand()
def of_its_own(i): return np.random.default_rng(i).normal()
"""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("of_numpy", "numpy's global generator, from which of_numpy draws"),
        ("of_alias", "numpy's global generator, from which of_alias draws"),
        ("of_mine", "mine, from which of_mine draws"),
        ("through_another", "numpy's global generator, from which inner draws"),
    ],
)
def test_workers_that_repeat_each_other_are_a_finding(loaded: Kernel, function: str, said: str) -> None:
    loaded.run(FUNCTIONS)
    assert loaded.run(POOL.format(function)).status == "ok"
    found = [finding.seen for finding in loaded.cells()[-1].findings if finding.code == "duplicate-streams"]
    assert found == [f"3 workers were forked with the same state of {said}"]


@pytest.mark.parametrize("function", ["of_python", "of_nothing", "of_its_own", "seeded"])
def test_workers_that_draw_from_nothing_shared_are_none(loaded: Kernel, function: str) -> None:
    loaded.run(FUNCTIONS)
    assert loaded.run(POOL.format(function)).status == "ok"
    assert "duplicate-streams" not in [finding.code for finding in loaded.cells()[-1].findings]


def test_one_child_repeats_nobody_and_is_not_recorded(loaded: Kernel) -> None:
    loaded.run(FUNCTIONS)
    done = loaded.run(
        "import os\nif (child := os.fork()) == 0: os._exit(int(of_numpy(1) * 0))\n_ = os.waitpid(child, 0)"
    )
    assert done.status == "ok"
    assert [finding.code for finding in loaded.cells()[-1].findings] == []
    assert len(loaded.cells()) == 2


def test_a_pool_after_unloading_hurts_nobody(loaded: Kernel) -> None:
    loaded.run(FUNCTIONS)
    loaded.run("%unload_ext cellops")
    assert loaded.run(POOL.format("of_numpy")).status == "ok"
