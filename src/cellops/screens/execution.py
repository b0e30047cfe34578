"""The cells of a pipeline as they end, and what the whole gave."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cellops.records.execution import CellProgress, CellState
from cellops.screens.console import above, console, count, in_notebook, plain, say
from cellops.screens.gates import gates
from cellops.screens.runs import run_line

if TYPE_CHECKING:
    from cellops.flows.execute import Execution

LONGEST_TITLE = 60
Watch = tuple[Callable[[CellProgress], None], Callable[[str], None]]


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """What shows the cells, and what takes a while: at a terminal also the one that goes on now, with its time.

    The line of what goes on is taken away again, so that what stays is the same as in a file.
    """
    if in_notebook() or not console().is_terminal:
        yield progress, stage
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=True), TimeElapsedColumn())
    screen = console()
    with Progress(*columns, console=screen, transient=True) as live, above(screen):
        going_on = live.add_task("")

        def show(cell: CellProgress) -> None:
            progress(cell)
            live.reset(going_on, description=f"{_place(cell)}  {plain(cell.title[:LONGEST_TITLE])}")

        def tell(what: str) -> None:
            stage(what)
            live.reset(going_on, description=plain(what))

        yield show, tell


def progress(cell: CellProgress) -> None:
    """One line for each cell that has ended."""
    if cell.state is CellState.RUNNING:
        return
    mark = "[green]✓[/]" if cell.state is CellState.DONE else "[red]✗[/]"
    say(f"{mark} {_place(cell)}  {cell.seconds:6.1f} s  {plain(cell.title[:LONGEST_TITLE])}")


def _place(cell: CellProgress) -> str:
    place = "parameters" if cell.index is None else f"cell {cell.index + 1:>2} of {cell.total}"
    return f"{place:<{len(f'cell 00 of {cell.total}')}}"


def stage(what: str) -> None:
    """What takes a while now."""
    say(f"[dim]{plain(what)} …[/]")


def executed(done: "Execution") -> None:
    say(
        f"Executed {count(done.executed.cells, 'cell')} in {done.executed.seconds:.1f} s: {plain(done.executed.output)}"
    )
    for found in done.runs:
        say(run_line(found), markup=False)
    gates(done.gates)
    if done.unsynced is not None:
        say(f"[yellow]{plain(done.unsynced)}[/]")
    elif not done.runs and done.executed.cells:
        say("[yellow]No cell that was executed opened a run. Begin the cell that trains with: %%mlops run[/]")
