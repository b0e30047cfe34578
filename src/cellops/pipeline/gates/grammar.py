"""How a gate is written: `auc >= champion - 0.005`. It is parsed with `ast`, of which few kinds are allowed."""

import ast
import math
import operator
import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import NoReturn

from cellops.errors import UsageError
from cellops.pipeline.gates.words import CHAMPION, FIGURES, LATENCY, OF_GROUPS, GroupCall, group_call, metric
from cellops.records.base import Record

LONGEST = 300
"""Characters; Python's parser is asked nothing that could take it long or deep."""
WRITTEN_AS = "Write for example: auc >= 0.72, auc >= champion - 0.005, min_group(recall, carrier) >= 0.5"
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


class Pair(Record, frozen=True, kw_only=True):
    """One comparison of a chain, with the figures of a run in it."""

    left: float
    sign: str
    right: float
    holds: bool


class Gate:
    """A gate that can be read. Nothing in it is executed but its own arithmetic.

    Examples
    --------
    >>> gate = Gate("auc >= champion - 0.005")
    >>> gate.names, gate.champion
    (('auc',), True)
    >>> [pair.holds for pair in gate.judge({"auc": 0.71, "champion": 0.714})]
    [True]
    >>> Gate("min_group(recall, carrier) >= 0.5").groups[0].name
    'min_group(recall, carrier)'
    """

    def __init__(self, text: str) -> None:
        """Read a gate.

        Raises
        ------
        UsageError
            When it is no gate; `data` holds `gate` and `position`, the character at which it goes wrong, from 1.
        """
        self.text = text.strip()
        self._compare = _parsed(self.text)
        reader = _Reader(self.text)
        for side in (self._compare.left, *self._compare.comparators):
            reader.read(side)
        self.groups = tuple({group.name: group for group in reader.groups}.values())
        self.names = tuple(dict.fromkeys([*reader.names, *(group.name for group in self.groups)]))
        """The metrics that a run must have."""
        self.champion = reader.champion
        """Whether it speaks of the champion, whose metric is the one that the gate names."""
        if not self.names:
            fact = f"The gate {self.text!r} names no metric of the run"
            raise UsageError(fact, remedy=WRITTEN_AS, gate=self.text, position=1)
        if self.champion and len(self.names) != 1:
            fact = f"The gate {self.text!r} compares with the champion and names {len(self.names)} metrics"
            raise UsageError(fact, remedy="Write a gate for each of them", gate=self.text, position=1)

    @property
    def measured(self) -> tuple[str, ...]:
        """Those among the names that are measured where a run has not computed them."""
        groups = {group.name for group in self.groups}
        return tuple(name for name in self.names if name in groups or LATENCY.fullmatch(name))

    def judge(self, figures: Mapping[str, float]) -> list[Pair]:
        """The comparisons of the chain, each with its figures; numbers that cannot be divided hold nowhere."""
        sides = [_value(side, figures) for side in (self._compare.left, *self._compare.comparators)]
        pairs = zip(sides, self._compare.ops, sides[1:], strict=False)
        return [_pair(left, type(sign), right) for left, sign, right in pairs]


def _pair(left: float, sign: type[ast.cmpop], right: float) -> Pair:
    text, holds = COMPARISONS[sign]
    known = not (math.isnan(left) or math.isnan(right))
    return Pair(left=left, sign=text, right=right, holds=known and holds(left, right))


def _value(node: ast.expr, figures: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=sign, operand=operand):
            return -_value(operand, figures) if isinstance(sign, ast.USub) else _value(operand, figures)
        case ast.BinOp(left=left, op=sign, right=right):
            try:
                return OPERATIONS[type(sign)](_value(left, figures), _value(right, figures))
            except ZeroDivisionError:
                return math.nan
        case ast.Call():
            return figures[group_call(node).name]
        case _:
            return figures[metric(node)]


def _parsed(text: str) -> ast.Compare:
    if len(text) > LONGEST or not text.isprintable():
        what = f"has {len(text)} characters" if len(text) > LONGEST else "holds characters that cannot be printed"
        fact = f"A gate {what}"
        raise UsageError(fact, received=text, remedy=WRITTEN_AS, gate=text, position=1)
    try:
        with warnings.catch_warnings():
            # Of numbers that stand right before a word; what is wrong with them is said below.
            warnings.simplefilter("ignore")
            found = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        _refuse(text, max(error.offset or 1, 1), "it cannot be read from here on")
    except (ValueError, MemoryError, RecursionError):
        _refuse(text, 1, "it cannot be read")
    if not isinstance(found, ast.Compare):
        _refuse(text, _position(text, found), "it compares nothing")
    for sign in found.ops:
        if type(sign) not in COMPARISONS:
            _refuse(text, _position(text, found.left), "it compares with other signs than < <= > >= == !=")
    return found


class _Reader:
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
    raise UsageError(fact, remedy=remedy, gate=text, position=position)


def read_all(texts: Iterable[str]) -> tuple[Gate, ...]:
    """Gates by their texts, each once.

    Raises
    ------
    UsageError
        For the first that is no gate.
    """
    gates = [Gate(text) for text in texts]
    return tuple({gate.text: gate for gate in gates}.values())
