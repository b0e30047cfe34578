"""The types that a notebook parameter can have: read from an annotation, checked, converted, written as a literal."""

import ast
import json
import math
import os
import re
from pathlib import Path
from typing import Any

import msgspec

from cellops.capture.secrets import Secret
from cellops.records.execution import ParameterValue

SCALARS: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "None": None, "Secret": str}
CONTAINERS: dict[str, tuple[Any, int]] = {"list": (list, 1), "dict": (dict, 2), "List": (list, 1), "Dict": (dict, 2)}
"""Each with the number of its type arguments."""
ALLOWED = "int, float, bool, str, list[...], dict[...], None, Optional[...] or a union of them, or Secret"
SECRET = re.compile(r"\bSecret\b")


def written(annotation: ast.expr) -> str:
    """The annotation as text; one in quotes is taken as what stands in them."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def of(default: object) -> str | None:
    """The type that a literal default implies, None when it implies none.

    Examples
    --------
    >>> of([1, 2]), of(0.5), of(None)
    ('list[int]', 'float', None)
    """
    if default is None:
        return None
    if isinstance(default, list):
        members = {of(member) for member in default}
        only = members.pop() if len(members) == 1 else None
        return "list" if only is None else f"list[{only}]"
    return type(default).__name__


def is_value(value: object) -> bool:
    """Whether a value is a scalar, or a list or dictionary of such: what has a literal and can be stored as JSON."""
    if isinstance(value, list):
        return all(map(is_value, value))
    if isinstance(value, dict):
        return all(map(_is_scalar, value)) and all(map(is_value, value.values()))
    return _is_scalar(value)


def _is_scalar(value: object) -> bool:
    return value is None or type(value) in {str, int, float, bool}


def read(kind: str, given: ParameterValue) -> ParameterValue:
    """The given value as the type `kind`.

    Raises
    ------
    ValueError
        When the type is none that a parameter can have, or the value does not fit it.

    Examples
    --------
    >>> read("float", "1e-3"), read("int | None", "None"), read("list[int]", [1, 2])
    (0.001, None, [1, 2])
    """
    if is_secret(kind):
        return _secret(kind, given)
    members = _members(kind)
    candidates = _readings(members, given) if isinstance(given, str) else [given]
    for candidate in candidates:
        for member in members:
            try:
                value: ParameterValue = msgspec.convert(candidate, member)
            except msgspec.ValidationError:
                continue
            if is_value(value):
                return value
    problem = f"{kind} is expected, {given!r:.120} was received"
    raise ValueError(problem)


def is_secret(kind: str | None) -> bool:
    """Whether a type is `Secret`, alone or as a part of another."""
    return kind is not None and SECRET.search(kind) is not None


def _secret(kind: str, given: ParameterValue) -> ParameterValue:
    """A secret from a text, which can name where it stands: `env:TOKEN`, `file:token.txt`; no error repeats it."""
    members = _members(kind)
    if not set(members) <= {str, None}:
        problem = f"its type {kind} cannot be given from outside; a Secret is one text: use Secret or Secret | None"
        raise ValueError(problem)
    if None in members and given in (None, "None", "null"):
        return None
    if not isinstance(given, str):
        problem = f"{kind} is expected, a value of type {type(given).__name__} was received"
        raise ValueError(problem)  # noqa: TRY004 - as every value that does not fit its type
    text = given if type(given) is Secret else _from_its_place(given)
    if not text.strip():
        problem = f"{kind} is expected, an empty text was received"
        raise ValueError(problem)
    return Secret(text)


def _from_its_place(given: str) -> str:
    place, _, name = given.partition(":")
    if place == "env":
        if name not in os.environ:
            problem = f"the environment has no variable {name}"
            raise ValueError(problem)
        return os.environ[name]
    if place == "file":
        try:
            return Path(name).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            problem = f"the file {name} cannot be read: {error.strerror if isinstance(error, OSError) else 'no text'}"
            raise ValueError(problem) from error
    return given


def literal(value: object) -> str:
    """Python source that gives the value back, in one line.

    Examples
    --------
    >>> literal([1.5, float("-inf"), None])
    "[1.5, float('-inf'), None]"
    """
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if isinstance(value, list):
        return f"[{', '.join(literal(member) for member in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {literal(member)}' for key, member in value.items())}}}"
    return repr(value)


def _readings(members: tuple[Any, ...], text: str) -> list[Any]:
    """What a string can mean, likeliest first."""
    word = text.strip().lower()
    if None in members and word in {"none", "null"}:
        return [None]
    if str in members:
        return [text]
    if word in {"true", "false"}:
        return [word == "true"]
    return [value for parse in (int, float, json.loads, ast.literal_eval) for value in _parsed(parse, text)]


def _parsed(parse: Any, text: str) -> list[Any]:
    try:
        return [parse(text)]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return []


def _members(kind: str) -> tuple[Any, ...]:
    """The union members of a type, each a type that msgspec can check."""
    try:
        return tuple(_build(node) for node in _union(ast.parse(kind, mode="eval").body))
    except (SyntaxError, LookupError) as error:
        problem = f"its type {kind} cannot be given from outside; use {ALLOWED}"
        raise ValueError(problem) from error


def _union(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return [*_union(left), *_union(right)]
        case ast.Subscript(value=value, slice=inner) if _name(value) == "Optional":
            return [*_union(inner), ast.Constant(None)]
        case ast.Subscript(value=value, slice=ast.Tuple(elts=inner)) if _name(value) == "Union":
            return [member for node in inner for member in _union(node)]
    return [node]


def _build(node: ast.expr) -> Any:
    members = _union(node)
    if len(members) > 1:
        built = _build(members[0])
        for member in members[1:]:
            built = built | _build(member)
        return built
    match node:
        case ast.Subscript(value=value, slice=inner):
            arguments = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            container, arity = CONTAINERS[_name(value)]
            if len(arguments) != arity:
                raise LookupError
            return container[tuple(_build(argument) for argument in arguments)]
        case ast.Constant(value=None):
            return None
    name = _name(node)
    return CONTAINERS[name][0] if name in CONTAINERS else SCALARS[name]


def _name(node: ast.expr) -> str:
    """The last part of a dotted name: `typing.Optional` is `Optional`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    raise LookupError
