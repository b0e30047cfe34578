"""Headers that cannot be read, found before a kernel starts: the cells above them may work for hours."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from cellops.capture import header
from cellops.errors import UnfitError, UsageError
from cellops.pipeline.cell_verbs import VERBS, asks_for_help, explained, read
from cellops.pipeline.refusals import Refusals

if TYPE_CHECKING:
    from nbformat import NotebookNode

MAY_BE_REPLACED = ("{", "$")
"""Where IPython puts values into a line; not into the headers that cellops takes off a cell before."""


def check_headers(notebook: "NotebookNode") -> None:
    """Look at the verbs of all cells, and at their options.

    Raises
    ------
    UnfitError
        When one of them does not exist or does not fit; `data["cell_index"]` is the place of its cell, from 0. Of
        several, each is in `data["errors"]`.
    """
    refusals = Refusals()
    for place, found in headers(notebook):
        with refusals.collecting():
            try:
                _check(found)
            except click.ClickException as error:
                raise _of_cell(place, *explained(error)) from error
            except UsageError as error:
                raise _of_cell(place, error.fact, error.remedy, error.shown) from error
    refusals.refuse()


def headers(notebook: "NotebookNode") -> Iterator[tuple[int, header.Header]]:
    """The headers of all cells that have a verb, each with the place of its cell."""
    for place, cell in enumerate(notebook.cells):
        found = header.headers(cell.source) if cell.cell_type == "code" else []
        yield from ((place, one) for one in found if _is_meant(one, cell.source))


def _is_meant(found: header.Header, source: str) -> bool:
    """Whether a header has a verb or a body, and no magic above it takes it for a text, as `%%writefile` does."""
    above = [line.split()[0] for line in source.splitlines()[: found.line] if line.lstrip().startswith("%%")]
    transparent = {header.MARK, *(f"%%{name}" for name in header.TRANSPARENT)}
    body = source.splitlines()[found.line + 1 :]
    read = bool(found.verb) or any(line.strip() and not line.lstrip().startswith("#") for line in body)
    return read and not found.verb.startswith("-") and transparent.issuperset(above)


def _check(found: header.Header) -> None:
    if not found.verb:
        fact = "%%mlops names no verb: it would show its help, and nothing of the cell would run"
        raise UsageError(fact, remedy=f"The verbs are {', '.join(VERBS)}; for plain code, leave the line out")
    if found.verb not in VERBS:
        near = get_close_matches(found.verb, VERBS, n=1)
        fact = f"%%mlops {found.verb}: no cell has this verb"
        raise UsageError(fact, remedy=f"Write %%mlops {near[0]}" if near else f"The verbs are {', '.join(VERBS)}")
    replaced = not found.keeps_the_cell and any(mark in found.arguments for mark in MAY_BE_REPLACED)
    if not replaced and not asks_for_help(found.arguments):
        read(found.verb, found.arguments)


def _of_cell(place: int, fact: str, remedy: str, shown: tuple[str, ...] = ()) -> UnfitError:
    where = f"Cell {place + 1}: "
    pointed = (where + shown[0], *shown[1:]) if shown else ()
    return UnfitError(where + fact, remedy=remedy, shown=pointed, cell_index=place)
