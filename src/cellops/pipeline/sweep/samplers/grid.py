"""Every combination, in the order in which they are written: the last parameter changes first."""

from collections.abc import Mapping
from typing import ClassVar

from cellops.pipeline.sweep.dimensions import product
from cellops.pipeline.sweep.samplers.sampler import Task


class Grid:
    """Goes through the combinations of finitely many values."""

    name: ClassVar[str] = "grid"

    def __init__(self, task: Task) -> None:
        self._dimensions = task.dimensions
        self._size = product(task.dimensions)

    def ask(self, number: int) -> dict[str, object] | None:
        if self._size is not None and number >= self._size:
            return None
        found: dict[str, object] = {}
        for dimension in reversed(self._dimensions):
            assert dimension.size is not None  # noqa: S101 - a grid over endless values is refused before
            number, place = divmod(number, dimension.size)
            found[dimension.name] = dimension.at(place)
        return {dimension.name: found[dimension.name] for dimension in self._dimensions}

    def tell(self, number: int, values: Mapping[str, object], value: float | None) -> None:
        """It learns nothing."""
