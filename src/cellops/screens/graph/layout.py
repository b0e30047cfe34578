"""Where the boxes and arrows of a layered graph stand: Sugiyama's method, for the few nodes that a notebook has.

Boxes stand in rows, one for each level. Between two rows is one for what is written on the arrows: it takes part in
the layout like a box, so that no text covers another. An arrow over several rows bends around the boxes between.

Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of Hierarchical System Structures, 1981:
rows ordered by the barycentre of their neighbours. Places within a row by least squares, with the distances between
neighbours as constraints: an isotonic regression.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

SWEEPS = 12
"""Up and down, to find the order within the rows."""
SETTLING = 80
"""Up and down, to find the places."""
STRAIGHT = 8
"""By how much the inner pieces of an arrow count more than its ends."""
GAP = 28.0
"""Between two neighbours of a row, in the unit of the widths."""


@dataclass(eq=False)
class Node:
    """A box, the text of an arrow, or a bend of one."""

    width: float
    height: float
    row: int
    is_box: bool = True
    x: float = 0.0
    """The middle."""
    y: float = 0.0
    """The middle."""
    above: "list[Node]" = field(default_factory=list)
    below: "list[Node]" = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Arrow:
    """From the first of its nodes to the last; the second carries its text."""

    nodes: tuple[Node, ...]


def arrow(producer: Node, consumer: Node, width: float, height: float) -> Arrow:
    """Lead an arrow downwards from one box to another, with a node for its text and for each row that it passes."""
    rows = range(producer.row + 1, consumer.row)
    text = [Node(width, height, row, is_box=False) for row in rows[:1]]
    inner = [*text, *(Node(0.0, 0.0, row, is_box=False) for row in rows[1:])]
    nodes = (producer, *inner, consumer)
    for one, other in pairwise(nodes):
        one.below.append(other)
        other.above.append(one)
    return Arrow(nodes)


def place(boxes: Sequence[Node], arrows: Sequence[Arrow], gap: float = GAP, space: float = 26.0) -> tuple[float, float]:
    """Give all nodes their places.

    Parameters
    ----------
    boxes, arrows
        The graph; boxes stand in even rows.
    gap
        Between two neighbours of a row.
    space
        Between two rows.

    Returns
    -------
    tuple of float
        Width and height of the whole.
    """
    nodes = list(dict.fromkeys([*boxes, *(node for one in arrows for node in one.nodes)]))
    rows: list[list[Node]] = [[] for _ in range(max((node.row for node in nodes), default=0) + 1)]
    for node in nodes:
        rows[node.row].append(node)
    for sweep in range(SWEEPS):
        _order(rows, downwards=sweep % 2 == 0)
    for row in rows:
        _spread(row, [0.0] * len(row), gap)
    for sweep in range(SETTLING):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            _spread(row, [_wanted(node) for node in row], gap)
    for one in arrows:
        _straighten(one, rows, gap)
    return _margins(rows, space)


def ports(node: Node, arrows: Sequence[Arrow], *, above: bool) -> dict[Arrow, float]:
    """Where arrows touch a box: beside each other, in the order in which they come."""
    mine = [one for one in arrows if one.nodes[-1 if above else 0] is node]
    mine.sort(key=lambda one: one.nodes[-2 if above else 1].x)
    step = min(18.0, 0.8 * node.width / max(len(mine), 1))
    return {one: node.x + (place - (len(mine) - 1) / 2) * step for place, one in enumerate(mine)}


def _order(rows: Sequence[list[Node]], *, downwards: bool) -> None:
    """Sort each row by where the neighbours of its nodes stand in the row before."""
    for row in rows if downwards else reversed(rows):
        near = [(node.above if downwards else node.below) for node in row]
        places = {id(other): rows[other.row].index(other) for others in near for other in others}
        means = {
            id(node): sum(places[id(other)] for other in others) / len(others) if others else float(place)
            for place, (node, others) in enumerate(zip(row, near, strict=True))
        }
        row.sort(key=lambda node: means[id(node)])


def _wanted(node: Node) -> float:
    """In the middle of its neighbours; an arrow would rather be straight than end in the middle."""
    near = [*node.above, *node.below]
    weights = [1 if node.is_box or other.is_box else STRAIGHT for other in near]
    weighed = sum(other.x * weight for other, weight in zip(near, weights, strict=True))
    return weighed / sum(weights) if near else node.x


def _spread(row: Sequence[Node], wanted: Sequence[float], gap: float) -> None:
    """Put nodes as near to where they want to be as their order and widths allow."""
    offsets = [0.0] * min(len(row), 1)
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (one.width + other.width) / 2 + gap)
    blocks: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        mean, size = place - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, more = blocks.pop()
            mean, size = (mean * size + before * more) / (size + more), size + more
        blocks.append((mean, size))
    means = [mean for mean, size in blocks for _ in range(size)]
    for node, mean, offset in zip(row, means, offsets, strict=True):
        node.x = mean + offset


def _straighten(arrow: Arrow, rows: Sequence[list[Node]], gap: float) -> None:
    """Lead an arrow straight down past the rows where there is a place that is free in all of them."""
    inner = arrow.nodes[1:-1]
    least, most = -inf, inf
    for node in inner:
        row = rows[node.row]
        place = row.index(node)
        for other in row[place - 1 : place] if place else []:
            least = max(least, other.x + (other.width + node.width) / 2 + gap)
        for other in row[place + 1 : place + 2]:
            most = min(most, other.x - (other.width + node.width) / 2 - gap)
    if least <= most:
        straight = min(max(sum(node.x for node in inner) / len(inner), least), most)
        for node in inner:
            node.x = straight


def _margins(rows: Sequence[list[Node]], space: float) -> tuple[float, float]:
    """Move everything to the upper left corner, and stack the rows."""
    left = min((node.x - node.width / 2 for row in rows for node in row), default=0.0)
    top = 0.0
    for row in rows:
        height = max((node.height for node in row), default=0.0)
        for node in row:
            node.x -= left
            node.y = top + height / 2
            node.height = node.height or height  # An arrow passes a row straight down.
        top += height + space
    return max((node.x + node.width / 2 for row in rows for node in row), default=0.0), max(top - space, 0.0)
