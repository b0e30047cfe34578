"""The notebook of one step: what it shares with others, the definitions that it needs, and its own cells."""

import ast
from collections.abc import Iterable, Sequence
from copy import deepcopy
from textwrap import dedent
from typing import TYPE_CHECKING

from cellops.pipeline.in_kernel import DEFINITIONS
from cellops.pipeline.parameters.declaration import INJECTED_TAG
from cellops.pipeline.seeding import is_seeding
from cellops.pipeline.steps.python import lines_of
from cellops.pipeline.stepwise.kernel_side import take_over
from cellops.records.cached import KeptCells
from cellops.records.handover import TAKEN_OVER
from cellops.records.step import Definition, Step

if TYPE_CHECKING:
    from nbformat import NotebookNode

DEFINING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def step_notebook(
    step: Step,
    source: "NotebookNode",
    prepared: "NotebookNode",
    parameters_cell: int | None,
    taken: Sequence[str],
) -> "NotebookNode":
    """A notebook of a step alone.

    Parameters
    ----------
    step
        The step; its places are those of `source`.
    source
        The notebook as the person has it.
    prepared
        The same with its given parameters in a cell of their own, and with papermill's metadata.
    parameters_cell
        The place of the cell that declares parameters in `source`.
    taken
        Names whose values other steps have handed on: the cell that binds them stands behind shared ones and
        definitions.
    """
    cells = {cell.id: cell for cell in prepared.cells}
    seeding = [cell for cell in prepared.cells[:1] if is_seeding(cell)]

    def of(places: Iterable[int]) -> "list[NotebookNode]":
        found = []
        for place in places:
            cell = cells[source.cells[place].id]
            found += [_unused(cell)] if cell not in seeding else []
            if place == parameters_cell and INJECTED_TAG in cells:
                found.append(deepcopy(cells[INJECTED_TAG]))
        return found

    made = _shell_of(prepared)
    definitions = "\n".join(_lines(definition, source) for definition in step.definitions)
    added = [*_added(DEFINITIONS, definitions), *_added(TAKEN_OVER, take_over(taken))]
    made.cells = [*map(deepcopy, seeding), *of(step.shared), *added, *of(step.cells)]
    return made


def sources(step: Step, source: "NotebookNode", parameters_cell: int | None) -> tuple[list[str], list[int]]:
    """The code of a step in the order of execution, the parameters cell left out, and the place of each."""
    places = [place for place in (*step.shared, *step.cells) if place != parameters_cell]
    shared = [place for place in places if place in step.shared]
    own = [place for place in places if place not in step.shared]
    texts = [
        *(source.cells[place].source for place in shared),
        *(_lines(definition, source) for definition in step.definitions),
        *(source.cells[place].source for place in own),
    ]
    return texts, [*shared, *(definition.cell for definition in step.definitions), *own]


def publish(made: "NotebookNode", step: Step, source: "NotebookNode", whole: "NotebookNode") -> None:
    """Put the executed cells of a step, and shared ones that no step has executed yet, into the whole notebook."""
    own = {source.cells[place].id for place in step.cells}
    executed = {cell.id: cell for cell in made.cells if cell.id in own or not _is_new(cell)}
    whole.cells = [
        deepcopy(executed[cell.id]) if cell.id in executed and (cell.id in own or not _is_done(cell)) else cell
        for cell in whole.cells
    ]
    if "language_info" in made.metadata:
        whole.metadata["language_info"] = made.metadata["language_info"]


def reuse(kept: KeptCells, step: Step, source: "NotebookNode", whole: "NotebookNode", execution: str) -> None:
    """Give the cells of a step, and shared ones if nobody has yet, the outputs that were kept of them, and say so."""
    from nbformat import from_dict

    cells = {cell.id: cell for cell in whole.cells}
    own = zip(step.cells, kept.own, strict=True)
    shared = zip(step.shared, kept.shared, strict=True)
    for place, held in (*shared, *own):
        cell = cells[source.cells[place].id]
        if place in step.cells or _is_new(cell):
            cell.outputs = from_dict(held["outputs"])  # type: ignore[no-untyped-call]
            cell.execution_count = held["execution_count"]
            cell.metadata["cellops"] = {"step": step.name, "reused_from": execution}


def _added(name: str, source: str) -> "list[NotebookNode]":
    """A cell that nobody wrote there, unless it would be empty."""
    from nbformat import from_dict

    if not source:
        return []
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": name,
        "source": source,
        "metadata": {"tags": [name], "papermill": {}},
        "outputs": [],
        "execution_count": None,
    }
    return [from_dict(cell)]  # type: ignore[no-untyped-call]


def _lines(definition: Definition, source: "NotebookNode") -> str:
    """The import and definition statements of some lines; what else stands in these lines is not executed again."""
    lines = lines_of(source.cells[definition.cell].source)
    text = dedent("\n".join(lines[definition.first_line - 1 : definition.last_line]))
    return "\n".join(ast.unparse(node) for node in ast.parse(text).body if _defines(node))


def _defines(node: ast.stmt) -> bool:
    return isinstance(node, DEFINING) or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda))


def _shell_of(notebook: "NotebookNode") -> "NotebookNode":
    """A notebook with the same metadata and no cells."""
    from nbformat import from_dict

    made: NotebookNode = from_dict(  # type: ignore[no-untyped-call]
        {
            "cells": [],
            "metadata": deepcopy(dict(notebook.metadata)),
            "nbformat": notebook.nbformat,
            "nbformat_minor": notebook.nbformat_minor,
        }
    )
    return made


def _is_new(cell: "NotebookNode") -> bool:
    return cell.cell_type == "code" and cell.execution_count is None and not cell.outputs


def _is_done(cell: "NotebookNode") -> bool:
    """Whether a step has executed a cell to its end; an execution may be saved before that."""
    return cell.metadata.get("papermill", {}).get("duration") is not None


def _is_reused(cell: "NotebookNode") -> bool:
    return "reused_from" in cell.metadata.get("cellops", {})


def _unused(cell: "NotebookNode") -> "NotebookNode":
    """A copy of a cell that is executed now, whatever was kept of it for another step."""
    copied = deepcopy(cell)
    if _is_reused(copied):
        del copied.metadata["cellops"]
        copied.outputs, copied.execution_count = [], None
    return copied
