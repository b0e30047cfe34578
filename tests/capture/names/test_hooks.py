"""Functions that cells give to IPython or Python to be called around later cells: slices hold what they change."""

import builtins
import gc
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cellops.capture.names.hooks import Hooks
from cellops.records.run import RunClosed
from support.kernel import Kernel
from support.trail import Trail

LOG = "log = []\ndef hook(*given): log.append(len(given))"
CALLS = """import sys
log = []
def f(): pass
def trace(frame, event, given):
    if frame.f_code.co_name == 'f': log.append(event)"""
FINDER = """import sys
log = []
class F:
    def find_spec(self, name, *given):
        if name == 'zz': log.append(1)"""
IMPORT = """import builtins
log, own = [], builtins.__import__
def mine(name, *given):
    log.append(name)
    return own(name, *given)"""
COLLECTION = """import gc
log = []
def hook(phase, told): log.append(phase)"""
TREE = """import ast
k = 3
class T(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.copy_location(ast.Constant(k), node) if node.value == 5 else node"""
CELLS = {
    "trace": [CALLS, "sys.settrace(trace)", "f()", "unused = 1", "sys.settrace(None)", "r = list(log)"],
    "profile": [CALLS, "sys.setprofile(trace)", "f()", "unused = 1", "sys.setprofile(None)", "r = list(log)"],
    "finder": [FINDER, "sys.meta_path.insert(0, F())", "try: import zz\nexcept ImportError: pass", "r = list(log)"],
    "import": [IMPORT, "builtins.__import__ = mine", "import math", "builtins.__import__ = own", "r = 'math' in log"],
    "collection": [COLLECTION, "gc.callbacks.append(hook)", "n = gc.collect()", "gc.callbacks.remove(hook)",
                   "r = 'start' in log"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def hooks() -> Iterator[None]:
    kept = sys.gettrace(), sys.getprofile(), builtins.__import__, [*sys.meta_path], [*gc.callbacks]
    yield
    sys.settrace(kept[0])
    sys.setprofile(kept[1])
    builtins.__import__ = kept[2]
    sys.meta_path[:], gc.callbacks[:] = kept[3:]


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_functions_around_cells_left(cells: list[str]) -> None:
    trail = Trail()
    for cell in (*cells, "result = r"):
        trail.run(cell)
    assert trail.replay()["result"] == trail.namespace["result"]


def test_functions_of_libraries_around_cells_are_nobodys_concern() -> None:
    assert Hooks(SimpleNamespace(events=SimpleNamespace(callbacks={"e": [gc.collect]}))).installed().all == frozenset()


def test_a_cell_beside_what_was_registered_before_capturing_may_use_and_change_anything() -> None:
    given: dict[str, Any] = {"__name__": "__main__"}
    exec("def hook(*given): pass", given)
    gc.callbacks.append(given["hook"])
    effects = Trail().run("x = 1").effects
    assert effects is not None
    assert effects.unknown == ("it ran beside functions that were to be called since before capturing began",)


def run(kernel: Kernel, *cells: str) -> RunClosed:
    for cell in cells:
        kernel.run(cell)
    return kernel.closed()[-1]


REGISTERED = {
    "before cells": (
        {0, 1, 2, 3},
        [LOG, "get_ipython().events.register('pre_run_cell', hook)", "x = 1", "y = 1"],
        "len(log)",
        3,
    ),
    "behind cells, and what binds a name": (
        {0, 1, 2, 3},
        ["n = 0\ndef hook(*given):\n    global n\n    n += 1",
         "ip = get_ipython()\nip.events.register('post_execute', hook)", "x = 1", "y = 1"],
        "n", 3,
    ),
    "no longer": (
        {0, 1, 2, 3},
        [LOG, "get_ipython().events.register('pre_run_cell', hook)", "x = 1",
         "get_ipython().events.unregister('pre_run_cell', hook)", "y = 1"],
        "len(log)", 2,
    ),
    "on the source": (
        {0, 1, 2, 3},
        ["k = '5'\ndef put(lines): return [line.replace('AAA', k) for line in lines]",
         "get_ipython().input_transformers_cleanup.append(put)", "k = '7'", "x = AAA", "y = 1"],
        "x", 7,
    ),
    "on the tree": (
        {0, 1, 2, 3},
        [TREE, "get_ipython().ast_transformers.append(T())", "k = 4", "x = 5", "y = 1"],
        "x", 4,
    ),
    "where results are displayed": (
        {0, 1, 2},
        ["log = []\ndef show(value, printer, cycle): log.append(value)",
         "get_ipython().display_formatter.formatters['text/plain'].for_type(int, show)", "5", "y = 1"],
        "sum(log)", 5,
    ),
    "where something is raised": (
        {0, 1, 2},
        ["log = []\ndef told(shell, *given, **more): log.append(1)",
         "get_ipython().set_custom_exc((ValueError,), told)", "raise ValueError", "y = 1"],
        "len(log)", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("places", "cells", "read", "value"), REGISTERED.values(), ids=REGISTERED)
def test_what_is_registered_with_ipython(
    loaded: Kernel, places: set[int], cells: list[str], read: str, value: int
) -> None:
    closed = run(loaded, *cells, f"%%mlops run\nr = {read}")
    assert closed.metrics["r"] == value
    assert closed.slice is not None
    assert {place - 1 for place in closed.slice.cells} >= places


def test_a_run_that_reads_nothing_of_what_they_do_needs_no_cell_around_which_they_ran(loaded: Kernel) -> None:
    cells = (LOG, "get_ipython().events.register('pre_run_cell', hook)", "x = 1", "y = 1", "%%mlops run\nr = x + 1")
    found = run(loaded, *cells).slice
    assert found is not None
    assert found.cells == (1, 2, 3, 5)
