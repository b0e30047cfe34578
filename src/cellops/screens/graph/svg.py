"""The graph as a picture for light and dark pages; in JupyterLab it takes the colours of its theme."""

from html import escape
from itertools import pairwise

from cellops.errors import printable
from cellops.records.finding import Severity
from cellops.records.step import Edge, Step, StepGraph, StepProblem
from cellops.screens.graph.layout import Arrow, Node, arrow, place, ports
from cellops.screens.graph.words import details, levels, on_arrow

STYLE = """
.cellops-graph { --ink: #1f2328; --quiet: #59636e; --line: #818b98; --box: #f6f8fa; --paper: #ffffff;
  --wrong: #c62828; --doubt: #9a6700; font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
@media (prefers-color-scheme: dark) { .cellops-graph { --ink: #e6edf3; --quiet: #9198a1; --line: #7d8590;
  --box: #21262d; --paper: #0d1117; --wrong: #f47067; --doubt: #d29922; } }
.cellops-graph .paper { fill: var(--jp-layout-color0, var(--paper)); }
.cellops-graph .box { fill: var(--jp-layout-color1, var(--box)); stroke: var(--jp-border-color0, var(--line)); }
.cellops-graph .box.error { stroke: var(--jp-error-color1, var(--wrong)); stroke-width: 2; }
.cellops-graph .box.warning { stroke: var(--jp-warn-color1, var(--doubt)); stroke-dasharray: 5 3; }
.cellops-graph .name { fill: var(--jp-ui-font-color1, var(--ink)); font-weight: 600; font-size: 13px; }
.cellops-graph .quiet { fill: var(--jp-ui-font-color2, var(--quiet)); font-size: 11px; }
.cellops-graph .carried { fill: var(--jp-ui-font-color1, var(--ink)); }
.cellops-graph .told.error { fill: var(--jp-ui-font-color1, var(--wrong)); font-size: 11px; }
.cellops-graph .told.warning { fill: var(--jp-ui-font-color1, var(--doubt)); font-size: 11px; }
.cellops-graph .arrow { fill: none; stroke: var(--jp-ui-font-color3, var(--line)); stroke-width: 1.4; }
.cellops-graph .arrow.files { stroke-dasharray: 3 3; }
.cellops-graph .arrow.back { stroke: var(--jp-error-color1, var(--wrong)); }
.cellops-graph .head { fill: var(--jp-ui-font-color3, var(--line)); stroke: none; }
.cellops-graph .head.back { fill: var(--jp-error-color1, var(--wrong)); }
"""
BOLD, SMALL, PLAIN = 8.0, 6.7, 7.3
"""Widths of a character of the three sizes, in pixels."""
LINE = 15.0
MARGIN = 14.0
HEAD = 7.0
"""Length of an arrow's head."""


class GraphPicture:
    """What a notebook shows of a graph; readers without HTML get the steps in a line."""

    def __init__(self, graph: StepGraph) -> None:
        self._graph = graph

    def __repr__(self) -> str:
        return f"{self._graph.notebook}: {' · '.join(' | '.join(level) for level in levels(self._graph))}"

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x: auto">{svg(self._graph)}</div>'


def svg(graph: StepGraph) -> str:
    """Draw the graph; what is wrong with a step stands in its box, with the cell.

    Parameters
    ----------
    graph
        With or without problems. Where steps wait in a circle they stand in the order of the notebook, and the arrows
        that lead upwards are red.

    Returns
    -------
    str
        A whole SVG document, which may also stand inside of a page.
    """
    rows = {name: 2 * number for number, level in enumerate(levels(graph)) for name in level}
    told = {step.name: _told(graph, step.name) for step in graph.steps}
    boxes = {step.name: _node(step, told[step.name], rows[step.name]) for step in graph.steps}
    forward = [edge for edge in graph.edges if rows[edge.producer] < rows[edge.consumer]]
    arrows = {edge: _arrow(edge, boxes) for edge in forward}
    width, height = place(list(boxes.values()), list(arrows.values()))
    back = [edge for edge in graph.edges if edge not in arrows]
    right = width
    leaves, enters = (_ports(boxes, arrows, above=above) for above in (False, True))
    drawn = [_drawn(edge, one, leaves[one], enters[one]) for edge, one in arrows.items()]
    for number, edge in enumerate(back, start=1):
        right = width + 30.0 * number + max((len(line) * PLAIN for line in on_arrow(edge)), default=0.0)
        drawn.append(_upwards(edge, boxes[edge.producer], boxes[edge.consumer], width + 22.0 * number))
    drawn += [_box(step, boxes[step.name], told[step.name]) for step in graph.steps]
    wide, high = right + 2 * MARGIN, height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cellops-graph" role="img" width="{wide:.0f}" '
        f'height="{high:.0f}" viewBox="{-MARGIN:g} {-MARGIN:g} {wide:.0f} {high:.0f}">'
        f"<title>{_text(graph.notebook)}: the steps and what flows between them</title><style>{STYLE}</style>"
        f'<rect class="paper" x="{-MARGIN:g}" y="{-MARGIN:g}" width="{wide:.0f}" height="{high:.0f}"/>'
        f"{''.join(drawn)}</svg>\n"
    )


def _told(graph: StepGraph, name: str) -> list[StepProblem]:
    """What is to be looked at in a step, each kind once at a place."""
    found = [one for one in graph.problems if one.steps[:1] == (name,) or (name in one.steps and one.code == "cycle")]
    return list({(one.where, one.code): one for one in found if one.severity is not Severity.INFO}.values())


def _node(step: Step, told: list[StepProblem], row: int) -> Node:
    said = max((len(_said(problem)) * SMALL for problem in told), default=0.0)
    width = max(len(step.name) * BOLD, len(details(step)) * SMALL, said) + 24.0
    return Node(width=width, height=42.0 + LINE * len(told), row=row)


def _arrow(edge: Edge, boxes: dict[str, Node]) -> Arrow:
    lines = on_arrow(edge)
    width = max(len(line) for line in lines) * PLAIN + 8.0
    return arrow(boxes[edge.producer], boxes[edge.consumer], width, LINE * len(lines))


def _said(problem: StepProblem) -> str:
    return (
        f"✗ {problem.where}: {problem.code}"
        if problem.severity is Severity.ERROR
        else f"! {problem.where}: {problem.code}"
    )


def _box(step: Step, node: Node, told: list[StepProblem]) -> str:
    left, top = node.x - node.width / 2, node.y - node.height / 2
    look = next((f" {level.value}" for level in (Severity.ERROR, Severity.WARNING) if _any(told, level)), "")
    lines = [
        f'<text class="told {one.severity.value}" x="{node.x:.1f}" y="{top + 35 + LINE * number:.1f}" '
        f'text-anchor="middle">{_text(_said(one))}</text>'
        for number, one in enumerate(told, start=1)
    ]
    hover = "\n".join([f"{step.name}: {details(step)}", *(f"{one.where}: {one.seen}. {one.remedy}" for one in told)])
    return (
        f'<g><title>{_text(hover)}</title><rect class="box{look}" x="{left:.1f}" y="{top:.1f}" '
        f'width="{node.width:.1f}" height="{node.height:.1f}" rx="6"/>'
        f'<text class="name" x="{node.x:.1f}" y="{top + 18:.1f}" text-anchor="middle">{_text(step.name)}</text>'
        f'<text class="quiet" x="{node.x:.1f}" y="{top + 34:.1f}" text-anchor="middle">{_text(details(step))}</text>'
        f"{''.join(lines)}</g>"
    )


def _any(told: list[StepProblem], severity: Severity) -> bool:
    return any(problem.severity is severity for problem in told)


def _ports(boxes: dict[str, Node], arrows: dict[Edge, Arrow], *, above: bool) -> dict[Arrow, float]:
    given = list(arrows.values())
    return {one: x for box in boxes.values() for one, x in ports(box, given, above=above).items()}


def _drawn(edge: Edge, one: Arrow, leaves: float, enters: float) -> str:
    """A curve through the nodes of an arrow, broken where its text stands."""
    first, text, *bends, last = one.nodes
    begin, end = (leaves, first.y + first.height / 2), (enters, last.y - last.height / 2 - HEAD)
    above, below = (text.x, text.y - text.height / 2), (text.x, text.y + text.height / 2 + 2)
    passed = [(bend.x, bend.y + side * bend.height / 2) for bend in bends for side in (-1, 1)]
    down = _curve([below, *passed, end])
    look = " files" if edge.files and not edge.names else ""
    return (
        f'<g><title>{_text(_hover(edge))}</title><path class="arrow{look}" d="{_curve([begin, above])}{down}"/>'
        f"{_head(end)}{_words(edge, text.x, text.y, 'middle')}</g>"
    )


def _upwards(edge: Edge, producer: Node, consumer: Node, x: float) -> str:
    """An arrow that closes a circle: around the right side."""
    begin = (producer.x + producer.width / 2, producer.y)
    end = (consumer.x + consumer.width / 2 + HEAD, consumer.y)
    middle = (producer.y + consumer.y) / 2
    path = f"M{begin[0]:.1f} {begin[1]:.1f}H{x:.1f}V{end[1]:.1f}H{end[0]:.1f}"
    head = f"M{end[0]:.1f} {end[1] - 4:.1f}L{end[0] - HEAD:.1f} {end[1]:.1f}L{end[0]:.1f} {end[1] + 4:.1f}z"
    return (
        f'<g><title>{_text(_hover(edge))}</title><path class="arrow back" d="{path}"/>'
        f'<path class="head back" d="{head}"/>{_words(edge, x + 5, middle, "start")}</g>'
    )


def _words(edge: Edge, x: float, y: float, anchor: str) -> str:
    lines = on_arrow(edge)
    top = y - LINE * len(lines) / 2 + 11
    return "".join(
        f'<text class="carried" x="{x:.1f}" y="{top + LINE * number:.1f}" text-anchor="{anchor}">{_text(line)}</text>'
        for number, line in enumerate(lines)
    )


def _hover(edge: Edge) -> str:
    files = [] if not edge.files else ["one writes files that the other may touch"]
    return f"{edge.producer} to {edge.consumer}: {', '.join([*edge.names, *files])}"


def _curve(points: list[tuple[float, float]]) -> str:
    """Leaves and reaches each point vertically."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (y + to_y) / 2
        path += f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
    return path


def _head(tip: tuple[float, float]) -> str:
    x, y = tip
    return f'<path class="head" d="M{x - 4:.1f} {y:.1f}L{x:.1f} {y + HEAD:.1f}L{x + 4:.1f} {y:.1f}z"/>'


def _text(text: str) -> str:
    return escape(printable(text))
