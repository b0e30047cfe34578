"""The drawing of a graph: nothing covers anything else, and texts of others stay text."""

from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.records.finding import Severity
from cellops.records.step import Edge, Step, StepGraph, StepProblem
from cellops.screens.graph.layout import Node as Box
from cellops.screens.graph.layout import arrow, place
from cellops.screens.graph.mermaid import mermaid
from cellops.screens.graph.svg import svg
from support.steps import read

SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Box], list[tuple[int, int]]]:
    """Boxes in even rows, and arrows that lead downwards."""
    levels = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    sizes = st.floats(20, 200)
    boxes = [Box(draw(sizes), draw(sizes), 2 * row) for row, count in enumerate(levels) for _ in range(count)]
    pairs = [(a, b) for a, b in combinations(range(len(boxes)), 2) if boxes[a].row < boxes[b].row]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=12)) if pairs else []
    return boxes, chosen


@settings(max_examples=100, deadline=None)
@given(graphs(), st.floats(0, 150), st.floats(0, 60))
def test_no_box_and_no_text_covers_another(
    drawn: tuple[list[Box], list[tuple[int, int]]], width: float, height: float
) -> None:
    boxes, pairs = drawn
    arrows = [arrow(boxes[a], boxes[b], width, height) for a, b in pairs]
    wide, high = place(boxes, arrows)
    nodes = {id(node): node for node in [*boxes, *(node for one in arrows for node in one.nodes)]}.values()
    for one, other in combinations(nodes, 2):
        apart = abs(one.x - other.x) >= (one.width + other.width) / 2 - 1e-6
        assert apart or abs(one.y - other.y) >= (one.height + other.height) / 2 - 1e-6
    for node in nodes:
        assert node.x - node.width / 2 >= -1e-6
        assert node.x + node.width / 2 <= wide + 1e-6
        assert node.y - node.height / 2 >= -1e-6
        assert node.y + node.height / 2 <= high + 1e-6


def test_an_arrow_over_several_rows_leads_straight_down_where_it_can() -> None:
    boxes = [Box(100, 40, row) for row in (0, 2, 4, 6)]
    chain = [arrow(one, other, 20, 15) for one, other in pairwise(boxes)]
    long = arrow(boxes[0], boxes[3], 20, 15)
    place(boxes, [*chain, long])
    assert len({round(node.x, 6) for node in long.nodes[1:-1]}) == 1


def test_the_picture_names_steps_cells_and_what_flows() -> None:
    graph = read("%%mlops step load\nrows = [1]", "%%mlops step sum --retries 1\ntotal = sum(rows)\ngone")
    root = ET.fromstring(svg(graph))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts == ["rows", "load", "cell 1", "sum", "cell 2 · 1 retry", "✗ cell 2, line 3: missing-producer"]
    assert float(root.attrib["width"]) > 0


def test_texts_of_others_are_no_markup() -> None:
    problem = StepProblem(
        code="x", severity=Severity.ERROR, cell=0, steps=("a",), seen="<script>1</script> & \x1b[31m", remedy='"'
    )
    graph = StepGraph(notebook="<b>.ipynb", steps=(Step(name="a", cells=(0,)),), problems=(problem,))
    root = ET.fromstring(svg(graph))
    assert [element.tag for element in root.iter() if "script" in element.tag] == []
    assert r"<script>1</script> & \x1b[31m" in "".join(root.itertext())


def test_many_names_on_an_arrow_are_cut_short_and_stand_whole_in_its_title() -> None:
    names = tuple(f"name_{number}" for number in range(12))
    steps = tuple(Step(name=name, cells=(place,)) for place, name in enumerate("ab"))
    edge = Edge(producer="a", consumer="b", names=names, files=True)
    graph = StepGraph(notebook="n", steps=steps, edges=(edge,), levels=(("a",), ("b",)))
    texts = [text.text or "" for text in ET.fromstring(svg(graph)).iter(f"{SVG}text")]
    assert " ".join(texts[:3]) == "name_0, name_1, name_2, name_3, name_4, name_5, 6 more, (files)"
    assert ", ".join(names) in svg(graph)


def test_a_circle_is_drawn_with_arrows_that_lead_up() -> None:
    drawn = svg(read("%%mlops step a\nx = 1", "%%mlops step b\ny = x", "%%mlops step a\nz = y"))
    assert drawn.count('class="arrow back"') == 1


def test_mermaid_has_a_node_for_each_step_and_an_arrow_for_each_edge() -> None:
    graph = read("%%mlops step a\nx = 1\ngone", "%%mlops step b\nprint(x)")
    assert mermaid(graph).splitlines() == [
        "flowchart TD",
        '  s0["<b>a</b><br>cell 1"]',
        '  s1["<b>b</b><br>cell 2"]',
        '  s0 -->|"x"| s1',
        "  classDef wrong stroke:#c62828,stroke-width:2px",
        "  class s0 wrong",
    ]
