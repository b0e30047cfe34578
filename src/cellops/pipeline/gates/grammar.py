"""A gate, `auc >= champion - 0.005`: what it names, and whether figures pass it."""

import ast
import math
from collections.abc import Iterable, Mapping

from cellops.errors import UsageError
from cellops.pipeline.gates.reading import COMPARISONS, OPERATIONS, WRITTEN_AS, Reader, parsed, sides
from cellops.pipeline.gates.words import LATENCY, group_call, metric
from cellops.pipeline.refusals import Refusals
from cellops.records.base import Record


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
        self._compare = parsed(self.text)
        reader = Reader(self.text)
        for side in sides(self._compare):
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
        figures_of = [_value(side, figures) for side in sides(self._compare)]
        pairs = zip(figures_of, self._compare.ops, figures_of[1:], strict=False)
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


def read_all(texts: Iterable[str]) -> tuple[Gate, ...]:
    """Gates by their texts, each once.

    Raises
    ------
    UsageError
        When one is no gate; `UnfitError` when several are none.
    """
    refusals = Refusals()
    gates = []
    for text in texts:
        with refusals.collecting():
            gates.append(Gate(text))
    refusals.refuse()
    return tuple({gate.text: gate for gate in gates}.values())
