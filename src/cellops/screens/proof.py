"""A proof: the verdict, its cells with what differs, likely causes, and what it does not speak of."""

from collections.abc import Iterable
from itertools import groupby

from cellops.records.cell import place
from cellops.records.proof import CellProof, Comparison, Proof, Verdict, share
from cellops.screens.console import count, plain, say, shown

MARKS = {
    Verdict.IDENTICAL: "[green]✓[/]",
    Verdict.WITHIN_TOLERANCE: "[green]≈[/]",
    Verdict.NOT_COMPARED: "[yellow]?[/]",
    Verdict.DIVERGED: "[red]✗[/]",
}
COLOURS = {Verdict.IDENTICAL: "green", Verdict.WITHIN_TOLERANCE: "green", Verdict.DIVERGED: "red"}
LONGEST_SOURCE = 60
MOST_DIFFERENCES = 8
MOST_FOLLOWING = 2
"""Differences of a cell behind the first one that differs: they mostly follow from it."""
MOST_NOTES = 5


def proof(made: Proof) -> None:
    say(f"[bold {COLOURS[made.verdict]}]{headline(made)}[/]")
    mark = MARKS[Verdict.DIVERGED if made.verdict is Verdict.DIVERGED else Verdict.NOT_COMPARED]
    for module in made.modules:
        if module.verdict is Verdict.DIVERGED:
            say(f"  {mark} module {plain(module.name)} has been changed since the run")
    first = made.first_divergence or next((c for c in made.cells if c.verdict is Verdict.WITHIN_TOLERANCE), None)
    for kernel, cells in groupby(made.cells, lambda cell: cell.kernel):
        _kernel(kernel, list(cells), opened=(first, made.cells[-1]))
    for cause in made.causes:
        say(f"likely cause: {plain(cause.text)}")
        say(f"  [dim]{plain(cause.remedy)} ({cause.code})[/]")
    for name, (then, now) in made.packages.items():
        say(f"[dim]{plain(name)} was {plain(then)} and is {plain(now)}[/]")
    _notes(made.notes)
    say(f"[dim]the slice as a notebook, and as it was executed: {plain(shown(made.folder))}[/]")


def headline(made: Proof) -> str:
    """The verdict in one line, with how far it reaches."""
    made_of = [one for cell in made.cells for one in cell.comparisons]
    compared = sum(one.verdict is not Verdict.NOT_COMPARED for one in made_of)
    fresh = " in an environment built from its lock" if made.environment == "fresh" else ""
    reached = f"{count(len(made.cells), 'cell')}, {count(compared, 'thing')} compared"
    left = f", {len(made_of) - compared} not" if compared < len(made_of) else ""
    return (
        f"run {plain(made.name)} ({made.run[:8]}): {_verdict(made)}{fresh} · {reached}{left} · "
        f"{made.seconds_of_replay:.1f} s, its cells took {made.seconds_of_run:.1f} s"
    )


def _verdict(made: Proof) -> str:
    first = made.first_divergence
    if made.verdict is not Verdict.DIVERGED:
        compared = [one for cell in made.cells for one in cell.comparisons if one.verdict is not Verdict.NOT_COMPARED]
        far = [one.difference for one in compared if one.difference]
        apart = f", at most {share(max(far))} apart" if far else ""
        return f"{made.verdict}{apart}{', it fails as it did then' if made.failed else ''}"
    if first is None:
        ended = next((cell for cell in made.cells if not cell.executed), None)
        return f"diverged{f': {plain(ended.where)} was not reached' if ended else ''}"
    names = [one.name for one in first.comparisons if one.verdict is Verdict.DIVERGED]
    return f"diverged at {plain(first.where)}, {plain(names[0])}" if names else "diverged"


def _kernel(name: str, cells: list[CellProof], opened: tuple[CellProof | None, ...]) -> None:
    """The cells of one kernel below its name, without those that prepared its step as they did then."""
    left_out = sum(cell.left_out for cell in cells)
    if name:
        above = f" [dim]· {count(left_out, 'cell')} above it identical[/]" if left_out else ""
        say(f"  [bold]{plain(name)}[/]{above}")
    for cell in cells:
        if not cell.left_out:
            _cell(cell, most=MOST_DIFFERENCES if any(cell is one for one in opened) else MOST_FOLLOWING)


def _cell(cell: CellProof, *, most: int) -> None:
    title = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    took = f"{cell.seconds_after:6.1f} s" if cell.executed else "not run"
    mark = MARKS[cell.verdict] if cell.executed else "[dim]·[/]"
    say(f"  {mark} {place(cell.execution_count):<9} {took:>8}  {plain(title[:LONGEST_SOURCE])}")
    if cell.failure:
        say(f"      {plain(cell.failure)}")
    different = [c for c in cell.comparisons if c.verdict in {Verdict.DIVERGED, Verdict.WITHIN_TOLERANCE}]
    for one in different[:most]:
        say(f"      {MARKS[one.verdict]} {_difference(one)}")
    if len(different) > most:
        say(f"      [dim]and {len(different) - most} more; proof.json has them all[/]")


def _difference(one: Comparison) -> str:
    parts = f" in {', '.join(one.parts[:MOST_NOTES])}" if one.parts else ""
    apart = "" if one.difference is None else f" ({share(one.difference)} apart)"
    values = f"{one.before} then, {one.after} now" if one.before != one.after else one.after
    said = [f"{values}{apart}", one.note] if values or apart else [one.note]
    return plain(": ".join([f"{one.kind} {one.name}{parts}", *filter(None, said)]))


def _notes(notes: Iterable[str]) -> None:
    listed = list(notes)
    if listed:
        say("[yellow]the verdict does not speak of[/]")
    for note in listed[:MOST_NOTES]:
        say(f"  {plain(note)}")
    if len(listed) > MOST_NOTES:
        say(f"  [dim]and of {len(listed) - MOST_NOTES} more; proof.json has them all[/]")
