"""Values that are drawn, each trial for itself, and none of finitely many twice."""

from collections.abc import Mapping
from typing import ClassVar

from cellops.pipeline.sweep.dimensions import product
from cellops.pipeline.sweep.samplers.sampler import Task

TRIES = 1000
"""Draws after which the first combination that is left is taken."""


class Random:
    """Draws; what a trial gets hangs on the seed, its number and what was tried, and on no result."""

    name: ClassVar[str] = "random"

    def __init__(self, task: Task) -> None:
        self._task = task
        self._size = product(task.dimensions)
        self._tried = {_key(values) for values in task.again}

    def ask(self, number: int) -> dict[str, object] | None:
        from numpy.random import default_rng

        if self._size is not None and len(self._tried) >= self._size:
            return None
        generator = default_rng([self._task.seed, number])
        for _ in range(TRIES):
            values = {dimension.name: dimension.draw(generator) for dimension in self._task.dimensions}
            if self._size is None or _key(values) not in self._tried:
                break
        else:
            values = self._first_left()
        self._tried.add(_key(values))
        return values

    def _first_left(self) -> dict[str, object]:
        from cellops.pipeline.sweep.samplers.grid import Grid

        grid = Grid(self._task)
        for place in range(self._size or 0):
            values = grid.ask(place)
            if values is not None and _key(values) not in self._tried:
                return values
        raise AssertionError  # fewer were tried than there are

    def tell(self, number: int, values: Mapping[str, object], value: float | None) -> None:  # noqa: ARG002
        self._tried.add(_key(values))


def _key(values: Mapping[str, object]) -> str:
    return repr(sorted((name, repr(value)) for name, value in values.items()))
