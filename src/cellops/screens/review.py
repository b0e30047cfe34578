"""What waits for a reviewer, and the way through it at a terminal."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cellops.errors import InputError, UsageError, printable
from cellops.records.base import Value
from cellops.records.review import Disagreement, Reviewed, ReviewFile, ReviewQueue, ReviewRow, ReviewState
from cellops.screens.console import console, count, plain, say, shown

if TYPE_CHECKING:
    from cellops.flows.review_session import Review

MOST_INPUTS = 4
"""Inputs that a line of the list shows."""
MOST_DISAGREEMENTS = 10
SKIP, UNDO, QUIT = "s", "u", "q"
END = ("\x04", "\x1a")
"""Ctrl-D, and Ctrl-Z of Windows, where the terminal hands them on as characters."""


def reviewing(begun: "Review") -> None:
    """Take a person through the queue, one row after the other; what was labelled is kept whatever ends it.

    Raises
    ------
    UsageError
        When there is no terminal.
    """
    with begun:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            fact = "Rows are labelled one by one at a terminal only"
            raise UsageError(fact, remedy="Use --list, or --export FILE.csv and --import FILE.csv")
        for note in begun.notes:
            say(f"[dim]{plain(note)}[/]")
        state = begun.state()
        if state.row is None:
            say(f"Nothing of {state.model} waits that no other reviewer is looking at", markup=False)
            return
        while state.row is not None:
            _show(state)
            word = _asked(state)
            if word == QUIT:
                break
            state = _done(begun, state, word)
            say(f"[dim]{plain(state.said)}[/]")
    reviewed(begun.finish())


def reviewed(done: Reviewed) -> None:
    skipped = f", {done.skipped} skipped" if done.skipped else ""
    already = f", {done.already} were there already" if done.already else ""
    say(f"{count(done.labelled, 'label')} by {done.reviewer} in {shown(done.place)}{skipped}{already}", markup=False)
    _disagreements(done.disagreements)


def review_queue(found: ReviewQueue, *, as_json: bool) -> None:
    from rich.table import Table

    if as_json:
        print(found.to_pretty_json().decode(), end="")
        return
    held = f", {found.held} of them before other reviewers" if found.held else ""
    say(f"[bold]{plain(found.model)}[/]: {count(found.waiting, 'answer')} of {plain(found.target)} wait{held}")
    by = ", ".join(f"{who} {number:,}" for who, number in found.reviewed.items())
    say(f"  with a label: {found.labelled:,}{f', by reviewers: {plain(by)}' if by else ''}")
    for note in found.notes:
        say(f"  [dim]{plain(note)}[/]")
    if found.rows:
        table = Table("prediction", "answer", "why", "inputs", "held by", box=None, pad_edge=False)
        for row in found.rows:
            table.add_row(*map(plain, _line(row)))
        console().print(table)
    if len(found.rows) < found.waiting:
        say(f"[dim]and {found.waiting - len(found.rows):,} more: --limit says how many are listed[/]")
    _disagreements(found.disagreements)


def review_file(written: ReviewFile, *, waiting: bool) -> None:
    if waiting:
        say(f"{count(written.rows, 'row')} in {shown(written.path)}: fill in the column label", markup=False)
    else:
        disputed = f", {written.disputed} disputed" if written.disputed else ""
        said = f"{count(written.rows, 'labelled row')} in {shown(written.path)}, {written.reviewed} reviewed{disputed}"
        say(said, markup=False)
    for note in written.notes:
        say(f"  [dim]{plain(note)}[/]")


def _show(state: ReviewState) -> None:
    row = state.row
    if row is None:
        return
    say(f"\n[bold]{plain(state.model)}[/] · {state.left:,} wait, {state.labelled} labelled · {plain(state.reviewer)}")
    say(f"  [dim]{plain(row.prediction_id)} · {plain(row.time)}[/]")
    cells = [(each.name, _text(each.value, each.note)) for each in row.inputs]
    width = max((len(printable(name)) for name, _ in cells), default=0)
    for name, text in cells:
        say(f"  {plain(name)}{' ' * (width - len(printable(name)))}  {plain(text)}")
    before = "" if row.before is None else f" · labelled {row.before} before"
    say(f"  [bold]{plain(state.target)}[/]: answered {plain(row.answer)} · {plain(row.why)}{plain(before)}")
    say("  " + "   ".join(_choices(state)) + "   \\[s]kip   \\[u]ndo   \\[q]uit")


def _choices(state: ReviewState) -> Iterator[str]:
    if not state.choices:
        yield f"[bold]a number of {plain(state.target)}[/], and Enter"
    for choice in state.choices:
        chance = "" if choice.probability is None else f" [dim]{choice.probability:.2f}[/]"
        key = f"\\[{plain(choice.key)}] " if choice.key else ""
        yield f"{key}[bold]{plain(choice.label)}[/]{chance}"


def _asked(state: ReviewState) -> str:
    """A key, or where there are too many labels for keys a line; the end of the input is a wish to quit."""
    if any(choice.key for choice in state.choices):
        try:
            pressed = click.getchar()
        except EOFError:
            return QUIT
        return QUIT if pressed in END else pressed
    sys.stdout.write("> ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() or QUIT


def _done(begun: "Review", state: ReviewState, word: str) -> ReviewState:
    if word == SKIP:
        return begun.skip()
    if word == UNDO:
        return begun.undo()
    label: Value = next((choice.label for choice in state.choices if choice.key == word), None)
    if label is None and any(choice.key for choice in state.choices):
        return begun.state("There is no such key")
    try:
        return begun.label(word if label is None else label)
    except InputError as error:
        return begun.state(error.text())


def _line(row: ReviewRow) -> tuple[str, ...]:
    cells = [f"{each.name}={_text(each.value, each.note)}" for each in row.inputs]
    inputs = "  ".join(cells[:MOST_INPUTS]) + ("  …" if len(cells) > MOST_INPUTS else "")
    return row.prediction_id, str(row.answer), row.why, inputs, row.held_by or ""


def _text(value: Value, note: str) -> str:
    if value is None:
        return f"({note})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _disagreements(found: tuple[Disagreement, ...]) -> None:
    for each in found[:MOST_DISAGREEMENTS]:
        said = ", ".join(f"{who} says {label}" for who, label in each.labels.items())
        say(f"[yellow]Reviewers disagree[/] {plain(each.prediction_id)}: {plain(said)}; the last one holds")
    if len(found) > MOST_DISAGREEMENTS:
        say(f"and {len(found) - MOST_DISAGREEMENTS} more")
