"""The cells of a pipeline as they end, and what the whole gave."""

from typing import TYPE_CHECKING

from cellops.records.execution import CellProgress, CellState
from cellops.screens.console import count, plain, say
from cellops.screens.runs import run_line

if TYPE_CHECKING:
    from cellops.flows.execute import Execution

LONGEST_TITLE = 60


def progress(cell: CellProgress) -> None:
    """One line for each cell that has ended."""
    if cell.state is CellState.RUNNING:
        return
    mark = "[green]✓[/]" if cell.state is CellState.DONE else "[red]✗[/]"
    place = "parameters" if cell.index is None else f"cell {cell.index + 1:>2} of {cell.total}"
    say(
        f"{mark} {place:<{len(f'cell 00 of {cell.total}')}}  {cell.seconds:6.1f} s  {plain(cell.title[:LONGEST_TITLE])}"
    )


def stage(what: str) -> None:
    """What takes a while now."""
    say(f"[dim]{plain(what)} …[/]")


def executed(done: "Execution") -> None:
    say(
        f"Executed {count(done.executed.cells, 'cell')} in {done.executed.seconds:.1f} s: {plain(done.executed.output)}"
    )
    for found in done.runs:
        say(run_line(found), markup=False)
    if done.unsynced is not None:
        say(f"[yellow]{plain(done.unsynced)}[/]")
    elif not done.runs:
        say("[yellow]The notebook opened no run. Begin the cell that trains with: %%mlops run[/]")
