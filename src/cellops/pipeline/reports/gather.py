"""What the executed notebook says of its cells."""

import base64
import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cellops.pipeline.cell_title import title
from cellops.pipeline.in_kernel import ANSI, failing_line
from cellops.pipeline.seeding import is_seeding
from cellops.pipeline.text_notebook import line_in_file
from cellops.records.execution import CellState
from cellops.records.report import CellReport, Failure, Picture

if TYPE_CHECKING:
    from nbformat import NotebookNode

LONGEST_TRACEBACK = 20_000
LONGEST_MESSAGE = 2_000
MOST_PICTURES = 20
LARGEST_PICTURE = 1_000_000
"""Bytes; a larger one stays in the executed notebook."""


def cells(executed: "NotebookNode", given: "NotebookNode") -> Iterator[CellReport]:
    """The code cells of an executed notebook, by their places in the one that was given."""
    places = _places(given)
    for cell in executed.cells:
        is_added = is_seeding(cell) and cell.id not in places
        if cell.cell_type != "code" or not cell.source.strip() or is_added:
            continue
        state, failure = _state(cell)
        known = cell.metadata.get("papermill", {})
        yield CellReport(
            index=places.get(cell.id),
            title=title(cell.source),
            seconds=known.get("duration") or 0.0,
            state=state,
            reused="reused_from" in cell.metadata.get("cellops", {}),
            failure=failure,
            line=None if failure is None else _line(cell),
        )


def pictures(executed: "NotebookNode", given: "NotebookNode") -> Iterator[Picture]:
    """The plots that its cells show, as far as they are PNG and not too large; the first twenty."""
    places = _places(given)
    shown = (
        (cell.id, output["data"]["image/png"])
        for cell in executed.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    )
    found = 0
    for name, text in shown:
        try:
            content = base64.b64decode("".join(text), validate=False)
        except (binascii.Error, ValueError):
            continue
        if len(content) <= LARGEST_PICTURE and found < MOST_PICTURES:
            found += 1
            yield Picture(index=places.get(name), content=content)


def plain(text: str) -> str:
    """Text of a terminal without colours and control characters."""
    return "".join(c for c in ANSI.sub("", text) if c in "\n\t" or c.isprintable())


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _places(given: "NotebookNode") -> dict[str, int]:
    return {cell.id: place for place, cell in enumerate(given.cells)}


def _state(cell: "NotebookNode") -> tuple[CellState | None, Failure | None]:
    """How far a cell came: papermill marks the one that ended the execution, and times those that it began."""
    known = cell.metadata.get("papermill", {})
    if known.get("exception"):
        return CellState.FAILED, _failure(cell)
    return (None if known.get("duration") is None else CellState.DONE), None


def _line(cell: "NotebookNode") -> int | None:
    """The line of the file that failed; of the cell's first line where the traceback names none."""
    error = _error(cell)
    failed = None if error is None else failing_line(error.traceback, cell.execution_count)
    return line_in_file(cell, failed or 1)


def _error(cell: "NotebookNode") -> "NotebookNode | None":
    return next((output for output in reversed(cell.outputs) if output.output_type == "error"), None)


def _failure(cell: "NotebookNode") -> Failure:
    error = _error(cell)
    if error is None:
        return Failure(kind="Stopped", message="the cell was stopped", stopped=True)
    said = plain(error.evalue) or ("the cell was interrupted" if error.ename == "KeyboardInterrupt" else "")
    return Failure(
        kind=error.ename,
        message=shortened(said, LONGEST_MESSAGE),
        traceback=plain("\n".join(error.traceback))[-LONGEST_TRACEBACK:],
        stopped=list(error.traceback) in ([], [error.evalue]),  # as cellops tells of time-outs and dead kernels
    )
