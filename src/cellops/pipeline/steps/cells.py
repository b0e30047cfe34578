"""Which cells of a notebook belong to which step."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from cellops.capture import header, step_header
from cellops.errors import UsageError
from cellops.pipeline.steps.python import parse
from cellops.records.finding import Severity
from cellops.records.step import StepDeclared, StepProblem

if TYPE_CHECKING:
    from nbformat import NotebookNode

WHOLE = "notebook"
"""The name of the one step of a notebook without steps."""


@dataclass(frozen=True)
class CodeCell:
    place: int
    """Among all cells of the notebook, from 0."""
    tree: ast.Module
    step: str | None
    """The step that it belongs to; None for a shared cell."""


@dataclass(frozen=True)
class Part:
    """Cells of one step that stand below each other; a step may have several parts."""

    step: str
    cells: tuple[CodeCell, ...]


@dataclass
class Division:
    """The code cells of a notebook, shared or in parts of steps."""

    shared: list[CodeCell] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    declared: dict[str, StepDeclared] = field(default_factory=dict)
    """By the name of the step, in the order of the notebook."""
    problems: list[StepProblem] = field(default_factory=list)

    def cells(self, step: str) -> Iterator[CodeCell]:
        return (cell for part in self.parts if part.step == step for cell in part.cells)


def divide(notebook: "NotebookNode") -> Division:
    """Give each code cell to the step whose header stands in it or above it; those above the first are shared.

    A notebook without steps is one step of all its cells. A header or a cell that cannot be read is a problem.
    """
    found = Division()
    step: str | None = None
    cells = []
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        step = _named(cell.source, place, found) or step
        cells.append(CodeCell(place, _tree(cell.source, place, found), step))
    if step is None:
        found.declared = {WHOLE: StepDeclared(name=WHOLE)}
        found.parts = [Part(WHOLE, tuple(CodeCell(cell.place, cell.tree, WHOLE) for cell in cells))]
        return found
    found.shared = [cell for cell in cells if cell.step is None]
    for name, group in groupby((cell for cell in cells if cell.step is not None), key=lambda cell: cell.step):
        found.parts.append(Part(str(name), tuple(group)))
    return found


def _named(source: str, place: int, found: Division) -> str | None:
    """The step that a cell names, if it does."""
    given = header.step(source)
    if given is None:
        return None
    try:
        declared = step_header.read(given.arguments)
    except UsageError as error:
        found.problems.append(_problem("step-header", place, given.line + 1, error.fact, error.remedy))
        return None
    before = found.declared.get(declared.name)
    if before is not None and declared not in (before, StepDeclared(name=declared.name)):
        seen = f"step {declared.name} is declared once more, with other options"
        remedy = "Give the options where the step begins, and only the name further down"
        found.problems.append(_problem("step-header", place, given.line + 1, seen, remedy))
    found.declared.setdefault(declared.name, declared)
    return declared.name


def _tree(source: str, place: int, found: Division) -> ast.Module:
    try:
        return parse(source)
    except SyntaxError as error:
        seen = f"the cell is no Python: {error.msg}"
        found.problems.append(_problem("syntax", place, error.lineno, seen, "Correct the line"))
        return ast.Module([], [])


def _problem(code: str, place: int, line: int | None, seen: str, remedy: str) -> StepProblem:
    return StepProblem(code=code, severity=Severity.ERROR, cell=place, line=line, seen=seen, remedy=remedy)
