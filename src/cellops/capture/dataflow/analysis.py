"""What a cell's source says of the names it reads and writes, of its literals and of its calls."""

import ast
from dataclasses import dataclass, field

from cellops.capture.dataflow.visitor import Visitor
from cellops.records.base import Value


@dataclass(frozen=True)
class Dataflow:
    """Names in the order in which they first appear."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    literals: dict[str, Value | list[Value]] = field(default_factory=dict)
    """Names that the cell binds to literals and to nothing else."""
    computed: tuple[str, ...] = ()
    """Names that the cell binds to the value of an expression: neither literals, imports, definitions nor counters."""
    calls: tuple[ast.Call, ...] = ()
    values: dict[str, ast.expr] = field(default_factory=dict)
    """The expression that a name was last bound to."""
    lines: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The lines at which a name is bound."""
    changes: dict[str, tuple[tuple[int, str | None], ...]] = field(default_factory=dict)
    """The lines at which the object under a name is changed in place, with the column where only that one is."""
    members: tuple[ast.Attribute, ...] = ()
    """The attributes that are set or deleted, also in functions."""
    attributes: tuple[ast.Attribute, ...] = ()
    """The attributes that are read, also in functions."""
    certain: dict[str, int] = field(default_factory=dict)
    """Names that are bound whenever the cell comes past the given line: outside of branches, loops and `try`."""
    uncertain: tuple[str, ...] = ()
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))


NOT_UNDERSTOOD = "source not understood: "
FAULT = "a fault of cellops"
NOT_READ = Dataflow(uncertain=(f"{NOT_UNDERSTOOD}{FAULT}",))
"""Of a cell that a fault of ours kept from being read."""


def analyse(source: str) -> Dataflow:
    """Read a cell's (transformed) source; a syntax error gives an empty answer that says so."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Dataflow(uncertain=(f"{NOT_UNDERSTOOD}{type(error).__name__}",))
    visitor = Visitor()
    try:
        visitor.visit(tree)
    except RecursionError as error:
        return Dataflow(uncertain=(f"{NOT_UNDERSTOOD}{type(error).__name__}",))
    return _result(visitor, tree)


def _result(found: Visitor, tree: ast.Module) -> Dataflow:
    literals = {n: v for n, v in found.literals.items() if n not in found.computed and n not in found.other}
    computed = tuple(n for n in found.computed if n not in found.other)
    return Dataflow(
        reads=tuple(found.reads),
        writes=tuple(found.writes),
        literals=literals,
        computed=computed,
        calls=tuple(found.calls),
        values=found.values,
        uncertain=tuple(found.uncertain),
        lines={name: tuple(lines) for name, lines in found.lines.items()},
        changes={name: tuple(changes) for name, changes in found.changes.items()},
        members=tuple(found.members),
        attributes=tuple(found.attributes),
        certain=found.certain,
        tree=tree,
    )
