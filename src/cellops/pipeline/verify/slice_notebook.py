"""The slice of a run as a notebook that anyone can open and execute."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cellops.records.cell import CellRecord, Outcome
from cellops.records.recorded import RecordedRun, kernel_names, kernels

if TYPE_CHECKING:
    from nbformat import NotebookNode

SETUP = "cellops-setup"
"""The id of the cell that loads the extension."""
MAY_FAIL = "raises-exception"
"""The tag by which notebook runners go on behind a cell that fails."""


def cell_id(record: CellRecord) -> str:
    """The id of a recorded cell in the notebook of its slice."""
    return f"cell-{record.order}"


def slice_notebook(run: RecordedRun, cells: Iterable[CellRecord], *, language_version: str) -> "NotebookNode":
    """A notebook with the cells of a slice in the order in which they were executed, behind one that loads cellops.

    Parameters
    ----------
    language_version
        The Python of the run, for readers of the notebook.
    """
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    title = new_markdown_cell(_title(run), id="cellops-title")  # type: ignore[no-untyped-call]
    setup = new_code_cell("%load_ext cellops", id=SETUP)  # type: ignore[no-untyped-call]
    cells = list(cells)
    names = kernel_names(cells)
    shown = []
    for place, own in enumerate(kernels(cells), 1):
        if name := names[own[0].session]:
            heading = f"## {name[:1].upper()}{name[1:]}"
            shown.append(new_markdown_cell(heading, id=f"kernel-{place}"))  # type: ignore[no-untyped-call]
        shown += map(_cell, own)
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "version": language_version},
        "cellops": {"run": run.run},
    }
    notebook: NotebookNode = new_notebook(cells=[title, setup, *shown], metadata=metadata)  # type: ignore[no-untyped-call]
    return notebook


def _title(run: RecordedRun) -> str:
    origin = f" of {run.notebook}" if run.notebook else ""
    return (
        f"# The slice of run {run.name} ({run.run[:8]})\n\n"
        f"The cells{origin} that the run depended on, in the order in which they were executed."
    )


def _cell(record: CellRecord) -> "NotebookNode":
    from nbformat.v4 import new_code_cell

    tags = [] if record.outcome is Outcome.OK else [MAY_FAIL]
    metadata = {"tags": tags, "cellops": {"order": record.order, "execution_count": record.execution_count}}
    cell: NotebookNode = new_code_cell(record.source, id=cell_id(record), metadata=metadata)  # type: ignore[no-untyped-call]
    return cell
