"""A sweep: what it is about to do, its trials as they end, and what it has come to."""

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cellops.records.execution import CellProgress, CellState
from cellops.records.sweep import SweepPlan, Swept, Trial, TrialState
from cellops.screens.console import above, command, console, count, in_notebook, plain, say, shown
from cellops.screens.execution import stage

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

MARKS = {
    TrialState.COMPLETED: "[green]✓[/]",
    TrialState.FAILED: "[red]✗[/]",
    TrialState.PRUNED: "[yellow]✂[/]",
    TrialState.STOPPED: "[yellow]■[/]",
}
MOST = 20
"""Trials that the table shows."""
LONGEST = 24
LONGEST_ERROR = 160
BESIDE = 24
"""Characters of a line of progress for what stands beside its text."""


class SweepWatch(NamedTuple):
    """What is told of a sweep."""

    plan: Callable[[SweepPlan], None]
    trial: Callable[[Trial], None]
    cell: Callable[[int, CellProgress], None]
    stage: Callable[[str], None]


@contextlib.contextmanager
def sweeping() -> Iterator[SweepWatch]:
    """What shows trials as they end: at a terminal also those that go on now, and how many are done."""
    screen = console()
    lines = Lines()
    if in_notebook() or not screen.is_terminal or screen.is_dumb_terminal:
        yield SweepWatch(lines.plan, lines.trial, lambda _, __: None, stage)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    # As in `live`: a line that the terminal breaks cannot be taken away again.
    screen.width = shutil.get_terminal_size().columns
    room = max(screen.width - 2 * BESIDE, 8)
    text = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", max_width=room))
    columns = (SpinnerColumn(), text, BarColumn(bar_width=16), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as bottom, above(screen):
        live = Live(bottom, lines)
        yield SweepWatch(live.plan, live.trial, live.cell, stage)


class Lines:
    """A line for each trial that has ended."""

    def __init__(self) -> None:
        self._metric = "value"

    def plan(self, plan: SweepPlan) -> None:
        begun = plan.begun
        self._metric = begun.metric
        for name, text in begun.space.items():
            say(f"{plain(name)} in {plain(text)}")
        for name, text in begun.fixed.items():
            say(f"{plain(name)} = {plain(text)} [dim](fixed)[/]")
        for note in plan.notes:
            say(f"[dim]{plain(note)}[/]")
        many = "Trials" if plan.planned is None else count(plan.planned, "trial")
        before = f", {plan.done:,} of them done before" if plan.done else ""
        seed = f" with seed {begun.seed}" if begun.sampler != "grid" else ""
        direction = "maximize" if begun.maximize else "minimize"
        say(f"{many}{before}, chosen by {begun.sampler}{seed}, to {direction} {plain(begun.metric)}")

    def trial(self, trial: Trial) -> None:
        if trial.state is TrialState.RUNNING:
            return
        came = "" if trial.value is None else f"  {plain(self._metric)} {_text(trial.value)}"
        why = f"  {plain(_cut(trial.error, LONGEST_ERROR))}" if trial.error else ""
        word = "" if trial.state in (TrialState.COMPLETED, TrialState.FAILED) else f"  {trial.state.value}"
        say(f"{MARKS[trial.state]} trial {trial.number:>3}  {trial.seconds:6.1f} s{came}{word}  {_values(trial)}{why}")


class Live:
    """The lines at the bottom: one for the whole, and one for each trial that goes on, with the cell that it is in."""

    def __init__(self, bottom: "Progress", lines: Lines) -> None:
        self._bottom = bottom
        self._lines = lines
        self._whole: TaskID | None = None
        self._trials: dict[int, tuple[TaskID, str]] = {}
        """The line of a trial by its number, and its values."""
        self._cells: dict[int, CellProgress] = {}
        """In which cell a trial is, which may be told before the trial itself."""
        self._changing = threading.Lock()

    def plan(self, plan: SweepPlan) -> None:
        self._lines.plan(plan)
        self._whole = self._bottom.add_task("trials", total=plan.planned, completed=plan.done)

    def trial(self, trial: Trial) -> None:
        with self._changing:
            if trial.state is TrialState.RUNNING:
                line = self._line(trial.number, _values(trial))
                self._trials[trial.number] = (self._bottom.add_task(line, total=None), _values(trial))
            else:
                self._cells.pop(trial.number, None)
                if trial.number in self._trials:
                    self._bottom.remove_task(self._trials.pop(trial.number)[0])
                if self._whole is not None and trial.state is not TrialState.STOPPED:
                    self._bottom.advance(self._whole)
        self._lines.trial(trial)
        self._bottom.refresh()

    def cell(self, number: int, cell: CellProgress) -> None:
        """Called from the threads of trials; the screen shows it with its next picture."""
        if cell.state is not CellState.RUNNING:
            return
        with self._changing:
            self._cells[number] = cell
            if number in self._trials:
                task, values = self._trials[number]
                self._bottom.update(task, description=self._line(number, values))

    def _line(self, number: int, values: str) -> str:
        cell = self._cells.get(number)
        if cell is None:
            return f"trial {number}  {values}"
        place = "parameters" if cell.index is None else f"cell {cell.index + 1}/{cell.total}"
        return f"trial {number}  {place}  {values}  {plain(_cut(cell.title, LONGEST))}"


def swept(found: Swept) -> None:
    """What a sweep has come to: its trials, the best first, and what executes the notebook with the best values."""
    from rich.table import Table

    begun = found.begun
    names = list(begun.space)
    if found.trials:
        table = Table("trial", begun.metric, *map(plain, names), "took", "state", box=None, pad_edge=False)
        ranked = sorted(found.trials, key=lambda trial: _rank(trial, maximize=begun.maximize))
        for trial in ranked[:MOST]:
            value = "" if trial.value is None else _text(trial.value)
            is_best = found.best is not None and trial.number == found.best.number
            bold = "[bold]" if is_best else ""
            cells = [plain(_cut(_text(trial.values.get(name)), LONGEST)) for name in names]
            table.add_row(
                f"{bold}{trial.number}",
                f"{bold}{value}",
                *(f"{bold}{cell}" for cell in cells),
                f"{trial.seconds:.1f} s",
                f"{MARKS[trial.state]} {trial.state.value}",
            )
        console().print(table)
        if len(ranked) > MOST:
            say(f"[dim]and {count(len(ranked) - MOST, 'more trial')}: {plain(shown(found.folder))}[/]")
    again = [trial for trial in found.trials if trial.also_measured_by]
    if again:
        say(
            f"[yellow]{plain(begun.metric)} was logged by {len(again[0].also_measured_by) + 1} runs of a trial; "
            "that of the last one counts.[/]"
        )
    if found.best is not None:
        _best(found)
    if found.unsynced is not None:
        say(f"[yellow]{plain(found.unsynced)}[/]")


class SweepPicture:
    """What a notebook shows of a sweep below its lines; readers without HTML get the best trial in a line."""

    def __init__(self, found: Swept) -> None:
        self._found = found

    def __repr__(self) -> str:
        return self._found.told()

    def _repr_html_(self) -> str:
        return self._found.as_html()


def _best(found: Swept) -> None:
    best = found.best
    assert best is not None  # noqa: S101 - the caller looks
    run = f", {command(f'show {best.runs[-1][:8]}')}" if best.runs else ""
    say(f"Best: trial {best.number} with {found.begun.metric} {_text(best.value)}{run}", markup=False)
    say(f"  {found.command}", markup=False)
    if found.plot is not None:
        say(f"Picture: {shown(found.plot)}", markup=False)


def _rank(trial: Trial, *, maximize: bool) -> tuple[int, float, int]:
    order = [TrialState.COMPLETED, TrialState.PRUNED, TrialState.STOPPED, TrialState.FAILED]
    value = 0.0 if trial.value is None else trial.value
    return order.index(trial.state), -value if maximize else value, trial.number


def _values(trial: Trial) -> str:
    return plain(" ".join(f"{name}={_cut(_text(value), LONGEST)}" for name, value in trial.values.items()))


def _text(value: object) -> str:
    return f"{value + 0.0:.6g}" if isinstance(value, float) else str(value)  # of minus zero the sign says nothing


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
