"""A batch: how far it has come, and what it has come to."""

import contextlib
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from cellops.records.batch import BatchProgress, Scored, Streamed, Watched, WatchedFile
from cellops.records.finding import Severity
from cellops.screens.console import COLOURS, above, command, console, count, in_notebook, plain, say, shown

MOST = 10
"""Problems that are shown; the report has all."""


class ScoreWatch(NamedTuple):
    """What is told of a batch."""

    progress: Callable[[BatchProgress], None]
    file: Callable[[WatchedFile], None]


@contextlib.contextmanager
def scoring() -> Iterator[ScoreWatch]:
    """What shows files as they are done: at a terminal also a bar with rows a second and the time left."""
    screen = console()
    if in_notebook() or not screen.is_terminal or screen.is_dumb_terminal:
        yield ScoreWatch(lambda _: None, _file)
        return
    from rich.progress import BarColumn, Progress, TextColumn

    # As in `live`: a line that the terminal breaks cannot be taken away again.
    screen.width = shutil.get_terminal_size().columns
    columns = (BarColumn(bar_width=24), TextColumn("{task.description}"))
    with Progress(*columns, console=screen, transient=True) as bottom, above(screen):
        task = bottom.add_task("", total=None)

        def progress(told: BatchProgress) -> None:
            total = None if told.total is None else max(told.total, told.rows)
            bottom.update(task, total=total, completed=told.rows, description=_line(told))

        yield ScoreWatch(progress, _file)


def scored(done: Scored | Watched | Streamed, package: Path) -> None:
    """Where everything lies, and the gravest problems."""
    if isinstance(done, Streamed):
        say(f"{count(done.rows, 'message')} of {plain(done.source)} read, {done.set_aside} set aside")
        return
    if isinstance(done, Watched):
        say(f"{count(done.files, 'file')}, {count(done.rows, 'row')} answered, {done.bad} bad")
        return
    report = done.report
    resumed = f", {done.resumed} of {done.chunks} chunks done before" if done.resumed else ""
    say(f"{count(report.answered, 'row')} of {report.rows:,} answered by {plain(report.package)} {report.digest[:12]}")
    say(f"[dim]{done.seconds:.1f} s{resumed}[/]")
    for one in report.problems[:MOST]:
        where = f"{plain(one.column)} " if one.column else ""
        at = ", ".join(map(str, one.examples)) + (" …" if one.rows > len(one.examples) else "")
        mark = f"[{COLOURS[one.severity]}]{_word(one.severity)}[/]"
        say(f"{mark} {where}{plain(one.problem)}: {count(one.rows, 'row')} ({at})")
    if len(report.problems) > MOST:
        say(f"[dim]and {len(report.problems) - MOST} more kinds of problems[/]")
    say(f"Answers: {shown(done.output)}", markup=False)
    if done.rejects_file is not None:
        say(f"Set aside: {shown(done.rejects_file)}", markup=False)
    say(f"Report: {shown(done.report_file)}", markup=False)
    if done.drift_file is not None:
        words = shlex.join([shown(str(package)), shown(done.drift_file)])
        drawn = f", of {report.profiled:,} rows" if report.profiled < report.rows else ""
        say(f"Drift{drawn}: {command('drift')} {words}", markup=False)


def _word(severity: Severity) -> str:
    return "set aside" if severity is Severity.ERROR else severity.value


def _file(done: WatchedFile) -> None:
    if done.trouble is not None:
        say(f"[red]✗[/] {plain(done.name)}: {plain(done.trouble)}")
        return
    aside = f", {done.set_aside:,} set aside" if done.set_aside else ""
    say(f"[green]✓[/] {plain(done.name)}: {count(done.rows, 'row')}{aside}")


def _line(told: BatchProgress) -> str:
    of = "" if told.total is None else f" of {max(told.total, told.rows):,}"
    left = "" if told.left is None else f", {_time(told.left)} left"
    return f"{told.rows:,}{of} rows, {told.rate:,.0f} a second{left}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
