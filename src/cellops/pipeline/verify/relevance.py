"""Which names of a slice's cells its run can depend on: a slice is made of whole cells, which bind others too."""

import ast
import re
from collections.abc import Sequence

from cellops.records.cell import CellRecord
from cellops.records.effects import ANYTHING, Effects

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = re.compile(r"\b(?:lambda|def|class)\b")


def needed_names(cells: Sequence[CellRecord]) -> dict[int, frozenset[str] | None]:
    """The names that cells further down a slice may use, for each cell by its place on the trail.

    What the functions and classes of all cells use counts as used everywhere, for nobody knows when they are called.
    None where any name may be used: of the run itself, of cells whose functions are not all known, and above a cell
    of which nobody can say what it used.
    """
    effects = {record.order: record.effects or Effects(unknown=("it was not captured",)) for record in cells}
    functions = [function for one in effects.values() for function in one.functions.values()]
    later = {name for one in functions for name in (*one.uses, *one.changes, *one.consumes)}
    known = ANYTHING not in later
    needed: dict[int, frozenset[str] | None] = {}
    for place, record in enumerate(reversed(cells)):
        own = effects[record.order]
        everything = place == 0 or not known or not _knows_functions(record, own)
        needed[record.order] = None if everything else frozenset(later)
        known = known and not own.unknown and ANYTHING not in own.needs
        later.update(record.reads, record.taken, own.needs, own.active, own.changes, own.mutates)
    return needed


def _knows_functions(record: CellRecord, effects: Effects) -> bool:
    """Whether the effects name all code of a cell that may run later: functions and classes at its top level."""
    try:
        tree = ast.parse(record.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return FUNCTIONS.search(record.source) is None  # magics, and IPython's own syntax
    at_the_top = {node.name: node for node in tree.body if isinstance(node, DEFINITIONS)}
    inside = {id(part) for node in at_the_top.values() for part in ast.walk(node)}
    return effects.functions.keys() >= at_the_top.keys() and not any(
        isinstance(node, ast.Lambda | DEFINITIONS) and id(node) not in inside for node in ast.walk(tree)
    )
