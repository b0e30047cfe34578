"""What a person should look at in a summary, column by column."""

from collections.abc import Callable, Iterator

from cellops.data.problems import listed, shorten
from cellops.data.summary.column import ColumnSummary
from cellops.data.summary.table import TableSummary
from cellops.records.finding import Finding, Severity
from cellops.records.summary import SummaryKind

Finder = Callable[[str, Severity, str, str], Finding]
"""What makes a finding of a column from its code, severity, text and remedy."""
SEPARATORS = (";", "\t", "|")


def findings(summary: TableSummary) -> tuple[Finding, ...]:
    """Columns that could not be read, hold several kinds of values, nothing, one value, or infinite ones.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.data.summary.summarize import summarize
    >>> [finding.seen for finding in findings(summarize(pd.DataFrame({"delay": [5, "late", 7]})))]
    ["2 of its values are of kind integer, 1 of kind string, such as 'late'"]
    """
    return (*_of_table(summary), *(found for column in summary.columns for found in _of_column(column, summary.rows)))


def _of_table(summary: TableSummary) -> Iterator[Finding]:
    if not summary.columns or not summary.rows:
        lacks = "columns" if not summary.columns else "rows"
        yield Finding(
            code="table-empty",
            severity=Severity.WARNING,
            where="table",
            seen=f"it has no {lacks}",
            remedy="Give a table with rows and columns, if there should be some",
        )
    if len(summary.columns) == 1:
        yield from _of_separator(summary.columns[0].name)


def _of_separator(name: str) -> Iterator[Finding]:
    """A file whose cells are not divided by commas is one column, called as the whole first line."""
    for mark in SEPARATORS:
        if mark in name:
            yield Finding(
                code="table-undivided",
                severity=Severity.WARNING,
                where="table",
                seen=f"its only column is called {shorten(name)!r}: its cells seem to be divided by {mark!r}",
                remedy=f"Write the file with commas, or give what pandas.read_csv(path, sep={mark!r}) reads",
            )
            return


def _of_column(column: ColumnSummary, rows: int) -> Iterator[Finding]:
    where = f"column {shorten(column.name)}"

    def found(code: str, severity: Severity, seen: str, remedy: str) -> Finding:
        return Finding(code=code, severity=severity, where=where, seen=seen, remedy=remedy)

    for problem in sorted(column.problems):
        yield found("column-unreadable", Severity.ERROR, problem, "Rename or convert the column; the others are told")
    if column.rows < rows:
        seen = f"{rows - column.rows:,} of {rows:,} rows come from tables without it"
        yield found("column-absent", Severity.WARNING, seen, "Give it to all tables, or to none")
    if column.problems or not column.rows:
        return
    if column.kind is SummaryKind.EMPTY:
        yield found("column-empty", Severity.WARNING, "all its values are missing", "Fill the column, or leave it out")
    if column.kind is SummaryKind.MIXED:
        yield found("column-mixed", Severity.WARNING, _mixture(column), "Convert its values to one kind")
    yield from _of_parts(column, found)


def _of_parts(column: ColumnSummary, found: Finder) -> Iterator[Finding]:
    numbers, times, opaque = column.parts.numbers, column.parts.times, column.parts.opaque
    if numbers is not None and numbers.below + numbers.above:
        infinite = numbers.below + numbers.above
        seen = f"{infinite:,} values are infinite" if infinite > 1 else "one value is infinite"
        yield found("column-infinite", Severity.WARNING, seen, "Write a missing value, or a number, in their place")
    if numbers is not None and numbers.wide:
        seen = "it has integers beyond 2**53, which moments and quantiles take for the nearest float"
        yield found("column-wide", Severity.INFO, seen, "Nothing, if they are keys")
    if times is not None and len(times.zones) > 1 and "" in times.zones:
        seen = f"some of its times have a zone, {listed(sorted(times.zones - {''}))}, and others have none"
        yield found("column-zones", Severity.WARNING, seen, "Give all a zone: those without one are read as UTC")
    if opaque is not None:
        seen = f"its values are {listed(f'{name} ({rows:,})' for name, _, rows in opaque.types)}: counted and no more"
        binary = any("binary" in name for name, _, _ in opaque.types)
        remedy = "Write them as text in UTF-8, if they are text" if binary else "Take out of them what is to be told"
        yield found("column-opaque", Severity.INFO, seen, remedy)


def _mixture(column: ColumnSummary) -> str:
    parts = zip(column.kinds(), column.parts.filled, strict=True)
    counts = ", ".join(
        f"{part.rows:,} {'of its values are ' if not place else ''}of kind {kind.value}"
        for place, (kind, part) in enumerate(parts)
    )
    texts = column.parts.texts
    return counts if texts is None else f"{counts}, such as {shorten(texts.counts.ranked()[0][0], 30)!r}"
