"""Cells under `%%mlops` in a notebook that does not load cellops, found before a kernel starts."""

import ast
import re
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from cellops.capture.names.libraries import root
from cellops.errors import UnfitError
from cellops.pipeline.header_check import headers
from cellops.pipeline.plain_kernel import is_plain
from cellops.pipeline.python_check import MAY_FAIL
from cellops.pipeline.steps.python import parse

if TYPE_CHECKING:
    from nbformat import NotebookNode

LOAD = "%load_ext cellops"
MAY_LOAD = re.compile(
    r"cellops|load_ext|load_extension|_magic|\.magic\(|%run|%load|\bexec|\beval|runpy|import_module|__import__"
)
"""What loads it, or may execute a text or a file that does."""
PACKAGES = ("site-packages", "dist-packages")


def check_loaded(notebook: "NotebookNode", kernel: str) -> None:
    """Refuse a notebook with headers of cellops in which nothing can load it.

    A notebook that imports modules of its own, or whose kernel is not known to begin without extensions, is left to
    the kernel, which says the same.

    Raises
    ------
    UnfitError
        `data["cell_index"]` is the place of the first such cell, from 0.
    """
    places = (place for place, _ in headers(notebook))
    place = next((one for one in places if MAY_FAIL not in notebook.cells[one].metadata.get("tags", [])), None)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    if place is None or any(map(MAY_LOAD.search, sources)) or not is_plain(notebook, kernel):
        return
    if all(map(_is_installed, _imported(sources))):
        fact = f"Cell {place + 1} begins with %%mlops, and no cell loads cellops"
        raise UnfitError(fact, remedy=f"Begin the notebook with {LOAD}", cell_index=place)


def _imported(sources: Iterable[str]) -> set[str]:
    """The modules that cells import; an empty name where this cannot be read."""
    found = set[str]()
    for source in sources:
        try:
            nodes = list(ast.walk(parse(source)))
        except SyntaxError:
            return {""}
        found |= {root(alias.name) for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        found |= {root(node.module or "") for node in nodes if isinstance(node, ast.ImportFrom)}
    return found


def _is_installed(module: str) -> bool:
    """Whether a module is Python's own or a library, which load no extension of IPython."""
    if module in sys.stdlib_module_names:
        return True
    spec = PathFinder.find_spec(module) if module else None
    return spec is not None and any(name in (spec.origin or "") for name in PACKAGES)
