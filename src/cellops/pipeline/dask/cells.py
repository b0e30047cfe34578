"""Cells of a step while a worker executes them: what is told of them there, and heard here."""

import time
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import msgspec

from cellops.errors import NotebookError
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.redacting import redact_notebook
from cellops.records.execution import CellProgress, CellState

if TYPE_CHECKING:
    from nbformat import NotebookNode

LARGEST = 100_000
"""Bytes of a cell that is told while the step goes on, as the scheduler keeps what was told; all come at the end."""
OF_THE_TIME = 20
"""Saving takes at most one part in so many of the time: a huge notebook is saved less often."""


class Relay:
    """Tells, on a worker, what goes on in the cells of a step, and what they show, without secrets.

    Parameters
    ----------
    made
        The notebook of the step.
    tell
        Takes dictionaries of texts and numbers.
    """

    def __init__(self, made: "NotebookNode", tell: Callable[[dict[str, Any]], None]) -> None:
        self._made = made
        self._tell = tell
        self._index: int | None = None
        """Of the cell that is executed."""
        self._shown: dict[int, bytes] = {}

    def tell(self, event: CellProgress) -> None:
        """A cell begins, or ends."""
        self._index = event.index if event.state is CellState.RUNNING else None
        self._tell({"cell": event.to_dict(), **self._what_shows(event.index)})

    def save(self) -> None:
        """Tell what the cell has shown until now."""
        if shown := self._what_shows(self._index):
            self._tell(shown)

    def _what_shows(self, index: int | None) -> dict[str, Any]:
        if index is None:
            return {}
        cell = redact_notebook(self._made).cells[index]
        text = msgspec.json.encode(cell)
        if len(text) > LARGEST or self._shown.get(index) == text:
            return {}
        self._shown[index] = text
        return {"index": index, "executed": text.decode()}


class Attempt:
    """Hears, on this machine, what a worker tells of the cells of a step, and puts it into the notebook.

    Parameters
    ----------
    made
        The notebook of the step; what its cells have shown is put into it.
    use
        Who is told of cells, and what saves the notebook.
    """

    def __init__(self, made: "NotebookNode", use: KernelRun) -> None:
        self._made = made
        self._use = use
        self._before = deepcopy(made.cells)
        self._running: tuple[CellProgress, float] | None = None
        self._next_save = 0.0

    def hear(self, told: dict[str, Any]) -> None:
        from nbformat import from_dict

        if "executed" in told:
            cell: NotebookNode = from_dict(msgspec.json.decode(told["executed"]))  # type: ignore[no-untyped-call]
            _show(self._made.cells[told["index"]], cell)
        if "cell" in told:
            event = msgspec.convert(told["cell"], CellProgress)
            self._running = (event, time.monotonic()) if event.state is CellState.RUNNING else None
            self._use.tell(event)
        started = time.monotonic()
        if started > self._next_save:
            # A full disk is told when the notebook is saved for the last time; until then there may be room again.
            with suppress(NotebookError):
                self._use.save()
            self._next_save = time.monotonic() + OF_THE_TIME * (time.monotonic() - started)

    def begin_again(self) -> None:
        """Forget what cells have shown: whoever executed them is lost."""
        if self._running is not None:
            event, began = self._running
            self._use.tell(event.replace(state=CellState.FAILED, seconds=time.monotonic() - began))
        self._running = None
        self._made.cells = deepcopy(self._before)
        self._use.save()

    def end(self, executed: "NotebookNode") -> None:
        """Take all that the executed notebook of the step shows."""
        for cell, other in zip(self._made.cells, executed.cells, strict=True):
            _show(cell, other)
        self._made.metadata.update(executed.metadata)
        self._use.save()


def _show(cell: "NotebookNode", executed: "NotebookNode") -> None:
    """Give a cell what it has shown; its source stays, as the executed one is without secrets."""
    cell.metadata = executed.metadata
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = executed.outputs, executed.execution_count
