"""What the cells of a run left, for a person who compares by eye and for a program."""

from collections.abc import Iterator, Sequence

from cellops.records.base import Record, Value
from cellops.records.cell import CellRecord, place
from cellops.records.recorded import RecordedRun
from cellops.records.run import DataFingerprint
from cellops.records.value import ValueSeen

MOST_ROWS = 200
"""Values in the table; the file has them all."""

HEAD = """## Expected values

What names stood for when the cell that bound or changed them had ended. Digests are XXH3, 128 bits, of the content."""


class ExpectedCell(Record, frozen=True, kw_only=True):
    """What the names that a cell bound or changed stood for when it had ended."""

    id: str
    place: str
    outcome: str
    values: tuple[ValueSeen, ...]


class Expected(Record, frozen=True, kw_only=True):
    """What executing the cells again is to give."""

    run: str
    parameters: dict[str, Value | list[Value]] = {}  # noqa: RUF012 - msgspec copies mutable defaults
    metrics: dict[str, float] = {}  # noqa: RUF012 - as above
    tables: tuple[DataFingerprint, ...] = ()
    cells: tuple[ExpectedCell, ...] = ()

    @classmethod
    def of(cls, run: RecordedRun, cells: Sequence[CellRecord]) -> "Expected":
        return cls(
            run=run.run,
            parameters=run.closed.parameters,
            metrics=run.closed.metrics,
            tables=run.closed.data,
            cells=tuple(
                ExpectedCell(
                    id=f"cell-{record.order}",
                    place=place(record.execution_count),
                    outcome=record.outcome.value,
                    values=record.values,
                )
                for record in cells
            ),
        )


def expected_table(run: RecordedRun, cells: Sequence[CellRecord]) -> str:
    """The metrics, and below them the values seen, as Markdown tables."""
    rows = list(_rows(cells))
    parts = [HEAD]
    if run.closed.metrics:
        metrics = (f"| {_cell(name)} | {value!r} |" for name, value in sorted(run.closed.metrics.items()))
        parts.append("\n".join(["| metric | value |", "|---|---|", *metrics]))
    head = ["| cell | name | type | value | digest |", "|---|---|---|---|---|"]
    parts.append("\n".join([*head, *rows[:MOST_ROWS]]))
    if len(rows) > MOST_ROWS:
        parts.append(f"{len(rows) - MOST_ROWS} more stand in expected-values.json.")
    return "\n\n".join(parts)


def _rows(cells: Sequence[CellRecord]) -> Iterator[str]:
    for record in cells:
        for value in record.values:
            digest = f"`{value.digest}`" if value.digest is not None else ""
            words = (place(record.execution_count), value.name, value.type, value.shown, digest)
            yield f"| {' | '.join(map(_cell, words))} |"


def _cell(text: str) -> str:
    r"""A text in a cell of a Markdown table: `a|b` as `a\|b`, and in one line."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")
