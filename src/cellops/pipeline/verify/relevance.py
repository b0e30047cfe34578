"""Which names of a slice's cells its run can depend on: a slice is made of whole cells, which bind others too."""

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet

from cellops.capture.header import python_body
from cellops.records.cell import CellRecord
from cellops.records.effects import ANYTHING, Effects

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
SHOWING = frozenset({"display", "len", "print", "repr", "str"})
"""Functions that change nothing of what they are given."""
FUNCTIONS = re.compile(r"\b(?:lambda|def|class)\b")


def needed_names(cells: Sequence[CellRecord]) -> dict[int, frozenset[str] | None]:
    """The names that cells further down a slice may use, for each cell by its place on the trail.

    With them go those from which the cell itself makes such names.
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
        needed[record.order] = None if everything else _within(record.source, later, own.constant)
        known = known and not own.unknown and ANYTHING not in own.needs
        later.update(record.reads, record.taken, own.needs, own.active, own.changes, own.mutates)
    return needed


def _within(source: str, later: AbstractSet[str], constant: Collection[str]) -> frozenset[str]:
    """The names that are needed of a cell: a statement needs what it reads where it makes or changes a needed one.

    Those that the cell changes behind that are left out, for at its end they are not what was read. `constant` are
    names whose value cannot change.
    """
    tree = _tree(source)
    if tree is None:
        return frozenset(later)
    needed, unchanged, behind = set(later), set(later), set[str]()
    for statement in reversed(tree.body):
        bound, changed = set(_bound(statement)), set(_changed(statement))
        behind |= bound | changed.difference(constant)
        if not needed.isdisjoint(bound | changed):
            names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
            needed |= read
            unchanged |= read - behind
    return frozenset(unchanged)


def _tree(source: str) -> ast.Module | None:
    """What stands below the headers of a cell; None where it is not all Python: magics, and IPython's own syntax."""
    body = python_body(source)
    try:
        return None if body is None else ast.parse(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds."""
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]


def _changed(statement: ast.stmt) -> Iterator[str]:
    """The names whose object it may change."""
    for node in ast.walk(statement):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                yield from _roots(node)
            case ast.Call(func=ast.Name(id=function)) if function in SHOWING:
                pass
            case ast.Call(func=function, args=given, keywords=named):
                for part in (function, *given, *(keyword.value for keyword in named)):
                    yield from _roots(part)


def _roots(node: ast.expr) -> Iterator[str]:
    """The name in which an expression such as `a.b[0]` begins."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _knows_functions(record: CellRecord, effects: Effects) -> bool:
    """Whether the effects name all code of a cell that may run later: functions and classes at its top level."""
    tree = _tree(record.source)
    if tree is None:
        return FUNCTIONS.search(record.source) is None
    at_the_top = {node.name: node for node in tree.body if isinstance(node, DEFINITIONS)}
    inside = {id(part) for node in at_the_top.values() for part in ast.walk(node)}
    return effects.functions.keys() >= at_the_top.keys() and not any(
        isinstance(node, ast.Lambda | DEFINITIONS) and id(node) not in inside for node in ast.walk(tree)
    )
