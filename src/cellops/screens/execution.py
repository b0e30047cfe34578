"""The cells of a pipeline as they end, and what the whole gave."""

from typing import TYPE_CHECKING

from cellops.records.execution import CellProgress, CellState
from cellops.screens.console import count, plain, say
from cellops.screens.gates import gates
from cellops.screens.runs import run_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellops.flows.execute import Execution

LONGEST_TITLE = 60


def progress(cell: CellProgress) -> None:
    """One line for each cell that has ended."""
    if cell.state is CellState.RUNNING:
        return
    mark = "[green]✓[/]" if cell.state is CellState.DONE else "[red]✗[/]"
    say(f"{mark} {place(cell)}  {cell.seconds:6.1f} s  {plain(cell.title[:LONGEST_TITLE])}")


def place(cell: CellProgress) -> str:
    """A cell by its place in the notebook, as wide as that of any other."""
    text = "parameters" if cell.index is None else f"cell {cell.index + 1:>2} of {cell.total}"
    return f"{text:<{len(f'cell 00 of {cell.total}')}}"


def stage(what: str) -> None:
    """What takes a while now; a sentence with its full stop is a fact that is to be known."""
    say(f"[dim]{plain(what)}{'' if what.endswith('.') else ' …'}[/]")


def executed(done: "Execution", seconds: float) -> None:
    """What an execution gave; `seconds` is what the person has waited for it, the kernels' part stands beside."""
    cells = count(done.executed.cells, "cell")
    of_kernels = f"{done.executed.seconds:.1f} s until the notebook was done"
    say(f"Executed {cells} in {seconds:.1f} s ({of_kernels}): {plain(done.executed.output)}")
    for found in done.runs:
        say(run_line(found), markup=False)
    gates(done.gates)
    if done.unsynced is not None:
        say(f"[yellow]{plain(done.unsynced)}[/]")
    elif not done.runs and done.executed.cells:
        say(f"[yellow]No cell that was executed opened a run. {plain(_remedy(done.executed.steps_left_out))}[/]")


def _remedy(left_out: "Sequence[str]") -> str:
    """How an execution comes to a run."""
    if not left_out:
        return "Begin the cell that trains with: %%mlops run"
    verb = "opens one, and was" if len(left_out) == 1 else "open runs, and were"
    return f"Step {' and step '.join(left_out)} {verb} not asked for: leave --step out, or name it"
