"""A notebook that is kept as text: a script or a Markdown page, read by jupytext."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.errors import UnfitError

if TYPE_CHECKING:
    from nbformat import NotebookNode

SUFFIXES = (".py", ".md", ".markdown", ".myst", ".mystnb", ".rmd")
MAGICS = ("%", "!", "?")
FENCES = ("```", "~~~")
PYTHON = "python"


def is_text(path: Path) -> bool:
    """Whether a file is a notebook as text by its name."""
    return path.suffix.lower() in SUFFIXES


def read_text(path: Path, text: str) -> "NotebookNode":
    """The notebook that a script or page is: cells by their marks, by paragraphs where a script has none.

    Each code cell knows the line of the file in which it begins, as far as it stands there as it is.

    Raises
    ------
    UnfitError
        When jupytext is not installed, cannot read it, or finds no cell with code.
    """
    try:
        import jupytext
    except ImportError as error:
        fact = f"{path.name} is a notebook as text, which jupytext reads, and jupytext is not installed"
        raise UnfitError(fact, remedy='Run: pip install "cellops[jupytext]"', path=str(path)) from error
    try:
        notebook: NotebookNode = jupytext.reads(text, fmt={"extension": path.suffix})
    except Exception as error:  # a header can be wrong in as many ways as there are parsers
        said = " ".join(str(error).split())
        fact = f"{path} cannot be read as a notebook: {said:.200}"
        raise UnfitError(fact, remedy="Correct its header, or its cells' marks", path=str(path)) from error
    if not any(cell.cell_type == "code" for cell in notebook.cells):
        fact = f"{path} has no cells with code, so there is nothing to execute"
        raise UnfitError(fact, remedy="Begin cells with # %% in a script, with ```python on a page", path=str(path))
    _know_language(notebook, path)
    # Its executed copy is no text and is paired with none.
    notebook.metadata.pop("jupytext", None)
    _place(notebook, text.splitlines(), in_fences=path.suffix.lower() != ".py")
    return notebook


def line_in_file(cell: Mapping[str, Any], line: int | None) -> int | None:
    """The line of the file for a line of a cell, both from 1; None where it is not known, as in an .ipynb."""
    first = cell.get("metadata", {}).get("cellops", {}).get("line")
    return None if first is None or line is None else first + line - 1


def _know_language(notebook: "NotebookNode", path: Path) -> None:
    language = notebook.metadata.get("jupytext", {}).get("main_language", PYTHON)
    if language != PYTHON and "kernelspec" not in notebook.metadata:
        fact = f"The cells of {path} are written in {language}, and its header names no kernel"
        raise UnfitError(fact, remedy=f"Choose one: jupytext --set-kernel NAME {path.name}", path=str(path))


def _place(notebook: "NotebookNode", lines: Sequence[str], *, in_fences: bool) -> None:
    """Write to each code cell where it begins in the file; its id, which jupytext draws at random, is taken away."""
    open_lines = list(_inside(lines)) if in_fences else [True] * len(lines)
    begin = 0
    for cell in notebook.cells:
        cell.pop("id", None)
        source = cell.source.splitlines()
        if cell.cell_type != "code" or not source:
            continue
        for start in range(begin, len(lines) - len(source) + 1):
            if open_lines[start] and all(map(_is_line, lines[start : start + len(source)], source)):
                cell.metadata["cellops"] = {"line": start + 1}
                begin = start + len(source)
                break


def _inside(lines: Sequence[str]) -> Iterator[bool]:
    """Whether each line of a page stands in a block of code."""
    opened = False
    for line in lines:
        if line.startswith(FENCES):
            opened = not opened
            yield False
        else:
            yield opened


def _is_line(line: str, of_cell: str) -> bool:
    """Whether a line of the file is one of a cell; a script has magics as comments."""
    return line == of_cell or (of_cell.startswith(MAGICS) and line.lstrip("# ") == of_cell)
