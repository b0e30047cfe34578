"""The text of a gate, parsed with `ast`, of which few kinds are allowed; what is wrong is refused with its place."""

import ast
import contextlib
import math
import operator
import re
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from typing import NoReturn

from cellops.errors import UsageError
from cellops.pipeline.gates.words import CHAMPION, FIGURES, OF_GROUPS, GroupCall, group_call, metric

LONGEST = 300
"""Characters; Python's parser is asked nothing that could take it long or deep."""
WRITTEN_AS = "Write for example: auc >= 0.72, auc >= champion - 0.005, min_group(recall, carrier) >= 0.5"
SLIPS = (
    ("=>", ">="),
    ("=<", "<="),
    ("≥", ">="),
    ("≤", "<="),
    ("≠|<>", "!="),
    (r"(?<![<>=!])=(?!=)", "=="),
    (r"([<>=])==+", r"\1="),
    (r"(\d),(\d)", r"\1.\2"),
    (r"(\d+(?:\.\d+)?)\s*%", r"\1 / 100"),
)
"""What is often typed, and what is meant by it."""
COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[float, float], bool]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def parsed(text: str) -> ast.Compare:
    if len(text) > LONGEST or not text.isprintable():
        what = f"has {len(text)} characters" if len(text) > LONGEST else "holds characters that cannot be printed"
        fact = f"A gate {what}"
        raise UsageError(fact, received=text, remedy=WRITTEN_AS, gate=text, position=1)
    if not text:
        fact = "A gate is empty"
        raise UsageError(fact, remedy=WRITTEN_AS, gate=text, position=1)
    try:
        with warnings.catch_warnings():
            # Of numbers that stand right before a word; what is wrong with them is said below.
            warnings.simplefilter("ignore")
            found = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        # Python names no place for what is missing at the end.
        what = "it cannot be read from here on" if error.offset else "something is missing here"
        _refuse(text, error.offset or len(text) + 1, what, _did_you_mean(text))
    except (ValueError, MemoryError, RecursionError):
        _refuse(text, 1, "it cannot be read")
    if isinstance(found, ast.BoolOp):
        _refuse(text, 1, "it holds several comparisons", "Write a gate for each of them")
    if not isinstance(found, ast.Compare):
        _refuse(text, _position(text, found), "it compares nothing", _did_you_mean(text))
    for sign in found.ops:
        if type(sign) not in COMPARISONS:
            _refuse(text, _position(text, found.left), "it compares with other signs than < <= > >= == !=")
    return found


def sides(compare: ast.Compare) -> list[ast.expr]:
    """What a chain of comparisons compares, from left to right."""
    return [compare.left, *compare.comparators]


def _did_you_mean(text: str) -> str:
    """The gate that comes of it when common slips are corrected."""
    corrected = text
    for slip, correct in SLIPS:
        corrected = re.sub(slip, correct, corrected)
    if corrected != text:
        with contextlib.suppress(UsageError):
            for side in sides(parsed(corrected)):
                Reader(corrected).read(side)
            return f"Did you mean: {corrected}"
    return WRITTEN_AS


class Reader:
    """Collects what a gate names, and refuses what is not allowed in one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.names: list[str] = []
        self.groups: list[GroupCall] = []
        self.champion = False

    def read(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=bool() | complex() | bytes() | None):
                self._refuse(node, f"{ast.unparse(node)} is no number")
            case ast.Constant(value=int() | float() as number):
                self._require_finite(node, number)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                self.read(operand)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATIONS:
                self.read(left)
                self.read(right)
            case ast.Call():
                self._read_call(node)
            case ast.Name(id="champion"):
                self.champion = True
            case ast.Name() | ast.Attribute() | ast.Constant(value=str()):
                self._read_name(node)
            case _:
                self._refuse(node, f"{ast.unparse(node)} is neither a number, a metric nor arithmetic of + - * /")

    def _read_name(self, node: ast.expr) -> None:
        try:
            name = metric(node)
        except ValueError:
            self._refuse(node, f"{ast.unparse(node)} is not the name of a metric")
        if name == CHAMPION or not name:
            self._refuse(node, f"{name!r} is not the name of a metric")
        self.names.append(name)

    def _read_call(self, node: ast.Call) -> None:
        function = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if function not in OF_GROUPS:
            hint = _near(function, OF_GROUPS)
            self._refuse(node, f"there is no function {function}", hint or f"There are {', '.join(OF_GROUPS)}")
        try:
            group = group_call(node)
        except ValueError:
            usage = f"Write {function}(recall, carrier), or {function}(recall, carrier, 100) for groups of 100 rows on"
            self._refuse(node, f"{function} takes a figure and a column", usage)
        if group.figure not in FIGURES:
            hint = _near(group.figure, FIGURES)
            known = f"There are {', '.join(FIGURES)}"
            self._refuse(node.args[0], f"there is no figure {group.figure} of groups", hint or known)
        self.groups.append(group)

    def _require_finite(self, node: ast.expr, number: float) -> None:
        try:
            finite = math.isfinite(number)
        except OverflowError:
            finite = False
        if not finite:
            self._refuse(node, "the number is too large")

    def _refuse(self, node: ast.expr, what: str, remedy: str = WRITTEN_AS) -> NoReturn:
        _refuse(self._text, _position(self._text, node), what, remedy)


def _near(name: str, known: tuple[str, ...]) -> str | None:
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else None


def _position(text: str, node: ast.expr) -> int:
    """The character at which a node begins, from 1; `ast` counts bytes."""
    return len(text.encode()[: node.col_offset].decode(errors="ignore")) + 1


def _refuse(text: str, position: int, what: str, remedy: str = WRITTEN_AS) -> NoReturn:
    fact = f"The gate {text!r} is wrong at character {position}: {what}"
    raise UsageError(fact, remedy=remedy, shown=pointed(fact, text, position), gate=text, position=position)


def pointed(fact: str, text: str, position: int) -> tuple[str, ...]:
    """A fact with the gate below it, and a mark under the character that it speaks of, from 1."""
    return fact, f"  {text}", f"  {' ' * (position - 1)}^"
