"""What a notebook's source says of the gates of its runs, and of the metrics that they can have."""

import ast
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cellops.capture import header
from cellops.capture.dataflow.analysis import Dataflow, analyse

if TYPE_CHECKING:
    from nbformat import NotebookNode

VERB = "run"
OPTION = "--gate"
MAY_BRING_RUNS = re.compile(r"%run\b|mlops[ \t]+run|run_cell|run_line_magic|\bexec\(")
"""What executes code that may open a run although no header of a cell does."""
WORD = re.compile(r"\w+")
COLLECTIONS = (ast.List, ast.Tuple, ast.Set, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.Lambda, ast.JoinedStr)
OF_NUMBERS = ("item", "items", "keys", "values", "get", "round", "update")
"""Methods of numbers, and of dictionaries of them."""
GIVES_TABLES = re.compile(r"(fit|predict|transform|decision_function|read_|.*_split$|split$)")
"""How functions begin that give estimators, arrays and tables."""


def gates_of_runs(notebook: "NotebookNode") -> tuple[tuple[int, str], ...]:
    """The gates in the headers of run cells, each with the place of its cell, from 0."""
    return tuple((run.place, gate) for run in _runs(notebook) for gate in _given(run.arguments))


def opens_no_run(notebook: "NotebookNode") -> bool:
    """Whether no cell is a run, and none can bring one by executing other code."""
    return not any(_runs(notebook)) and not any(MAY_BRING_RUNS.search(cell.source) for cell in notebook.cells)


def computed_by_runs(notebook: "NotebookNode") -> tuple[str, ...] | None:
    """The names that run cells compute, which alone can become metrics; None where the source does not tell.

    It does not tell of a cell that is not wholly Python, or in which names are bound by code that is made as it runs.
    """
    flows = _flows(notebook)
    if not flows or any(flow.uncertain for flow in flows):
        return None
    return tuple(dict.fromkeys(name for flow in flows for name in flow.computed if not name.startswith("_")))


def likely_metrics(notebook: "NotebookNode") -> tuple[str, ...]:
    """Those of these names that are likely to be numbers: their source shows no model, table or text."""
    return tuple(
        dict.fromkeys(
            name
            for flow in _flows(notebook)
            for name in flow.computed
            if not name.startswith("_") and name not in _no_numbers(flow)
        )
    )


def words(notebook: "NotebookNode") -> set[str]:
    """The words of the code, those in texts among them."""
    return {word for cell in notebook.cells if cell.cell_type == "code" for word in WORD.findall(_body(cell.source))}


def _no_numbers(flow: Dataflow) -> set[str]:
    """The names that are bound to something else, or used as something else."""
    found = {name for name, value in flow.values.items() if _is_no_number(value)}
    for node in ast.walk(flow.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method not in OF_NUMBERS:
                found.add(name)
            case ast.Assign(targets=[ast.Tuple(elts=several)], value=value) if _is_no_number(value):
                found |= {target.id for target in several if isinstance(target, ast.Name)}
            case _:
                pass
    return found


def _is_no_number(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Name(id=function) | ast.Attribute(attr=function)):
            return function[:1].isupper() or GIVES_TABLES.match(function) is not None
        case ast.Subscript(value=inner, slice=part):
            return _is_no_number(inner) or any(isinstance(node, ast.Slice) for node in ast.walk(part))
    return isinstance(value, COLLECTIONS)


def _flows(notebook: "NotebookNode") -> list[Dataflow]:
    return [analyse(_body(run.source)) for run in _runs(notebook)]


def _body(source: str) -> str:
    return header.python_body(source) or ""


class _RunCell(NamedTuple):
    place: int
    arguments: str
    """Of its header."""
    source: str


def _runs(notebook: "NotebookNode") -> Iterator[_RunCell]:
    for place, cell in enumerate(notebook.cells):
        found = header.find(cell.source) if cell.cell_type == "code" else None
        if found is not None and found.verb == VERB:
            yield _RunCell(place, found.arguments, cell.source)


def _given(arguments: str) -> Iterator[str]:
    """What stands behind `--gate`; a header that cannot be read is refused by the kernel."""
    try:
        words = iter(shlex.split(arguments, comments=True))
    except ValueError:
        return
    for word in words:
        if word == OPTION:
            yield from (value for value in [next(words, None)] if value is not None)
        elif word.startswith(f"{OPTION}="):
            yield word.removeprefix(f"{OPTION}=")
