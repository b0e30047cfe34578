"""The parameters of a notebook, for a person who gives them values."""

from pathlib import Path

from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.parameters.declaration import declared
from cellops.pipeline.parameters.showing import descriptions
from cellops.records.parameter import ParameterDescription


def parameters(notebook: Path | str) -> tuple[ParameterDescription, ...]:
    """What a notebook declares, in its order; nothing is executed.

    Raises
    ------
    NotFoundError, NotebookError
        When the notebook is not there, or is none.
    ParameterError
        When it has two parameters cells, or one that is not plain Python.
    """
    path = Path(notebook).resolve()
    return descriptions(declared(notebook_file.read(path), path.parent))
