"""A summary in Markdown, as GitHub shows it on the page of a job, and any reader of Markdown elsewhere."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath

from cellops.records.gate import GateFigure, GateOutcome, GateResult, Group, not_passed
from cellops.records.report import ExecutionReport, Picture, RunReport
from cellops.records.run import RunStatus, RunSummary

LARGEST = 1024 * 1024
"""Bytes that GitHub takes as the summary of one step."""
MOST_ROWS = 100
LONGEST_VALUE = 200
LONGEST_TRACEBACK = 8_000
MARKS = {GateOutcome.PASSED: "✅", GateOutcome.MISSED: "❌", GateOutcome.NOT_JUDGED: "❓"}
MARKUP = re.compile(r"([\\`*_\[\]~|#@])")


def summary(report: ExecutionReport, pictures: Sequence[str] = (), *, largest: int = LARGEST) -> str:
    """The report as Markdown: how it ended and why, gates, parameters, metrics beside the last good run's, plots.

    Text of others is escaped, so that it is neither markup nor HTML.

    Parameters
    ----------
    pictures
        Where the pictures of the report stand, as links from the summary; none where it can show none.
    largest
        Bytes of UTF-8 that it may have; sections that would not fit are left out, and it says so.
    """
    sections = ["\n".join(lines) + "\n" for lines in _sections(report, pictures)]
    note = "\n_The rest is left out: it would not fit._\n"
    room = largest - len(note.encode())
    kept: list[str] = []
    for section in sections:
        room -= len(section.encode()) + 1
        if room < 0:
            return "\n".join([*kept, note])
        kept.append(section)
    return "\n".join(kept)


def _sections(report: ExecutionReport, pictures: Sequence[str]) -> Iterator[list[str]]:
    yield _head(report)
    yield from _failures(report)
    if report.gates:
        yield ["### Gates", "", *_table(("", "gate", "run", "result"), map(_of_gate, report.gates))]
    if report.parameters:
        rows = [(escaped(name), escaped(_written(value))) for name, value in report.parameters.items()]
        yield ["### Given parameters", "", *_table(("parameter", "value"), rows)]
    for run in report.runs:
        yield from _of_run(run)
    if pictures:
        shown = [f"![{_alternative(picture)}]({link})" for picture, link in zip(report.pictures, pictures, strict=True)]
        yield ["### Plots", "", *shown]
    elif report.pictures:
        yield ["### Plots", "", f"{len(report.pictures)}, in the executed notebook that the runs keep."]
    if report.notes:
        yield [*(f"> {escaped(note)}" for note in report.notes)]


def _head(report: ExecutionReport) -> list[str]:
    mark = {RunStatus.FAILED: "❌", RunStatus.KILLED: "⏹️"}.get(report.status, "✅" if report.good else "❌")
    done = sum(cell.state is not None for cell in report.cells)
    reused = sum(cell.reused for cell in report.cells)
    kept = f", {reused} are as they were" if reused else ""
    word = {RunStatus.FAILED: "Failed", RunStatus.KILLED: "Stopped"}.get(report.status, "Executed")
    cells = _code_cells(done)
    if report.status is not RunStatus.FINISHED:
        cells = f"after {done} of {_code_cells(len(report.cells))}"
    said = f"{word} {cells}{kept} in {report.seconds:.1f} s.{_gates(report.gates)}"
    return [f"## {mark} {escaped(PurePath(report.notebook).name)}", "", said]


def _gates(gates: Sequence[GateResult]) -> str:
    """How many of the gates were not passed, as the sentence behind how it ended."""
    missed = len(not_passed(gates))
    if not missed:
        return ""
    verb = "was" if missed == 1 else "were"
    return f" **{missed} of {len(gates)} gate{'s' if len(gates) > 1 else ''} {verb} not passed.**"


def _code_cells(number: int) -> str:
    return f"{number} code cell{'' if number == 1 else 's'}"


def _of_gate(gate: GateResult) -> tuple[str, ...]:
    result = gate.said if gate.outcome is not GateOutcome.NOT_JUDGED else f"not judged: {gate.said}"
    return MARKS[gate.outcome], escaped(gate.gate), escaped(gate.name), escaped(result)


def _of_run(shown: RunReport) -> Iterator[list[str]]:
    """The run's metrics and own parameters, beside those of the last good run where there is one."""
    run, before = shown.run, shown.before
    head = [f"### Run {escaped(run.name)} · {run.status.lower()}", "", f"`{run.run[:8]}`{_beside(shown)}", ""]
    metrics = list(_changes(before.metrics if before else {}, run.metrics, with_before=before is not None))
    columns = ("metric", "last good", "now", "change") if before else ("metric", "value")
    yield [*head, *(_table(columns, metrics, numbers=columns[1:]) if metrics else ["It has no metrics."])]
    yield from _of_groups(shown.figures)
    own = [{name: value for name, value in of.items() if "." not in name} for of in _parameters(before, run)]
    changed = [name for name in dict.fromkeys((*own[0], *own[1])) if own[0].get(name) != own[1].get(name)]
    if before is not None and changed:
        rows = [(escaped(name), *(escaped(_written(of.get(name, "(absent)"))) for of in own)) for name in changed]
        yield ["**Changed parameters**", "", *_table(("parameter", "last good", "now"), rows)]
    elif before is not None:
        yield ["No parameter has changed."]


def _of_groups(figures: Sequence[GateFigure]) -> Iterator[list[str]]:
    """The groups behind each figure that a gate asked for."""
    for figure in figures:
        if figure.groups:
            columns = ("group", "rows", "of these count", "value", "interval", "")
            rows = map(_of_group, figure.groups)
            yield [f"**Groups of {escaped(figure.name)}**", "", *_table(columns, rows, numbers=columns[1:5])]


def _of_group(group: Group) -> tuple[str, ...]:
    name = "(missing)" if group.name is None else str(group.name)
    value = "" if group.value is None else f"{group.value:.6g}"
    interval = "" if group.low is None or group.high is None else f"{group.low:.3g} to {group.high:.3g}"
    return escaped(name), str(group.rows), str(group.counted), value, interval, escaped(group.reason)


def _parameters(before: RunSummary | None, run: RunSummary) -> tuple[Mapping[str, object], Mapping[str, object]]:
    return (before.parameters if before is not None else {}), run.parameters


def _beside(shown: RunReport) -> str:
    before = shown.before
    if shown.not_compared:
        return f", not compared with earlier ones: {escaped(shown.not_compared)}"
    if before is None:
        return ", with no good run before it to compare with"
    when = datetime.fromtimestamp(before.started, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f", beside the last good run of this notebook, `{before.run[:8]}` of {when}"


def _changes(before: Mapping[str, float], now: Mapping[str, float], *, with_before: bool) -> Iterator[tuple[str, ...]]:
    for name in dict.fromkeys((*now, *before)):
        value = now.get(name)
        shown = "(absent)" if value is None else f"{value:.6g}"
        if not with_before:
            yield escaped(name), shown
            continue
        then = before.get(name)
        change = f"{value - then:+.3g}" if value is not None and then is not None else ""
        yield escaped(name), "(absent)" if then is None else f"{then:.6g}", shown, "none" if change == "+0" else change


def _failures(report: ExecutionReport) -> Iterator[list[str]]:
    for cell in report.failed_cells:
        place = "the cell of the given parameters" if cell.index is None else f"cell {cell.index + 1} of {report.total}"
        assert cell.failure is not None  # noqa: S101 - of those that failed
        said = f"{cell.failure.kind}: {cell.failure.message}"
        traceback = html.escape(cell.failure.traceback[-LONGEST_TRACEBACK:])
        # Without an empty line in it HTML stays one block, in which no Markdown is read.
        block = re.sub(r"\n\s*\n", "\n&nbsp;\n", traceback)
        opened = f"<details><summary>Traceback</summary><pre>{block}</pre></details>"
        yield [f"### Failed in {place}", "", escaped(said), "", *([opened] if block.strip() else [])]
    if report.failure is not None and not report.failed_cells:
        yield ["### Ended", "", escaped(f"{report.failure.kind}: {report.failure.message}")]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> list[str]:
    """The rows as a table, in which the columns of `numbers` end at their right edges."""
    held = list(rows)
    lines = [f"| {' | '.join(row)} |" for row in held[:MOST_ROWS]]
    more = [f"\nand {len(held) - MOST_ROWS} more"] if len(held) > MOST_ROWS else []
    return [
        f"| {' | '.join(columns)} |",
        f"|{''.join('---:|' if column in numbers else '---|' for column in columns)}",
        *lines,
        *more,
    ]


def _alternative(picture: Picture) -> str:
    return "plot" if picture.index is None else f"plot of cell {picture.index + 1}"


def _written(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def escaped(text: str) -> str:
    r"""Text of others in one line of Markdown: no markup, no HTML, no end of a table's cell.

    >>> print(escaped("a|b <i>*c*"))
    a\|b &lt;i&gt;\*c\*
    """
    line = " ".join(text.split())
    short = line if len(line) <= LONGEST_VALUE else f"{line[: LONGEST_VALUE - 1]}…"
    return MARKUP.sub(r"\\\1", html.escape(short, quote=False))
