"""A notebook as a file: read with one clear error, written in one stroke, signed so that JupyterLab trusts it."""

import json
import os
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import NoNotebookError, NotebookError, UnfitError
from cellops.pipeline.text_notebook import is_text, read_text

if TYPE_CHECKING:
    from nbformat import NotebookNode

FORMAT = 4
OURS = "Give the path of an .ipynb file, or of a notebook as text: .py, .md or .Rmd"
SAVE_AGAIN = "Open it in JupyterLab and save it again"
MOST_LISTED = 5


def read(path: Path) -> "NotebookNode":
    """Read a notebook of nbformat 4, or one as text; cells without an id get one from their place, the same each time.

    Raises
    ------
    NoNotebookError
        When there is no such file; it names those beside it.
    UnfitError
        When the file is not a notebook of nbformat 4, nor a script or page that jupytext reads.
    """
    if not path.is_file():
        fact = (
            f"{from_here(path)} is a folder, no notebook"
            if path.is_dir()
            else f"There is no notebook {from_here(path)}"
        )
        raise NoNotebookError(fact, remedy=_beside(path), path=str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        fact = f"{from_here(path)} cannot be read: {error.strerror}"
        raise UnfitError(fact, remedy="Make it a file that you can read", path=str(path)) from error
    except UnicodeDecodeError as error:
        fact = f"{from_here(path)} is no text in UTF-8, so it is no notebook"
        raise UnfitError(fact, remedy=OURS, path=str(path)) from error
    return _checked(lambda: read_text(path, text), path) if is_text(path) else _from_json(text, path)


def _beside(path: Path) -> str:
    """What to give instead of a path: the nearest notebook that is there, else those that are."""
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return f"There is no folder {from_here(folder)}"
    kinds = {".ipynb", path.suffix} if is_text(path) else {".ipynb"}
    there = {found.name: found for found in sorted(folder.glob("*")) if found.suffix in kinds and found.is_file()}
    near = (
        [] if folder == path else get_close_matches(path.name, there, n=1) or get_close_matches(path.stem, there, n=1)
    )
    if near:
        return f"Did you mean {from_here(there[near[0]])}?"
    above = next((found for one in folder.absolute().parents if (found := one / path.name).is_file()), None)
    if above is not None:
        return f"Did you mean {os.path.relpath(above)}?"
    listed = ", ".join(from_here(found) for found in list(there.values())[:MOST_LISTED])
    more = ", …" if len(there) > MOST_LISTED else ""
    return f"Give the path of a notebook; there are {listed}{more}" if there else OURS


def from_here(path: Path) -> str:
    """A path as short as it can be typed from here."""
    whole, here = path.absolute(), Path.cwd()
    return str(whole.relative_to(here) if whole.is_relative_to(here) else whole)


def _from_json(text: str, path: Path) -> "NotebookNode":
    import nbformat

    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        fact = f"{from_here(path)} is not JSON, so it is no notebook"
        raise UnfitError(fact, remedy=OURS, path=str(path)) from error
    found = content.get("nbformat") if isinstance(content, dict) else None
    if found != FORMAT:
        fact = f"{from_here(path)} is not a notebook of format {FORMAT}, its nbformat is {found}"
        raise UnfitError(fact, remedy=SAVE_AGAIN, path=str(path))
    return _checked(lambda: nbformat.v4.reads(text), path)  # type: ignore[no-untyped-call]


def _checked(read: "Callable[[], NotebookNode]", path: Path) -> "NotebookNode":
    """A notebook that is valid, with ids."""
    import nbformat

    try:
        notebook = read()
        _identify(notebook)
        nbformat.validate(notebook)
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError) as error:
        fact = f"{from_here(path)} is not a valid notebook: {str(error).splitlines()[0]}"
        raise UnfitError(fact, remedy=SAVE_AGAIN, path=str(path)) from error
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
        folder = _folder_of_signatures(frozenset(filter(_is_jupyters, os.environ.items())))
        NotebookNotary(data_dir=folder).sign(notebook)  # type: ignore[no-untyped-call]
    except OSError:
        return


def _is_jupyters(variable: tuple[str, str]) -> bool:
    return variable[0] == "HOME" or variable[0].startswith(("JUPYTER", "XDG_"))


@lru_cache(maxsize=4)
def _folder_of_signatures(_variables: frozenset[tuple[str, str]]) -> str:
    """Where this user's signatures are, under variables of the environment: it takes longer to find than to sign."""
    from nbformat.sign import NotebookNotary

    return str(NotebookNotary().data_dir)  # type: ignore[no-untyped-call]


def _identify(notebook: "NotebookNode") -> None:
    """Bring the notebook to the minor version that has cell ids, without the random ones nbformat would give."""
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    taken: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        if cell.get("id") is None or cell.id in taken:
            cell.id = f"cell-{index}"
        taken.add(cell.id)
