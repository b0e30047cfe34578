"""Notebooks of steps, from the sources of their cells."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat.v4 import new_code_cell, new_notebook

from cellops.pipeline.steps.graph import graph_of
from cellops.records.step import StepGraph

if TYPE_CHECKING:
    from nbformat import NotebookNode


def as_notebook(*cells: str) -> "NotebookNode":
    notebook: NotebookNode = new_notebook(cells=[new_code_cell(cell) for cell in cells])  # type: ignore[no-untyped-call]
    return notebook


def read(*cells: str, folders: Sequence[Path] = ()) -> StepGraph:
    """The steps of a notebook of these cells."""
    return graph_of(as_notebook(*cells), "notebook.ipynb", folders)


def edges(graph: StepGraph) -> dict[str, str]:
    """What goes from step to step: `{"a > b": "x, y"}`."""
    return {f"{e.producer} > {e.consumer}": ", ".join([*e.names, *(["(files)"] * e.files)]) for e in graph.edges}


def codes(graph: StepGraph) -> list[str]:
    return [problem.code for problem in graph.problems]
