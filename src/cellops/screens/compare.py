"""What differs between two runs, the likeliest cause first."""

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cellops.screens.console import command, count, plain, say
from cellops.screens.runs import MARKS

if TYPE_CHECKING:
    from cellops.records.run_comparison import Difference, RunComparison, Side, SourceChange

SHORT_DIFF = 12
"""Lines of a source's diff that are shown unless all is asked for."""
MOST_DIFFERENCES = 20
MOST_COLUMNS = 8
LONGEST_NAME = 60
LONGEST_VALUE = 60
NOUNS = {
    "code": "cell or module",
    "parameters": "parameter",
    "data": "file or table",
    "environment": "imported distribution",
    "metrics": "metric",
}
PLURALS = {"cell or module": "cells and modules", "file or table": "files and tables"}
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def comparison(found: "RunComparison", *, full: bool = False) -> None:
    say(f"[red]-[/] {_side(found.before)}")
    say(f"[green]+[/] {_side(found.after)}")
    sections = {
        "code": found.code,
        "parameters": found.parameters,
        "data": found.data,
        "environment": found.environment,
        "metrics": found.metrics,
    }
    cut = 0
    for title, differences in sections.items():
        sources = found.sources if title == "code" else ()
        if not sources and not differences:
            continue
        say(f"[bold]{title}[/]")
        cut += sum([_source(source, full=full) for source in sources])
        cut += _differences(differences, full=full)
    if not found.differs:
        say("[green]Nothing differs[/] in what the records of both runs hold.")
    same = [
        _counted(title, found.compared.get(title, 0))
        for title in sections
        if not sections[title] and not (title == "code" and found.sources)
    ]
    if any(same):
        say(f"[dim]the same: {', '.join(filter(None, same))}[/]")
    for note in found.notes:
        say(f"[dim]{plain(note)}[/]")
    if cut:
        words = ["compare", found.before.run[:8], found.after.run[:8], "--full"]
        say(f"[dim]{count(cut, 'more line')}: {command(shlex.join(words))}[/]")


def _side(side: "Side") -> str:
    notebook = f"  {plain(side.notebook)}" if side.notebook else ""
    return f"[bold]{plain(side.name)}[/]  {side.run[:8]}  {MARKS[side.status]}{notebook}"


def _source(source: "SourceChange", *, full: bool) -> int:
    """Show what became of a source; how many lines were left out."""
    places = list(dict.fromkeys(place for place in (source.before, source.after) if place is not None))
    note = f" ({source.note})" if source.note else ""
    say(f"  {plain(' -> '.join(places))} {source.change.value}{plain(note)}")
    shown = source.lines if full or len(source.lines) <= SHORT_DIFF + 1 else source.lines[:SHORT_DIFF]
    for line in shown:
        colour = COLOURS.get(line[:1])
        text = plain(line)
        say(f"    [{colour}]{text}[/]" if colour else f"    {text}")
    left = len(source.lines) - len(shown)
    if left:
        say(f"    [dim]… {count(left, 'more line')}[/]")
    return left


def _differences(found: "Iterable[Difference]", *, full: bool) -> int:
    held = list(found)
    shown = held if full or len(held) <= MOST_DIFFERENCES + 1 else held[:MOST_DIFFERENCES]
    names = [_name(one) for one in shown]
    widest = min(max(map(len, names), default=0), LONGEST_NAME)
    for name, one in zip(names, shown, strict=True):
        then, now = _value(one.before, full=full), _value(one.after, full=full)
        say(f"  {plain(name):<{widest}}  [red]{plain(then)}[/] -> [green]{plain(now)}[/]{_more(one, full=full)}")
    left = len(held) - len(shown)
    if left:
        say(f"  [dim]… {left} more[/]")
    return left


def _name(one: "Difference") -> str:
    return f"generator {one.name}" if one.kind == "generator" else one.name


def _value(text: str, *, full: bool) -> str:
    if not text:
        return "(absent)"
    return text if full or len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _more(one: "Difference", *, full: bool) -> str:
    """By how much numbers differ, which columns, and what is to be said of it."""
    words = [f"{one.change:+.6g}"] if one.change is not None else []
    if one.parts:
        shown = one.parts if full or len(one.parts) <= MOST_COLUMNS else one.parts[:MOST_COLUMNS]
        left = len(one.parts) - len(shown)
        words.append(f"in {', '.join(map(str, shown))}{f' and {left} more' if left else ''}")
    words += [one.note] if one.note else []
    return f"  [dim]{plain('; '.join(words))}[/]" if words else ""


def _counted(title: str, number: int) -> str:
    noun = NOUNS[title]
    if number == 0:
        return ""
    return f"{number:,} {PLURALS.get(noun, f'{noun}s') if number > 1 else noun}"
