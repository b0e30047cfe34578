"""Workflow commands of GitHub Actions, which show an error beside the file that it is of."""

from collections.abc import Iterator
from pathlib import Path

from cellops.pipeline.text_notebook import is_text
from cellops.records.gate import GateOutcome, not_passed
from cellops.records.report import ExecutionReport

IN_A_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
IN_A_PROPERTY = {**IN_A_MESSAGE, ":": "%3A", ",": "%2C"}
LONGEST = 4000


def annotations(report: ExecutionReport, workspace: Path | None = None) -> Iterator[str]:
    """One line for each thing that has gone wrong: the cell that failed, the gates that were not passed.

    Parameters
    ----------
    workspace
        The folder of the checkout, from which GitHub names files; a notebook outside of it keeps its own path.
    """
    file = _relative(Path(report.notebook), workspace)
    for cell in report.failed_cells:
        place = "the cell of the given parameters" if cell.index is None else f"cell {cell.index + 1} of {report.total}"
        assert cell.failure is not None  # noqa: S101 - of those that failed
        text = "\n".join(dict.fromkeys([f"{cell.failure.kind}: {cell.failure.message}", cell.failure.traceback]))
        line = cell.line if is_text(Path(report.notebook)) else None
        yield _error(file, f"{Path(file).name}: {place}", text, line)
    if report.failure is not None and not report.failed_cells:
        yield _error(file, f"{Path(file).name}: {report.failure.kind}", report.failure.message)
    for gate in not_passed(report.gates):
        word = "missed" if gate.outcome is GateOutcome.MISSED else "not judged"
        of = f" (run {gate.name})" if gate.name else ""
        yield _error(file, f"{Path(file).name}: gate {word}", f"{gate.gate}{of}: {gate.said}")


def _error(file: str, title: str, text: str, line: int | None = None) -> str:
    text = text.strip() if len(text) <= LONGEST else text[: LONGEST - 1].strip() + "…"
    named = {"file": file, "line": line, "title": title}
    properties = [f"{name}={_escaped(str(value), IN_A_PROPERTY)}" for name, value in named.items() if value is not None]
    return f"::error {','.join(properties)}::{_escaped(text, IN_A_MESSAGE)}"


def _escaped(text: str, marks: dict[str, str]) -> str:
    return "".join(marks.get(mark, mark) for mark in text)


def _relative(notebook: Path, workspace: Path | None) -> str:
    path = notebook.resolve()
    if workspace is not None and path.is_relative_to(workspace.resolve()):
        return path.relative_to(workspace.resolve()).as_posix()
    return notebook.as_posix()
