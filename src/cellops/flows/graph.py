"""The steps of a notebook and what flows between them, without executing anything."""

from pathlib import Path

from cellops.capture.step_header import step as step_header
from cellops.records.step import StepGraph

__all__ = ["graph", "step_header"]


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
    return graph_of(read(path), path.name)
