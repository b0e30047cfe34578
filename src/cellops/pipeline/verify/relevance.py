"""Which names of a slice's cells its run can depend on: a slice is made of whole cells, which bind others too."""

import re
from collections.abc import Sequence

from cellops.records.cell import CellRecord
from cellops.records.effects import ANYTHING, Effects

FUNCTIONS = re.compile(r"\b(?:lambda|def|class)\b")
"""What is defined may use names of its cell later."""


def needed_names(cells: Sequence[CellRecord]) -> dict[int, frozenset[str] | None]:
    """The names that cells further down a slice may use, for each cell by its place on the trail.

    None where any name may be used: of the run itself, of cells that define functions, and above a cell of which
    nobody can say what it used.
    """
    needed: dict[int, frozenset[str] | None] = {}
    later: set[str] = set()
    known = True
    for place, record in enumerate(reversed(cells)):
        everything = place == 0 or not known or FUNCTIONS.search(record.source) is not None
        needed[record.order] = None if everything else frozenset(later)
        effects = record.effects or Effects(unknown=("it was not captured",))
        known = known and not effects.unknown and ANYTHING not in effects.needs
        later.update(record.reads, effects.needs, effects.active, effects.changes, effects.mutates)
        for function in effects.functions.values():
            later.update(function.uses, function.changes, function.consumes)
    return needed
