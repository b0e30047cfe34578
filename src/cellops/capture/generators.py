"""The watcher of random generators: which a cell consumed, and whether they had been seeded on the trail."""

import sys
from dataclasses import dataclass
from typing import Any

from cellops.capture import rng
from cellops.capture.findings import unseeded_randomness
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.cell import GeneratorUse


@dataclass(frozen=True)
class Before:
    states: rng.States
    modules: int
    """How many modules had been imported."""


class Generators:
    name = "generators"

    def __init__(self) -> None:
        self._seeded: frozenset[str] = frozenset()

    def start(self, shell: Any) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to take away."""

    def seeded_all(self) -> None:
        """Remember that every generator has been seeded on the trail."""
        self._seeded = frozenset(rng.SEEDERS)

    def before(self, _cell: OpenCell) -> Before:
        return Before(rng.read(), len(sys.modules))

    def after(self, cell: OpenCell, state: Before, _ending: Ending) -> Seen:
        uses = rng.compare(state.states, rng.read(), self._seeded)
        self._seeded |= rng.seeds_in(cell.source)
        own = _of_the_cell(cell, uses, imported=len(sys.modules) > state.modules)
        return Seen({"generators": uses}, tuple(unseeded_randomness(own, cell.where)))


def _of_the_cell(cell: OpenCell, uses: tuple[GeneratorUse, ...], *, imported: bool) -> list[GeneratorUse]:
    """Without what modules draw while they are imported, as far as the cell shows that it draws nothing itself."""
    if not imported or "random" in cell.body:
        return list(uses)
    return [use for use in uses if cell.flow.calls and use.name != "python"]
