"""What a notebook's source says of the gates of its runs, and of the metrics that they can have."""

import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cellops.capture import header
from cellops.capture.dataflow.analysis import analyse

if TYPE_CHECKING:
    from nbformat import NotebookNode

VERB = "run"
OPTION = "--gate"
MAY_BRING_RUNS = re.compile(r"%run\b|mlops[ \t]+run|run_cell|run_line_magic|\bexec\(")
"""What executes code that may open a run although no header of a cell does."""


def gates_of_runs(notebook: "NotebookNode") -> tuple[str, ...]:
    """The gates in the headers of run cells."""
    return tuple(gate for arguments, _ in _runs(notebook) for gate in _given(arguments))


def opens_no_run(notebook: "NotebookNode") -> bool:
    """Whether no cell is a run, and none can bring one by executing other code."""
    return not any(_runs(notebook)) and not any(MAY_BRING_RUNS.search(cell.source) for cell in notebook.cells)


def computed_by_runs(notebook: "NotebookNode") -> tuple[str, ...] | None:
    """The names that run cells compute, which alone can become metrics; None where the source does not tell.

    It does not tell of a cell that is not wholly Python, or in which names are bound by code that is made as it runs.
    """
    flows = [analyse(header.python_body(source) or "") for _, source in _runs(notebook)]
    if not flows or any(flow.uncertain for flow in flows):
        return None
    return tuple(dict.fromkeys(name for flow in flows for name in flow.computed if not name.startswith("_")))


def _runs(notebook: "NotebookNode") -> Iterator[tuple[str, str]]:
    """The arguments of each run header, with the source of its cell."""
    for cell in notebook.cells:
        found = header.find(cell.source) if cell.cell_type == "code" else None
        if found is not None and found.verb == VERB:
            yield found.arguments, cell.source


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
