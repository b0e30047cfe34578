"""What the values of an annotated parameter have to keep to: ranges, multiples, lengths and patterns."""

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


def is_multiple(value: Any, step: Any) -> bool:
    if not step:
        return False
    if type(value) is int and type(step) is int:
        return value % step == 0
    share = value / step
    return math.isfinite(share) and math.isclose(share, round(share), rel_tol=1e-9, abs_tol=1e-9)


SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "multiple of": is_multiple,
    "length >=": lambda value, least: len(value) >= least,
    "length <=": lambda value, most: len(value) <= most,
    "matches": lambda value, pattern: re.search(pattern, value) is not None,
}
OF_KEYWORDS = {
    "ge": ">=",
    "gt": ">",
    "le": "<=",
    "lt": "<",
    "multiple_of": "multiple of",
    "min_length": "length >=",
    "max_length": "length <=",
    "pattern": "matches",
}
"""The keywords that annotated_types, msgspec.Meta and pydantic.Field share."""
BY_PLACE: dict[str, tuple[str, ...]] = {
    "annotated_types.Ge": ("ge",),
    "annotated_types.Gt": ("gt",),
    "annotated_types.Le": ("le",),
    "annotated_types.Lt": ("lt",),
    "annotated_types.MultipleOf": ("multiple_of",),
    "annotated_types.MinLen": ("min_length",),
    "annotated_types.MaxLen": ("max_length",),
    "annotated_types.Len": ("min_length", "max_length"),
    "annotated_types.Interval": (),
    "msgspec.Meta": (),
    "pydantic.Field": (),
}
"""What says a range, with the names of its arguments in their order."""
LIBRARIES = tuple(sorted({name.partition(".")[0] + "." for name in BY_PLACE}))
ONLY_FOR_READERS = ("title", "description", "examples", "extra_json_schema", "extra", "json_schema_extra")


@dataclass(frozen=True)
class Limit:
    """One thing to keep to."""

    sign: str
    bound: object

    def holds(self, value: object) -> bool:
        """Whether a value keeps to it; one that cannot be compared does not."""
        try:
            return SIGNS[self.sign](value, self.bound)
        except (TypeError, ArithmeticError):
            return False

    @property
    def problem(self) -> str:
        return f"does not match {self.bound!r}" if self.sign == "matches" else f"is not {self}"

    def __str__(self) -> str:
        return f"{self.sign} {self.bound if self.sign != 'matches' else repr(self.bound)}"


def limits(node: ast.expr, origin: Callable[[ast.expr], str], literal: Callable[[ast.expr], object]) -> Iterator[Limit]:
    """What one part of `Annotated[type, part, ...]` asks for; a part of another library asks for nothing here.

    Parameters
    ----------
    origin
        The full name of a dotted expression, empty for what is none.
    literal
        The value of a literal, a ValueError for what is none.

    Raises
    ------
    LookupError
        When a part of a library for ranges asks for what cannot be checked without executing it.
    """
    if not isinstance(node, ast.Call):
        return
    name = origin(node.func)
    name = next((known for known in BY_PLACE if name and known.endswith(f".{name}")), name)
    if name not in BY_PLACE:
        if name.startswith(LIBRARIES):
            raise LookupError(ast.unparse(node))
        return
    given = dict(zip(BY_PLACE[name], node.args, strict=False))
    given |= {word.arg: word.value for word in node.keywords if word.arg not in {None, *ONLY_FOR_READERS}}  # type: ignore[misc]
    if len(node.args) > len(BY_PLACE[name]) or any(word.arg is None for word in node.keywords):
        raise LookupError(ast.unparse(node))
    for word, argument in given.items():
        bound = _bound(node, argument, literal)
        if bound is not None:
            yield _limit(node, word, bound)


def description(node: ast.expr) -> str:
    """What a part of `Annotated` tells its readers: a text, or the `description` of a call."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(keywords=[*_, ast.keyword(arg="description", value=ast.Constant(value=str(text)))]):
            return text
    return ""


def _bound(call: ast.Call, node: ast.expr, literal: Callable[[ast.expr], object]) -> object:
    try:
        return literal(node)
    except ValueError as error:
        raise LookupError(ast.unparse(call)) from error


def _limit(call: ast.Call, word: str, bound: object) -> Limit:
    if word not in OF_KEYWORDS:
        raise LookupError(ast.unparse(call))
    if word == "pattern":
        try:
            re.compile(bound)  # type: ignore[call-overload]
        except (re.error, TypeError) as error:
            raise LookupError(ast.unparse(call)) from error
    return Limit(OF_KEYWORDS[word], bound)
