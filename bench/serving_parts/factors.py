"""How many times as many requests as each of the others ours answers, case by case."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from serving_parts.load import Load

OURS = "cellops"


class Case(NamedTuple):
    model: str
    rows: int
    connections: int


def factors(measured: Mapping[Case, Mapping[str, Load]], names: Iterable[str], *, by_processor: bool = False) -> str:
    """A table of requests a second of ours, divided by those of each other; empty where one was not measured.

    By the processor, it is how many ours answers in the time that others take of a processor for one.
    """
    others = [name for name in names if name != OURS]
    lines = [["model", "rows", "connections", *others], ["---"] * (3 + len(others))]
    for case, loads in measured.items():
        if OURS in loads:
            lines.append([*map(str, case), *(_times(loads[OURS], loads.get(name), by_processor) for name in others)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _times(ours: Load, other: Load | None, by_processor: bool) -> str:
    if other is None:
        return ""
    factor = other.processor / ours.processor if by_processor else ours.requests / other.requests
    return f"{factor:.3g}"
