"""Functions that set attributes of what they are given."""

import ast
from collections.abc import Iterator

from cellops.capture.dataflow import scopes
from cellops.capture.dataflow.scopes import Function

SETS = frozenset({"setattr", "delattr"})


def set_by(node: ast.AST) -> set[str | None]:
    """The names of the attributes that code sets on arguments of functions; None stands for names that are computed.

    The first argument of a method is its own object.
    """
    methods = {m for one in ast.walk(node) if isinstance(one, ast.ClassDef) for m in one.body}
    functions = [part for part in ast.walk(node) if isinstance(part, Function | ast.Lambda)]
    return {name for function in functions for name in _set_in(function, skipped=function in methods)}


def _set_in(function: Function | ast.Lambda, *, skipped: bool) -> Iterator[str | None]:
    given = {argument.arg for argument in list(scopes.arguments(function.args))[skipped:]}
    for part in ast.walk(function):
        match part:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Store() | ast.Del()) if name in given:
                yield attribute
            case ast.Call(func=ast.Name(id=called), args=[ast.Name(id=name), key, *_]) if called in SETS:
                if name in given:
                    yield key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
            case _:
                pass
