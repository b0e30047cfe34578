"""Headers with a verb that no cell has, found before a kernel starts: the cells above them may work for hours."""

from difflib import get_close_matches
from typing import TYPE_CHECKING

from cellops.capture import header
from cellops.errors import NotebookError

if TYPE_CHECKING:
    from nbformat import NotebookNode

VERBS = (*header.VERBS_THAT_KEEP_THE_CELL, "expect")


def check_headers(notebook: "NotebookNode") -> None:
    """Look at the verbs of all cells.

    Raises
    ------
    NotebookError
        When one of them does not exist; `data["cell_index"]` is the place of its cell, from 0.
    """
    for place, cell in enumerate(notebook.cells):
        found = header.headers(cell.source) if cell.cell_type == "code" else []
        for verb in (one.verb for one in found if one.verb and one.verb not in VERBS and not one.verb.startswith("-")):
            near = get_close_matches(verb, VERBS, n=1)
            fact = f"Cell {place + 1} begins with %%mlops {verb}, and no cell has this verb"
            remedy = f"Write %%mlops {near[0]}" if near else f"The verbs of cells are {', '.join(VERBS)}"
            raise NotebookError(fact, remedy=remedy, cell_index=place)
