"""Code that stands in a text."""

import ast


def constant_code(node: ast.Call) -> ast.Module | None:
    """The code that `exec` or `eval` is given as a plain string, without a namespace of its own."""
    match node:
        case ast.Call(func=ast.Name(id="exec" | "eval"), args=[ast.Constant(value=str(code))], keywords=[]):
            try:
                return ast.parse(code.strip())
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
        case _:
            return None
