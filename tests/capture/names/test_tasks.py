"""Asyncio tasks that cells leave behind: slices hold the cells that they work on in, and what they use by then."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from cellops.capture.dataflow.analysis import analyse
from cellops.capture.names.tasks import let_go_on, modules_of
from cellops.records.run import RunClosed
from support.kernel import Kernel
from support.trail import Trail

RUN = "%%mlops run --name total\ntotal = sum(results) / 8"
BEGIN = "import asyncio, functools\nresults, settings, go = [], {'factor': 1}, asyncio.Event()"
WORK = """
async def work():
    await go.wait()
    results.append(settings['factor'])
"""
BINDING = """
async def work():
    global results
    await go.wait()
    results = [4]
"""
POLL = """
ready = False
def work():
    if ready:
        results.append(settings['factor'])
        go.set()
    else:
        loop.call_later(0.001, work)
work()
"""
AWAIT = "go.set()\nawait asyncio.sleep(0.01)"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    found = Kernel(tmp_path, {"CELLOPS_WRITER": "false"})
    yield found
    found.stop()


def run(kernel: Kernel, *cells: str) -> RunClosed:
    """What the record of the run says that the last cell is."""
    for cell in cells:
        done = kernel.run(cell)
        assert done.status == "ok", done.traceback
    return kernel.closed()[-1]


LEFT = {
    "a task that uses what is bound after it was made": (
        {0, 1, 2, 3, 5},
        [BEGIN, f"{WORK}\nt = asyncio.create_task(work())", "results = []", "settings['factor'] = 5", "unused = 1",
         AWAIT],
    ),
    "a task that binds a name": (
        {0, 1, 3},
        [BEGIN, f"{BINDING}\nt = asyncio.create_task(work())", "unused = 1", AWAIT],
    ),
    "a task that ends between two cells": (
        {0, 1},
        [BEGIN, f"{WORK}\nt = asyncio.create_task(work())\ngo.set()", "settings['factor'] = 3", "unused = 1"],
    ),
    "a task in a task of a library": (
        {0, 1, 2, 4},
        [BEGIN, f"{WORK}\nt = asyncio.create_task(asyncio.wait_for(work(), 60))", "results = []", "unused = 1", AWAIT],
    ),
    "a callback that is called later": (
        {0, 1, 2, 4, 5},
        [BEGIN, f"loop = asyncio.get_running_loop()\n{POLL}", "results = []", "unused = 1", "ready = True",
         "await go.wait()"],
    ),
    "a callback of a library's loop": (
        {0, 1, 2, 4, 5},
        [BEGIN, f"from tornado.ioloop import IOLoop\nloop = IOLoop.current()\n{POLL}", "results = []", "unused = 1",
         "ready = True", "await go.wait()"],
    ),
    "a callback of something that is awaited": (
        {0, 1, 2, 4},
        [BEGIN, "f = asyncio.get_running_loop().create_future()\nf.add_done_callback(lambda _: results.append(4))",
         "results = []", "unused = 1", "f.set_result(1)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "cells"), LEFT.values(), ids=LEFT)
def test_a_slice_holds_what_tasks_did(kernel: Kernel, expected: set[int], cells: list[str]) -> None:
    kernel.run("%load_ext cellops")
    closed = run(kernel, *cells, RUN)
    assert closed.metrics["total"] > 0
    assert closed.slice is not None
    assert {order - 1 for order in closed.slice.cells} == {*expected, len(cells)}
    assert closed.slice.widened == ()


def test_what_stood_before_capturing_may_use_anything(kernel: Kernel) -> None:
    kernel.run(f"{BEGIN}\n{WORK}\nt = asyncio.create_task(work())")
    kernel.run("%load_ext cellops")
    closed = run(kernel, "results = []", "unused = 1", AWAIT, RUN)
    assert closed.slice is not None
    assert closed.slice.cells == (1, 2, 3, 4)
    assert "In [3] may have used and changed anything: it ran beside a task" in " ".join(closed.slice.widened)


def test_kernels_leave_no_tasks_of_their_own(kernel: Kernel) -> None:
    kernel.run("%load_ext cellops\nimport asyncio")
    for cell in ("await asyncio.sleep(0.001)", "await asyncio.wait_for(asyncio.sleep(0.001), 9)", "x = 1", "y = 2"):
        kernel.run(cell)
    assert [cell.effects.tasks for cell in kernel.cells() if cell.effects] == [False] * 5


@pytest.mark.parametrize(
    ("source", "awaited"),
    [
        ("x = await f()", True),
        ("async with f() as g: pass", True),
        ("async for x in f(): pass", True),
        ("x = [y async for y in f()]", True),
        ("if True:\n    print(await f())", True),
        ("get_ipython().run_line_magic('time', 'await f()')", True),
        ("async def f():\n    await g()", False),
        ("f(lambda: [x for x in g])", False),
    ],
)
def test_tasks_go_on_in_cells_that_await(source: str, awaited: bool) -> None:
    assert let_go_on(source, analyse(source)) is awaited


def test_a_task_in_a_loop_of_a_thread_is_as_good_as_the_thread() -> None:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        trail = Trail(loop=loop)
        trail.run(f"{BEGIN}\n{WORK}")
        assert trail.run("x = 1").effects.unknown == ()
        trail.run("task = asyncio.run_coroutine_threadsafe(work(), loop)\nloop.call_soon_threadsafe(lambda: None)")
        assert trail.run("y = 1").effects.unknown == ("it ran beside a thread that an earlier cell had started",)
        loop.call_soon_threadsafe(trail.namespace["go"].set)
        trail.namespace["task"].result(60)
        assert trail.run("z = 1").effects.unknown == ()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_task_that_has_ended_is_of_no_module() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    async def look() -> tuple[list[str], list[str]]:
        task = asyncio.ensure_future(work())
        begun = list(modules_of(task))
        await task
        return begun, list(modules_of(task))

    assert asyncio.run(look()) == ([__name__], [])
