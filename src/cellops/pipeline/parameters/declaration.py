"""The parameters that a notebook declares, found with `ast`."""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture import header
from cellops.errors import ParameterError
from cellops.pipeline.parameters.enums import Bindings
from cellops.pipeline.parameters.names import Names
from cellops.pipeline.parameters.parameter import Parameter, assigned, read_parameter
from cellops.pipeline.parameters.plain import plain
from cellops.records.execution import ParameterValue

if TYPE_CHECKING:
    from nbformat import NotebookNode

VERB = "parameters"
HEADER = f"{header.MARK} {VERB}"
TAG = "parameters"
INJECTED_TAG = "injected-parameters"
COMMAND = re.compile(r"(?m)^[%!]")


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a notebook says of its parameters."""

    index: int | None = None
    """Place of the parameters cell among all cells, from 0; None when the notebook has none."""
    has_header: bool = False
    """Whether that cell begins with `%%mlops parameters` (else it has the tag `parameters`)."""
    parameters: tuple[Parameter, ...] = ()
    names: Names = field(default_factory=Names)

    def tagged(self, notebook: "NotebookNode") -> tuple[str, ...]:
        """The ids of the cells that are parameters by their tag alone, which a kernel does not see."""
        by_tag = self.index is not None and not self.has_header
        return (notebook.cells[self.index].id, INJECTED_TAG) if by_tag else ()

    def defaults(self) -> dict[str, ParameterValue]:
        """The defaults that are plain to see, by name, as JSON can hold them."""
        return {p.name: plain(p.default) for p in self.parameters if not (p.required or p.computed)}


def declared(notebook: "NotebookNode", folder: Path | None = None) -> Declared:
    """Read the parameters that a notebook declares; nothing is executed.

    The parameters cell is the code cell whose first line is `%%mlops parameters`, or which has papermill's tag
    `parameters`. Each assignment to one name in it is a parameter; other statements are left alone.

    Parameters
    ----------
    folder
        Where its kernel works: Enums are looked for in the modules there, then where this Python imports from.

    Raises
    ------
    ParameterError
        When there are two parameters cells, or the cell is not plain Python.
    """
    found = [i for i, cell in enumerate(notebook.cells) if _is_parameters_cell(cell)]
    if not found:
        return Declared()
    if len(found) > 1:
        fact = f"The notebook has {len(found)} parameters cells: {', '.join(f'cell {i + 1}' for i in found)}"
        raise ParameterError(fact, remedy="Keep one and move the assignments of the others into it", cells=found)
    index, source = found[0], notebook.cells[found[0]].source
    body = _body(source)
    tree = _tree(body, index)
    roots = [*([] if folder is None else [folder]), *map(Path, sys.path)]
    taken = frozenset(name for statement in tree.body if (name := assigned(statement)) is not None)
    names = Names(_bindings(notebook.cells[:index], tree), roots, taken)
    comments = dict(_comments(body))
    parameters = {p.name: p for p in (read_parameter(s, comments, names) for s in tree.body) if p is not None}
    has_header = _has_header(source)
    return Declared(index=index, has_header=has_header, parameters=tuple(parameters.values()), names=names)


def _is_parameters_cell(cell: "NotebookNode") -> bool:
    tags = cell.metadata.get("tags", [])
    if cell.cell_type != "code" or INJECTED_TAG in tags:
        return False
    return TAG in tags or _has_header(cell.source)


def _has_header(source: str) -> bool:
    found = header.find(source)
    return found is not None and found.verb == VERB


def _body(source: str) -> str:
    """The cell without its header and what stands above it, with the line numbers kept."""
    found = header.find(source)
    if found is None:
        return source
    lines = source.splitlines(keepends=True)
    return "\n" * (found.line + 1) + "".join(lines[found.line + 1 :])


def _tree(body: str, index: int) -> ast.Module:
    try:
        return ast.parse(body)
    except SyntaxError as error:
        fact = f"The parameters cell (cell {index + 1}) is not plain Python: {error.msg}, line {error.lineno}"
        remedy = "Correct the line; magics and shell commands belong into another cell"
        raise ParameterError(fact, remedy=remedy, cell_index=index, line=error.lineno) from error


def _bindings(above: "Sequence[NotebookNode]", tree: ast.Module) -> Bindings:
    """What the cells down to the parameters bind; cells that cannot be read bind nothing that a type could need."""
    bindings = Bindings()
    for cell in above:
        body = header.python_body(cell.source) if cell.cell_type == "code" else None
        try:
            bindings = bindings.read(ast.parse(COMMAND.sub("#", body or "")))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return bindings.read(tree)


def _comments(body: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(body).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ").rstrip()
