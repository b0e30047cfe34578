"""Which run is meant by the path of an executed notebook: one of the execution that has written it."""

from collections.abc import Iterator
from pathlib import Path

from cellops.errors import NotFoundError
from cellops.flows.gates import runs_of
from cellops.flows.progress import first_event, journals
from cellops.records.run import NotebookExecuted
from cellops.settings import Settings

SUFFIX = ".ipynb"


def names_notebook(run: str) -> bool:
    """Whether what names a run is the path of a notebook."""
    return run.endswith(SUFFIX) and Path(run).is_file()


def keys_of(notebook: Path, settings: Settings) -> tuple[str, ...]:
    """The keys of the runs that an executed notebook shows, the newest first.

    Raises
    ------
    NotFoundError
        When no execution of this project has written the notebook, or it has no runs.
    """
    executed = next(_executions(notebook.resolve(), settings), None)
    if executed is None:
        fact = f"{notebook.name} is no notebook that an execution of this project has written"
        raise NotFoundError(fact, remedy="Execute one first: cellops execute NOTEBOOK -o EXECUTED.ipynb")
    keys = [*executed.reused_runs, *(run.run for run in runs_of(executed.execution, settings))]
    if not keys:
        fact = f"The execution that has written {notebook.name} opened no run"
        raise NotFoundError(fact, remedy="Begin a cell of the notebook with %%mlops run")
    return tuple(reversed(keys))


def _executions(notebook: Path, settings: Settings) -> Iterator[NotebookExecuted]:
    """The executions that have written a notebook, the last one first."""
    for journal in reversed(journals(settings)):
        event = first_event(journal)
        if isinstance(event, NotebookExecuted) and Path(event.notebook) == notebook:
            yield event
