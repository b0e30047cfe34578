"""Steps that run each in a namespace of its own give what the notebook gives in one, for many small programs."""

import pickle
from typing import Any

import cloudpickle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellops.records.step import StepGraph
from support.steps import read

NAMES = ("a", "b", "c", "d")
LISTS = tuple(f"{name} = [{number}]" for number, name in enumerate(NAMES))
IMPORTS = "import copy as libcopy\nfrom operator import add"
FUNCTIONS = (
    "def f(t):\n    return [*t, len(a)]",
    "def f(t):\n    t.append(5)\n    return t",
    "def f(t):\n    inner = g(t)\n    inner.append(6)\n    return [inner]",
    "def f(t):\n    global b\n    b = [t, 7]\n    return b",
    "def f(t, kept=[]):\n    kept.append(len(t))\n    return kept",
    "def g(t):\n    return libcopy.copy(t)",
    "def g(t):\n    return t",
    "def g(t):\n    def h():\n        return [t, c]\n    return h()",
    "g = lambda t: add(t, d)",
)
CLASS = (
    "class Box:\n    def __init__(self, held):\n        self.held = held\n"
    "    def put(self, item):\n        self.held.append(item)\n        return self.held"
)


def _statements() -> st.SearchStrategy[str]:
    x, y, z = (st.sampled_from(NAMES) for _ in range(3))
    templates = (
        "{x} = [1]",
        "{x} = {y}",
        "{x} = [{y}]",
        "{x} = list({y})",
        "{x} = [*{y}, {z}]",
        "{x} = {y} + {z}",
        "{x} = [len(v) if v is {x} else v for v in {y}][:3]",
        "{x}, {y} = {y}, {x}",
        "{x}.append(2)",
        "{x}.append(len({y}))",
        "{x}.append({y})",
        "{x} += [3]",
        "{x}[:] = [4]",
        "{x}[0:1] = {y}",
        "del {x}[:1]",
        "if len({y}) > 1:\n    {x} = [5]",
        "if len({y}) > 1:\n    {x}.append(6)\nelse:\n    {z} = {x}",
        "for v in list({y})[:2]:\n    {x}.append(len({z}))",
        "while len({x}) < 2:\n    {x}.append({z})",
        "try:\n    {x} = {y}[7]\nexcept IndexError:\n    {x} = {z}",
        "with open('/dev/null'):\n    {x} = {y}",
        "{x} = f({y})",
        "f({x})",
        "{x} = g({y})",
        "g({x}).append(8)",
        "{x} = list(map(f, [{y}, {z}]))",
        "{x} = sorted([{y}, {z}], key=len)",
        "box = Box({x})",
        "box.put({y})",
        "{x} = box.put(9)",
        "{x} = box.held",
        "box.held = {x}",
        "exec('{x} = {y}')",
        "exec('{x}' + '.append(1)')",
        "globals()['{x}'] = {y}",
        "{x} = getattr(box, 'held')",
        "{x} = eval('{y}' + '')",
        "{x} = {{'k': {y}}}['k']",
        "{x} = {{'k': {y}}}.get('k', {z})",
        "{x} = ({y}, {z})[len({x}) > 1]",
        "{x} = {y} or {z}",
        "import operator\noperator.iadd({x}, {y})",
        "from itertools import chain\n{x} = list(chain({y}, {z}))",
        "stream = iter({x})",
        "{x} = list(stream)",
        "match {y}:\n    case [first, *rest]:\n        {x} = rest\n    case _:\n        pass",
        "if (held := {y}):\n    {x} = held",
    )
    plain = st.builds(
        lambda t, *names: t.format(**dict(zip("xyz", names, strict=True))), st.sampled_from(templates), x, y, z
    )
    return st.one_of(plain, plain, plain, st.sampled_from(FUNCTIONS))


@st.composite
def notebooks(draw: st.DrawFn) -> list[str]:
    """Sources of cells: names and functions above or in the first step, then steps that look at some names."""
    begin = "\n".join([IMPORTS, *LISTS, FUNCTIONS[0], FUNCTIONS[6], CLASS, "box = Box([0])", "stream = iter([0])"])
    cells = [begin if draw(st.booleans()) else f"%%mlops step first\n{begin}"]
    if draw(st.booleans()):
        cells.append("\n".join(draw(st.lists(_statements(), max_size=3))))
    for number in range(draw(st.integers(2, 5))):
        body = draw(st.lists(_statements(), min_size=1, max_size=4))
        looked_at = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
        cells.append("\n".join([f"%%mlops step s{number}", *body, f"seen{number} = repr([{', '.join(looked_at)}])"]))
    return cells


def in_one_namespace(cells: list[str]) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        exec(_body(cell), namespace)
    return namespace


def each_in_its_own(cells: list[str], graph: StepGraph) -> dict[str, Any]:
    """What each step leaves, where only the values of its inputs are handed to it; the last steps of a level first."""
    kept: dict[str, dict[str, Any]] = {}
    left: dict[str, Any] = {}
    for step in (graph.step(name) for level in graph.levels for name in reversed(level)):
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for place in step.shared:
            exec(_body(cells[place]), namespace)
        for one in step.definitions:
            exec("\n".join(cells[one.cell].splitlines()[one.first_line - 1 : one.last_line]), namespace)
        for edge in graph.edges:
            if edge.consumer == step.name:
                values = kept[edge.producer]
                namespace |= _copied({name: values[name] for name in edge.names if name in values})
        for place in step.cells:
            exec(_body(cells[place]), namespace)
        kept[step.name] = _copied({name: namespace[name] for name in step.outputs if name in namespace})
        left |= {name: value for name, value in namespace.items() if name.startswith("seen")}
    return left


def _copied(values: dict[str, Any]) -> dict[str, Any]:
    """Copies that share what the originals share, as another process reads them."""
    found: dict[str, Any] = pickle.loads(cloudpickle.dumps(values))
    return found


def _body(cell: str) -> str:
    return "\n".join("" if line.startswith("%%") else line for line in cell.splitlines())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(notebooks())
def test_steps_in_namespaces_of_their_own_give_what_the_notebook_gives(cells: list[str]) -> None:
    try:
        expected = in_one_namespace(cells)
    except Exception:  # a program that fails in one namespace promises nothing
        return
    found = each_in_its_own(cells, read(*cells))
    assert found == {name: value for name, value in expected.items() if name.startswith("seen")}


def test_the_comparison_sees_what_is_not_handed_on() -> None:
    cells = ["%%mlops step a\nx = [1]", "%%mlops step b\nx.append(2)", "%%mlops step c\nseen = repr(x)"]
    graph = read(*cells)
    assert each_in_its_own(cells, graph) == {"seen": "[1, 2]"}
    first = graph.edges[0]
    stale = graph.replace(edges=(first, first.replace(consumer="c")))
    assert each_in_its_own(cells, stale) == {"seen": "[1]"}
