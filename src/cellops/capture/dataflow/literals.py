"""The values of literals in the source of a cell."""

import ast

NOT_A_LITERAL = object()
MOST_ITEMS = 100


def literal_of(node: ast.expr) -> object:
    """The value of a literal scalar, or list of scalars; everything else is computed."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return NOT_A_LITERAL
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, tuple | list) and len(value) <= MOST_ITEMS:
        return list(value) if all(isinstance(v, str | int | float | None) for v in value) else str(value)
    return str(value)
