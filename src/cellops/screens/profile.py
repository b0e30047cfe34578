"""A profile as a table: one line a column."""

from typing import TYPE_CHECKING

from cellops.records.summary import share
from cellops.screens.console import console, count, findings, plain, say, shown

if TYPE_CHECKING:
    from cellops.records.summary import ColumnFigures, Correlations, Profiled

BLOCKS = " ▁▂▃▄▅▆▇█"
NAME, WORD = 32, 16
MOST_PAIRS = 10


def profiled(found: "Profiled") -> None:
    """The figures of each column, the strongest correlations, and what should be looked at."""
    from rich.table import Table

    say(f"{plain(found.name)}: {count(found.rows, 'row')} x {count(len(found.columns), 'column')}")
    if found.columns:
        table = Table("column", "kind", box=None, pad_edge=False)
        for name in ("missing", "distinct", "smallest", "median", "largest"):
            table.add_column(name, justify="right")
        table.add_column("distribution")
        for column in found.columns:
            table.add_row(*_row(column))
        console().print(table)
    if found.correlations is not None:
        _pairs(found.correlations)
    findings(found.findings)
    saved(found)


def saved(found: "Profiled") -> None:
    """Where the profile lies, if it was saved."""
    if found.saved is not None:
        say(f"Saved: {shown(found.saved)}", markup=False)


def _row(column: "ColumnFigures") -> tuple[str, ...]:
    gone = f"[yellow]{share(column.missing, column.rows)}[/]" if column.missing else "0 %"
    name = plain(_cut(column.name, NAME))
    return name, column.kind.value, gone, column.told_distinct(), *column.told_extremes(), _distribution(column)


def _distribution(column: "ColumnFigures") -> str:
    if column.texts is not None:
        top, rows = column.texts.telling(), column.present
        named = (f"{_cut(name, WORD) or '(empty)'} {share(number, rows)}" for name, number in top)
        return plain(", ".join(named) or column.texts.told_lengths())
    bars = () if column.numbers is None else column.numbers.histogram
    highest = max(bars, default=0)
    return "".join(BLOCKS[-(-number * (len(BLOCKS) - 1) // highest)] for number in bars)


def _pairs(found: "Correlations") -> None:
    pairs = found.strongest(MOST_PAIRS)
    say("[bold]strongest correlations[/]" if pairs else "No two columns of numbers vary together.")
    for one, other, value in pairs:
        say(f"  {value:+.3f}  {plain(_cut(one, NAME))}, {plain(_cut(other, NAME))}")


def _cut(text: str, longest: int) -> str:
    text = " ".join(text.split("\n"))
    return text if len(text) <= longest else text[: longest - 1] + "…"
