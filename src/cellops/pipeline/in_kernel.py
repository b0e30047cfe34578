"""Execute the cells of one notebook in one kernel, and say which of them failed."""

import re
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import NotebookError, StepError
from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.redacting import redact_notebook
from cellops.pipeline.seeding import is_seeding
from cellops.pipeline.text_notebook import is_text, line_in_file
from cellops.records.handover import TAKEN_OVER

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from cellops.pipeline.client import Client

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""What colours the text of a terminal, or moves its cursor."""
DEFINITIONS = "definitions"
"""The id of the cell of a step's notebook that defines what earlier steps define."""
NOT_LOADED = "magic `%%mlops` not found"
LONGEST_MESSAGE = 500
"""Characters of the cell's own message that the error repeats; its data has all of them."""


def in_kernel(executed: "NotebookNode", use: KernelRun, between: Mapping[int, str] | None = None) -> bool:
    """Execute the cells of a notebook in a kernel of its own, in this thread, and save it at the end too.

    Parameters
    ----------
    use
        Which kernel, and who is told of what; where it is stopped this returns.
    between
        What the kernel executes, silently, before cells, by their index, and behind the last one.

    Returns
    -------
    bool
        Whether it came to its end: a cell may leave before by `sys.exit()`.

    Raises
    ------
    NotebookError
        When a cell fails, or the kernel does not start.
    StepError
        When what stands in `between` fails, or the cell that takes values over.
    """
    # papermill takes more than a second to import, and everything that can be refused is refused by now.
    from papermill.engines import NotebookExecutionManager

    from cellops.pipeline.client import Client, StoppedError

    # Without an output path papermill keeps the books and leaves the saving, twice a cell, to us.
    manager = NotebookExecutionManager(executed, output_path=None, progress_bar=False, autosave_cell_every=0)
    client = Client(
        manager,
        stop=use.stop,
        tell=use.tell,
        save=use.save,
        kernel=use.kernel,
        between=between,
        on_report=use.on_report,
    )
    manager.notebook_start()
    try:
        client.execute()
    except StoppedError:
        return False
    except (RuntimeError, OSError) as error:
        if client.begun:
            raise
        fact = f"The kernel {use.kernel.name} did not start: {error}"
        raise NotebookError(fact, remedy=f"Try it with: jupyter run --kernel={use.kernel.name}") from error
    finally:
        if client.begun:
            manager.notebook_complete()
            use.save()
    if client.failed is not None:
        raise _failure(redact_notebook(executed), client.failed, use.places, use.output)
    return not client.left


def started_ahead(kernel: KernelOptions) -> "Client":
    """A kernel that has started, to be taken over by a client that has a notebook."""
    from nbformat.v4 import new_notebook
    from papermill.engines import NotebookExecutionManager

    from cellops.pipeline.client import Client

    nothing = new_notebook()  # type: ignore[no-untyped-call]
    manager = NotebookExecutionManager(nothing, output_path=None, progress_bar=False, autosave_cell_every=0)
    return Client(manager, stop=Future(), save=lambda: None, tell=lambda _: None, kernel=kernel).start_ahead()


def _failure(
    executed: "NotebookNode", index: int, places: Mapping[str, int], output: Path
) -> NotebookError | StepError:
    cell = executed.cells[index]
    if cell.id == TAKEN_OVER:
        return _not_taken(cell)
    shown = next(out for out in reversed(cell.outputs) if out.output_type == "error")
    place = places.get(cell.id)
    line = failing_line(shown.traceback, cell.execution_count)
    where = _added(cell) if place is None else f"cell {place + 1} of {len(places)}"
    where += "" if cell.execution_count is None else f", In [{cell.execution_count}]"
    where += "" if line is None else f", line {line}"
    said = ANSI.sub("", shown.evalue)
    said = said if len(said) <= LONGEST_MESSAGE else said[:LONGEST_MESSAGE] + "…"
    path = Path(executed.metadata.papermill["input_path"])
    source = path.name
    in_file = line_in_file(cell, line) if is_text(path) else None
    where += "" if in_file is None else f" (line {in_file} of the file)"
    fact = f"{source} failed in {where}: {shown.ename}: {said}".rstrip(": ")
    load = "Begin the notebook with %load_ext cellops. " if NOT_LOADED in shown.evalue else ""
    return NotebookError(
        fact,
        remedy=f"{load}The notebook with the traceback is {output}",
        cell_index=place,
        line=line,
        file_line=in_file,
        cell_id=cell.id,
        execution_count=cell.execution_count,
        ename=shown.ename,
        evalue=shown.evalue,
        traceback=list(shown.traceback),
        output=str(output),
    )


def _added(cell: "NotebookNode") -> str:
    """A cell that nobody wrote there."""
    if is_seeding(cell):
        return "the cell that seeds generators"
    return "the definitions of earlier steps" if cell.id == DEFINITIONS else "the cell of the given parameters"


def _not_taken(cell: "NotebookNode") -> StepError:
    shown = next(out for out in reversed(cell.outputs) if out.output_type == "error")
    fact = f"The kernel could not take values over from other steps: {shown.ename}: {ANSI.sub('', shown.evalue)}"
    return StepError(fact, remedy="Where that does not help, cellops clean deletes all that steps have left")


def failing_line(traceback: list[str], execution_count: int | None) -> int | None:
    """The innermost line of the cell itself that IPython's traceback names."""
    text = ANSI.sub("", "\n".join(traceback))
    found = re.findall(rf"Cell In ?\[{execution_count}\], line (\d+)", text)
    return int(found[-1]) if found else None
