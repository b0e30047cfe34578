"""Defaults as source, read without executing them; and values written as source that gives them back."""

import ast
import math
from datetime import date, datetime
from pathlib import Path, PurePath
from typing import Any

from cellops.pipeline.parameters.kinds import Member, is_plain
from cellops.pipeline.parameters.names import Names


def value(node: ast.expr, names: Names) -> object:  # noqa: PLR0911 - one return a kind of node
    """The value of a default that is plain to see: a literal, a path, a date, a member of an Enum.

    Raises
    ------
    ValueError
        When only the kernel can evaluate it.
    """
    match node:
        case ast.List(elts=items):
            return [value(item, names) for item in items]
        case ast.Tuple(elts=items):
            return tuple(value(item, names) for item in items)
        case ast.Set(elts=items):
            return {_hashable(value(item, names)) for item in items}
        case ast.Dict(keys=keys, values=items):
            pairs = zip(keys, items, strict=True)
            return {_hashable(value(_present(key), names)): value(item, names) for key, item in pairs}
        case ast.Call(func=function, args=arguments, keywords=[]):
            return _made(function, [value(argument, names) for argument in arguments], names)
        case ast.Attribute(value=owner, attr=name):
            return _member(owner, name, names)
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return _joined(value(left, names), value(right, names))
    return _literal(node)


def written(value: object, names: Names) -> str:  # noqa: PLR0911 - one return a type
    """Python source that gives a value back, in one line.

    Examples
    --------
    >>> written([1.5, float("-inf"), None, Path("data")], Names())
    "[1.5, float('-inf'), None, __import__('pathlib').Path('data')]"
    """
    match value:
        case float() if not math.isfinite(value):
            return f"float({str(value)!r})"
        case list():
            return f"[{', '.join(written(item, names) for item in value)}]"
        case tuple():
            return f"({', '.join(written(item, names) for item in value)}{',' if len(value) == 1 else ''})"
        case set():
            return f"{{{', '.join(sorted(written(item, names) for item in value))}}}" if value else "set()"
        case dict():
            return f"{{{', '.join(f'{written(k, names)}: {written(v, names)}' for k, v in value.items())}}}"
        case Member():
            return f"{value.enum}.{value.name}"
        case PurePath():
            return f"{names.expression('pathlib', 'Path')}({str(value)!r})"
        case datetime():
            return f"{names.expression('datetime', 'datetime')}.fromisoformat({value.isoformat()!r})"
        case date():
            return f"{names.expression('datetime', 'date')}({value.year}, {value.month}, {value.day})"
    return repr(value)


def kind_name(default: object) -> str | None:
    """The type that a default implies, None when it implies none.

    Examples
    --------
    >>> kind_name([1, 2]), kind_name(0.5), kind_name((1, 2)), kind_name((1, "a"))
    ('list[int]', 'float', 'tuple[int, ...]', 'tuple[int, str]')
    """
    match default:
        case None:
            return None
        case list() | set():
            inner = {kind_name(item) for item in default}
            only = inner.pop() if len(inner) == 1 else None
            kind = type(default).__name__
            return kind if only is None else f"{kind}[{only}]"
        case tuple():
            each = [kind_name(item) for item in default]
            members = [str(each[0]), "..."] if len(set(each)) == 1 else map(str, each)
            return f"tuple[{', '.join(members)}]" if each and None not in each else "tuple"
        case Member():
            return default.enum
    return "Path" if isinstance(default, PurePath) else type(default).__name__


def _literal(node: ast.expr) -> object:
    try:
        literal = ast.literal_eval(node)
    except (TypeError, SyntaxError) as error:
        raise ValueError(str(error)) from error
    if not is_plain(literal):
        raise ValueError(ast.unparse(node))
    return literal


def _member(owner: ast.expr, name: str, names: Names) -> Member:
    try:
        enum = names.enum(owner)
    except LookupError as error:
        raise ValueError(str(error)) from error
    return Member(enum.enum, enum.member(name))


def _made(function: ast.expr, arguments: list[Any], names: Names) -> object:
    """The value of a call to one of the types whose values have no literal."""
    reads = isinstance(function, ast.Attribute) and function.attr == "fromisoformat"
    name = names.well_known(function.value if reads and isinstance(function, ast.Attribute) else function)
    makers: dict[str, Any] = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}
    if not reads:
        makers = {"Path": Path, "date": date, "datetime": datetime, "float": float, "set": set}
    if name not in makers or (name == "set" and arguments):
        raise ValueError(name)
    try:
        return makers[name](*arguments)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _present(node: ast.expr | None) -> ast.expr:
    if node is None:
        problem = "**"
        raise ValueError(problem)
    return node


def _hashable(key: object) -> Any:
    try:
        hash(key)
    except TypeError as error:
        raise ValueError(str(error)) from error
    return key


def _joined(left: object, right: object) -> Path:
    if not isinstance(left, Path) or not isinstance(right, str | Path):
        raise ValueError(right)  # noqa: TRY004 - it is a default like any other that only the kernel can evaluate
    return left / right
