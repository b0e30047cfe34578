"""What goes on now, at the bottom of a terminal: the cell that is executed, or a line for each step."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cellops.records.execution import CellProgress, CellState
from cellops.records.step_progress import StepProgress, StepState
from cellops.screens.console import above, console, in_notebook, plain
from cellops.screens.execution import LONGEST_TITLE, place, progress, stage
from cellops.screens.steps import step

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

KERNEL_STARTS = "the kernel starts"
BESIDE = 12
"""Characters of a line for what stands beside its text: that it moves, and its time."""
WAITING = "waits until it is tried again"


class Watch(NamedTuple):
    """What is told of an execution."""

    cell: Callable[[CellProgress], None]
    stage: Callable[[str], None]
    step: Callable[[StepProgress], None]


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """What shows cells, steps, and what takes a while: at a terminal also what goes on now, with its time.

    The lines of what goes on are taken away again, so that what stays is the same as in a file.
    """
    screen = console()
    if in_notebook() or not screen.is_terminal or screen.is_dumb_terminal:
        yield Watch(progress, stage, step)
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    # A line that the terminal breaks cannot be taken away again: these keep within its real width.
    screen.width = shutil.get_terminal_size().columns
    room = max(screen.width - BESIDE, 1)
    text = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", max_width=room))
    columns = (SpinnerColumn(), text, TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as bottom, above(screen):
        live = Live(bottom)
        yield Watch(live.cell, live.stage, live.step)


class Live:
    """The lines at the bottom: one for each step that is executed; else one for the cell, or for what takes a while."""

    def __init__(self, bottom: "Progress") -> None:
        self._bottom = bottom
        self._whole = bottom.add_task("", visible=False)
        self._steps: dict[str, TaskID] = {}

    def cell(self, event: CellProgress) -> None:
        text = f"{place(event)}  {plain(event.title[:LONGEST_TITLE])}"
        if event.step is None:
            self._show(text)
        elif event.step in self._steps:
            self._update(event.step, text if event.state is CellState.RUNNING else place(event))
        progress(event)
        self._bottom.refresh()

    def stage(self, what: str) -> None:
        self._show(plain(what))
        stage(what)
        self._bottom.refresh()

    def step(self, event: StepProgress) -> None:
        if event.state is StepState.RUNNING:
            self._bottom.update(self._whole, visible=False)
            self._steps[event.step] = self._bottom.add_task(_of_step(event.step, KERNEL_STARTS))
        elif event.state is StepState.AGAIN:
            self._update(event.step, WAITING)
        elif event.step in self._steps:
            self._bottom.remove_task(self._steps.pop(event.step))
        step(event)
        self._bottom.refresh()

    def _show(self, text: str) -> None:
        self._bottom.reset(self._whole, description=text, visible=True)

    def _update(self, name: str, text: str) -> None:
        self._bottom.update(self._steps[name], description=_of_step(name, text))


def _of_step(name: str, text: str) -> str:
    return f"step {plain(name)}  {text}"
