"""The steps of a notebook and what flows between them, without executing anything."""

from pathlib import Path

from cellops.records.step import StepGraph
from cellops.settings import load


def graph(notebook: Path | str) -> StepGraph:
    """Read the steps of a notebook.

    Parameters
    ----------
    notebook
        Path of the notebook; it is only read.

    Returns
    -------
    StepGraph
        With all that is wrong with its steps as `problems`.

    Raises
    ------
    NotFoundError, NotebookError
        When the file is not there or is no notebook.
    """
    from cellops.pipeline.notebook import read
    from cellops.pipeline.steps.graph import graph_of

    path = Path(notebook)
    project = load(path.parent).project
    return graph_of(read(path), path.name, (path.parent, project, project / "src"))
