"""Small notebooks, one way each by which a step may change what another sees: never are values wrong and nothing told.

Their values stand in files between the steps, as in an execution; each step has a namespace and modules of its own.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cellops.pipeline.steps.graph import graph_of
from cellops.pipeline.values.store import ValueStore
from cellops.records.step import Step, StepGraph
from support.steps import as_notebook

NOTEBOOKS = Path(__file__).parent / "small_notebooks"
MODULES = {
    "ownstate": "STATE = []\ncount = 0\ndef add(x):\n    STATE.append(x)\n"
    "def bump():\n    global count\n    count += 1\n"
    "class Keeper:\n    total = 0\n    def add(self, n):\n        type(self).total += n\n",
    "ownother": "import ownstate\ndef go():\n    ownstate.add(7)\n",
    "ownpure": "import logging, re\nfrom dataclasses import dataclass\nfrom pathlib import Path\n"
    "COLS = ['a']\nLIMIT = 3\nRE = re.compile('a')\nROOT = Path(__file__).parent\nlog = logging.getLogger('own')\n"
    "@dataclass\nclass Config:\n    rate: float = 1.0\n"
    "def double(x):\n    log.debug('doubled')\n    return [v * 2 for v in x]\ndef put(t, v):\n    t.append(v)\n",
}


def notebooks(name: str) -> Iterator[Any]:
    """The notebooks of a file, each below a line with its title, as cells; what stands above its first step is one."""
    for text in (NOTEBOOKS / name).read_text(encoding="utf-8").split("## ")[1:]:
        title, _, body = text.strip().partition("\n")
        parts = body.split("%%mlops step ")
        cells = [*([parts[0]] if parts[0] else []), *(f"%%mlops step {part}" for part in parts[1:])]
        yield pytest.param(title.partition(": ")[2], cells, id=title)


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    _forget_modules()


def _forget_modules() -> None:
    for name in MODULES:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def in_one_kernel(cells: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    notebook = _namespace(monkeypatch)
    for cell in cells:
        exec(_body(cell), notebook)
    return notebook["seen"]


def step_by_step(graph: StepGraph, cells: list[str], monkeypatch: pytest.MonkeyPatch, store: ValueStore) -> object:
    given: dict[str, Any] = {}
    seen = None
    for step in (graph.step(name) for level in graph.levels for name in reversed(level)):
        notebook = _namespace(monkeypatch)
        for code in _above(step, cells):
            exec(code, notebook)
        for edge in graph.edges:
            if edge.consumer == step.name:
                notebook |= store.load(given[edge.producer], edge.names)
        for place in step.cells:
            exec(_body(cells[place]), notebook)
        given[step.name] = store.keep({name: notebook[name] for name in step.outputs if name in notebook})
        seen = notebook.get("seen", seen)
    return seen


def _above(step: Step, cells: list[str]) -> Iterator[str]:
    yield from (_body(cells[place]) for place in step.shared)
    for one in step.definitions:
        yield "\n".join(cells[one.cell].splitlines()[one.first_line - 1 : one.last_line])


def _namespace(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    _forget_modules()
    notebook = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    return vars(notebook)


def _body(cell: str) -> str:
    return "\n".join("" if line.startswith("%%") else line for line in cell.splitlines())


@pytest.mark.parametrize(("_code", "cells"), list(notebooks("same.txt")))
def test_steps_give_what_one_kernel_gives(
    _code: str, cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(as_notebook(*cells), "notebook.ipynb", (tmp_path,))
    assert graph.errors == ()
    found = step_by_step(graph, cells, monkeypatch, ValueStore(tmp_path / "values"))
    assert found == in_one_kernel(cells, monkeypatch)


@pytest.mark.parametrize(("code", "cells"), list(notebooks("told.txt")))
def test_what_steps_cannot_see_of_each_other_is_told_with_its_cell(code: str, cells: list[str], tmp_path: Path) -> None:
    told = graph_of(as_notebook(*cells), "notebook.ipynb", (tmp_path,)).problems
    assert code in {problem.code for problem in told}
    assert all(0 <= problem.cell < len(cells) for problem in told)
