"""A notebook as a file: read with one clear error, written in one stroke, signed so that JupyterLab trusts it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import NotebookError, NotFoundError
from cellops.pipeline.text_notebook import is_text, read_text

if TYPE_CHECKING:
    from nbformat import NotebookNode

FORMAT = 4
OURS = "Give the path of an .ipynb file, or of a notebook as text: .py, .md or .Rmd"
SAVE_AGAIN = "Open it in JupyterLab and save it again"


def read(path: Path) -> "NotebookNode":
    """Read a notebook of nbformat 4, or one as text; cells without an id get one from their place, the same each time.

    Raises
    ------
    NotFoundError
        When there is no such file.
    NotebookError
        When the file is not a notebook of nbformat 4, nor a script or page that jupytext reads.
    """
    if not path.is_file():
        fact = f"There is no notebook {path}"
        raise NotFoundError(fact, remedy=OURS, path=str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        fact = f"{path} cannot be read: {error.strerror}"
        raise NotebookError(fact, remedy="Make it a file that you can read", path=str(path)) from error
    except UnicodeDecodeError as error:
        fact = f"{path} is no text in UTF-8, so it is no notebook"
        raise NotebookError(fact, remedy=OURS, path=str(path)) from error
    return _checked(lambda: read_text(path, text), path) if is_text(path) else _from_json(text, path)


def _from_json(text: str, path: Path) -> "NotebookNode":
    import nbformat

    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        fact = f"{path} is not JSON, so it is no notebook"
        raise NotebookError(fact, remedy=OURS, path=str(path)) from error
    found = content.get("nbformat") if isinstance(content, dict) else None
    if found != FORMAT:
        fact = f"{path} is not a notebook of format {FORMAT}, its nbformat is {found}"
        raise NotebookError(fact, remedy=SAVE_AGAIN, path=str(path))
    return _checked(lambda: nbformat.v4.reads(text), path)  # type: ignore[no-untyped-call]


def _checked(read: "Callable[[], NotebookNode]", path: Path) -> "NotebookNode":
    """A notebook that is valid, with ids."""
    import nbformat

    try:
        notebook = read()
        _identify(notebook)
        nbformat.validate(notebook)
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError) as error:
        fact = f"{path} is not a valid notebook: {str(error).splitlines()[0]}"
        raise NotebookError(fact, remedy=SAVE_AGAIN, path=str(path)) from error
    return notebook


def write(notebook: "NotebookNode", path: Path) -> None:
    """Write the notebook so that a reader sees the old file or the new one, never a part.

    Raises
    ------
    NotebookError
        When the disk is full or the folder cannot be written.
    """
    import nbformat

    text = nbformat.v4.writes(notebook)  # type: ignore[no-untyped-call]
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text + "\n", encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        fact = f"{path} cannot be written: {error.strerror}"
        raise NotebookError(fact, remedy="Make room, or give another output", path=str(path)) from error


def sign(path: Path) -> None:
    """Sign the notebook for this user, so that JupyterLab shows its widgets and scripts.

    A home folder that cannot be written leaves it unsigned, as a notebook from somebody else is.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    try:
        # What is read back is signed, because that is what JupyterLab will see.
        notebook = nbformat.read(path, as_version=FORMAT)  # type: ignore[no-untyped-call]
        NotebookNotary().sign(notebook)  # type: ignore[no-untyped-call]
    except OSError:
        return


def _identify(notebook: "NotebookNode") -> None:
    """Bring the notebook to the minor version that has cell ids, without the random ones nbformat would give."""
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    taken: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        if cell.get("id") is None or cell.id in taken:
            cell.id = f"cell-{index}"
        taken.add(cell.id)
