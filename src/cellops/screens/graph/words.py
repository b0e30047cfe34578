"""What the drawings say of steps and arrows."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from cellops.records.step import Edge, Step, StepGraph

MOST_NAMES = 6


def cells(places: Sequence[int]) -> str:
    """Cells as a person counts them.

    Examples
    --------
    >>> cells([2, 3, 4, 7])
    'cells 3-5, 8'
    """
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    parts = [f"{run[0] + 1}" if len(run) == 1 else f"{run[0] + 1}-{run[-1] + 1}" for run in runs]
    return f"cell{'' if len(places) == 1 else 's'} {', '.join(parts)}"


def details(step: Step) -> str:
    """Its cells, the shared ones, and how often and how long it is tried."""
    parts = [cells(step.cells)]
    if step.shared:
        parts.append(f"with {cells(step.shared).removeprefix('cells ').removeprefix('cell ')}")
    if step.retries:
        parts.append(f"{step.retries} retr{'y' if step.retries == 1 else 'ies'}")
    if step.timeout is not None:
        parts.append(f"{step.timeout:g} s")
    return " · ".join(parts)


def on_arrow(edge: Edge, widest: int = 26) -> list[str]:
    """The names that an arrow carries, in short lines."""
    names = [*edge.names[:MOST_NAMES]]
    if len(edge.names) > MOST_NAMES:
        names.append(f"{len(edge.names) - MOST_NAMES} more")
    if edge.files:
        names.append("(files)")
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) + 2 <= widest:
            lines[-1] += f", {name}"
        else:
            lines.append(name)
    return [f"{line}," if more else line for line, more in _with_more(lines)]


def levels(graph: StepGraph) -> tuple[tuple[str, ...], ...]:
    """The levels; where steps wait in a circle, all that can be told is the order of the notebook."""
    return graph.levels or tuple((step.name,) for step in graph.steps)


def _with_more(lines: Sequence[str]) -> Iterable[tuple[str, bool]]:
    yield from ((line, True) for line, _ in pairwise(lines))
    yield from ((line, False) for line in lines[-1:])
