"""Asyncio tasks that cells leave behind: they go on between cells, and during later cells that await."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from types import CoroutineType, GeneratorType
from typing import Any
from weakref import ref

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.dataflow.scopes import awaits
from cellops.capture.names.libraries import root
from cellops.capture.names.owners import is_of_library, runs_own_code

HOSTS = frozenset(
    {
        "IPython",
        "anyio",
        "cellops",
        "comm",
        "debugpy",
        "ipykernel",
        "jupyter_client",
        "prompt_toolkit",
        "tornado",
        "zmq",
    }
)
"""What kernels are made of: their own tasks run no code of the notebook but its cells."""
NESTING = "nest_asyncio"
"""Lets tasks go on during cells that do not await."""
DEEPEST = 200
"""Coroutines that wait for each other that are looked through."""


class Tasks:
    """The tasks and callbacks that stand in the event loops in which cells run, but for those of the kernel itself.

    Nothing of them is held: a task that nobody refers to may go away at any time.
    """

    def __init__(self) -> None:
        self._loops: dict[int, ref[Any]] = {}
        self._known: dict[int, ref[Any]] = {}
        self.boundless = False
        """Whether some of them may use and change anything: those that stood before capturing began."""

    def start(self) -> None:
        """Take those that are there for started by nobody knows which code."""
        self.boundless = self.are_going_on()

    def are_going_on(self) -> bool:
        """Whether some have been left that may have gone on since, or may go on now."""
        before = bool(self._known)
        self._known = dict(self._find())
        return before or bool(self._known)

    def are_left(self, *, boundless: bool) -> bool:
        """Whether a cell leaves some that were not there when it began; `boundless` if it may have used anything."""
        known, self._known = self._known, dict(self._find())
        left = any(place not in known or known[place]() is not task() for place, task in self._known.items())
        self.boundless = bool(self._known) and (self.boundless or (left and boundless))
        return left

    def _find(self) -> Iterator[tuple[int, "ref[Any]"]]:
        with contextlib.suppress(RuntimeError):  # no loop runs in this thread
            running = asyncio.get_running_loop()
            self._loops[id(running)] = ref(running)
        for reference in self._loops.values():
            loop = reference()
            if loop is not None:
                yield from ((id(one), ref(one)) for one in _left_in(loop))


def let_go_on(source: str, flow: Dataflow) -> bool:
    """Whether tasks may go on while a cell runs: it awaits, itself or in what it gives to a magic."""
    in_a_magic = "await" in source and "get_ipython()" in source
    return NESTING in sys.modules or in_a_magic or awaits(flow.tree)


def runs_notebook(loop: Any) -> bool:
    """Whether code of the notebook, or of its project, stands in the tasks or callbacks of an event loop."""
    tasks = (task for task in asyncio.all_tasks(loop) if not all(map(is_of_library, modules_of(task))))
    return any(True for _ in tasks) or any(True for _ in _callbacks(loop))


def _left_in(loop: Any) -> Iterator[Any]:
    current = asyncio.current_task(loop)
    for task in asyncio.all_tasks(loop):
        if task is not current and not all(root(module) in HOSTS for module in modules_of(task)):
            yield task
    yield from _callbacks(loop)


def _callbacks(loop: Any) -> Iterator[Any]:
    """What a loop of python's own is to call soon, or later."""
    for handle in (*getattr(loop, "_ready", ()), *getattr(loop, "_scheduled", ())):
        given = (getattr(handle, "_callback", None), *(getattr(handle, "_args", None) or ()))
        if any(value is not None and runs_own_code(value) for value in given):
            yield handle


def modules_of(task: Any) -> Iterator[str]:
    """The modules of a task's coroutine, and of those that it waits for."""
    coroutine = task.get_coro()
    for _ in range(DEEPEST):
        if type(coroutine) is CoroutineType:
            frame, coroutine = coroutine.cr_frame, coroutine.cr_await
        elif type(coroutine) is GeneratorType:
            frame, coroutine = coroutine.gi_frame, coroutine.gi_yieldfrom
        else:
            return
        if frame is not None:  # one that has ended has none, until its loop has noticed
            name = frame.f_globals.get("__name__")
            yield name if type(name) is str else ""
