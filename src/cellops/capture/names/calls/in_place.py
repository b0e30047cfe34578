"""Whether a call is told to work in what it is given."""

import ast

from cellops.capture.names import libraries


def in_place(node: ast.Call) -> bool:
    """Whether a method is asked to change its object; `inplace=False` is the same as to leave it away."""
    return any(
        keyword.arg == "inplace" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        for keyword in node.keywords
    )


def hides_parameters(node: ast.Call) -> bool:
    """Whether the names of some parameters do not stand in the source: `f(**given)`."""
    return any(keyword.arg is None for keyword in node.keywords)


def works_in_place(node: ast.Call, origin: str = "") -> bool:
    """Whether a call may have a parameter that tells it to work in its arguments; a value that is computed may."""
    given = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
    if origin and any(not isinstance(part, ast.Constant) or type(part.value) is bool for part in node.args[1:]):
        given += zip(libraries.parameters(origin), node.args, strict=False)
    for name, part in given:
        values = [part.value] if isinstance(part, ast.Constant) else [True, False]
        if any(libraries.works_in_place(name, value) for value in values):
            return True
    return False
