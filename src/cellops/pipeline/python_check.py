"""Cells that are no Python, found before a kernel starts: the cells above them may work for hours."""

import keyword
import re
from typing import TYPE_CHECKING

from cellops.capture import header
from cellops.capture.redaction import redact
from cellops.errors import UnfitError
from cellops.pipeline.plain_kernel import is_plain
from cellops.pipeline.refusals import Refusals
from cellops.pipeline.steps.python import HELP, MAGIC, lines_of, parse

if TYPE_CHECKING:
    from collections.abc import Collection

    from nbformat import NotebookNode

MAY_FAIL = "raises-exception"
"""The tag of cells that a person lets fail."""
OWN_SYNTAX = re.compile(r"^\s*(?:[/,;?]|>>>|In \[)|=\s*[%!]|\?\s*$|\\$")
"""Lines that IPython may read in a way of its own, beside magics and commands that `parse` knows."""
BARE_MAGIC = re.compile(r"^(?P<word>\w+)(?:\s+[^\s=,]|$)")
"""A single line that names a magic without its mark, such as `pip install pandas`."""
LONGEST = 200


def check_python(notebook: "NotebookNode", kernel: str, told: "Collection[object]" = ()) -> None:
    """Look at the Python of all cells, where the kernel reads it as this interpreter does.

    Left to the kernel are cells of magics that take a text, those tagged as one that may fail, and those with syntax
    that only IPython can tell from an error.

    Parameters
    ----------
    told
        Places of cells of which something wrong has been told.

    Raises
    ------
    UnfitError
        With the line and where in it Python stumbles; `data` has `cell_index` and `line`. Of several cells, each is in
        `data["errors"]`.
    """
    refusals = Refusals()
    for place, cell in enumerate(notebook.cells):
        is_meant = cell.cell_type == "code" and MAY_FAIL not in cell.metadata.get("tags", [])
        if is_meant and place not in told and not _may_be_ipythons(cell.source):
            with refusals.collecting():
                _check(place, cell.source)
    if refusals.errors and is_plain(notebook, kernel):
        refusals.refuse()


def _may_be_ipythons(source: str) -> bool:
    lines = [line for line in lines_of(header.python_body(source) or "") if line.strip()]
    bare = BARE_MAGIC.match(lines[0].strip()) if len(lines) == 1 else None
    if bare is not None and not keyword.iskeyword(bare["word"]):
        return True
    known = (line for line in lines if line.endswith("\\") or not (MAGIC.match(line) or HELP.match(line)))
    return any(map(OWN_SYNTAX.search, known))


def _check(place: int, source: str) -> None:
    try:
        parse(source)
    except SyntaxError as error:
        lines = header.dedented(lines_of(source))
        if error.lineno is None or not 0 < error.lineno <= len(lines):
            return
        fact = f"Cell {place + 1}, line {error.lineno}: the cell is no Python: {redact(error.msg)}"
        shown = (fact, *_pointed(lines[error.lineno - 1], error.offset or 1))
        remedy = "Correct the line, or tag a cell that is meant to fail: raises-exception"
        raise UnfitError(fact, remedy=remedy, shown=shown, cell_index=place, line=error.lineno) from error


def _pointed(line: str, column: int) -> tuple[str, ...]:
    """The line, and a caret below the place in it; none in a line that is too long or holds a secret."""
    text = redact(line.expandtabs(1))
    if text != line.expandtabs(1) or len(text) > LONGEST:
        return (f"  {text[:LONGEST]}",)
    return f"  {text}", f"  {' ' * (column - 1)}^"
