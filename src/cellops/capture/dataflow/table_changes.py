"""Which tables a cell changes in place, as its source shows it."""

import ast

CHANGING = frozenset({"fill", "insert", "partition", "pop", "put", "resize", "setflags", "sort", "update"})
"""Methods of tables that change them."""


def column_of(node: ast.Attribute | ast.Subscript) -> str | None:
    """The column that `table["column"] = …` writes."""
    match node:
        case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str(column))):
            return column
        case _:
            return None


def changed_by(call: ast.Call) -> list[str]:
    """The names of tables that a call changes: by a method of theirs, with `inplace=True`, or by shuffling."""
    match call.func:
        case ast.Attribute(attr="shuffle"):
            return [argument.id for argument in call.args if isinstance(argument, ast.Name)]
        case ast.Attribute(value=ast.Name(id=name), attr=method):
            inplace = any(k.arg == "inplace" and not _is_false(k.value) for k in call.keywords)
            return [name] if inplace or method in CHANGING else []
        case _:
            return []


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False
