"""The rules on two values of one row."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellops.data.expectations.column import NUMBERS, Column, Mask
from cellops.data.expectations.rule import Bind, Judgement, Rule, require_list, require_one_of, require_type
from cellops.data.expectations.rules.sets import ELEMENT
from cellops.data.expectations.table import Table
from cellops.errors import ExpectationError, InputError

IGNORED = ("both_values_are_missing", "either_value_is_missing", "neither")
BOTH = "({a} is None or {a} != {a}) and ({b} is None or {b} != {b})"
NUMBER = "(type({0}) is float or type({0}) is int)"
EXAMPLE = 'For example: [["JFK", "NY"], ["EWR", "NJ"]]'


@dataclass(frozen=True)
class PairRule(Rule):
    """A rule on the values of two columns; rows are left out by which of them are missing."""

    column_A: str  # noqa: N815 - as Great Expectations calls it
    column_B: str  # noqa: N815 - as Great Expectations calls it

    domain = ("column_A", "column_B")
    row_wise = True
    ignore_row_if = IGNORED[0]

    def __post_init__(self) -> None:
        for argument in self.domain:
            require_type(argument, getattr(self, argument), str, "Put the name in quotes")
        require_one_of("ignore_row_if", self.ignore_row_if, IGNORED)

    def judge(self, table: Table) -> Judgement:
        a, b = table.column(self.column_A), table.column(self.column_B)
        if not (a.missing_count or b.missing_count):
            return Judgement(table.rows, np.flatnonzero(self.failed(a, b)))
        ignored = {
            "both_values_are_missing": a.missing & b.missing,
            "either_value_is_missing": a.missing | b.missing,
        }.get(self.ignore_row_if, np.zeros(table.rows, dtype=bool))
        failed = self.failed(a, b) & ~ignored
        return Judgement(table.rows - int(np.count_nonzero(ignored)), np.flatnonzero(failed))

    @abstractmethod
    def failed(self, a: Column, b: Column) -> Mask:
        """True for each row that breaks the rule, shape (rows,)."""

    def row_test(self, values: Sequence[str], bind: Bind) -> str:
        a, b = values
        test = self.pair_test(a, b, bind)
        return f"({test}) or {BOTH.format(a=a, b=b)}" if self.ignore_row_if == IGNORED[0] else f"({test})"

    @abstractmethod
    def pair_test(self, a: str, b: str, bind: Bind) -> str:
        """An expression that is true only for two values that hold."""


@dataclass(frozen=True)
class PairEqual(PairRule):
    """Both values are equal; a missing one is equal to none."""

    ignore_row_if: str = IGNORED[0]

    name = "expect_column_pair_values_to_be_equal"

    def failed(self, a: Column, b: Column) -> Mask:
        return ~equal(a, b)

    def pair_test(self, a: str, b: str, bind: Bind) -> str:
        types = bind((str, int, float))
        return f"type({a}) is type({b}) and type({a}) in {types} and {a} == {b}"


@dataclass(frozen=True)
class PairGreater(PairRule):
    """The value of column_A is above that of column_B; `or_equal`: or equal to it. A missing one is neither."""

    or_equal: bool = False
    ignore_row_if: str = IGNORED[0]

    name = "expect_column_pair_values_a_to_be_greater_than_b"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_type("or_equal", self.or_equal, bool, "Leave it out where equal values fail")

    def failed(self, a: Column, b: Column) -> Mask:
        if not alike(a, b):
            fact = f"Columns {a.name} and {b.name} hold {_said(a)} and {_said(b)} values, of which none is greater"
            raise InputError(fact, remedy="Compare columns of one kind", column=a.name)
        holds = a.full >= b.full if self.or_equal else a.full > b.full
        return ~np.asarray(holds, dtype=bool) | a.missing | b.missing

    def pair_test(self, a: str, b: str, bind: Bind) -> str:  # noqa: ARG002 - one shape
        return f"{NUMBER.format(a)} and {NUMBER.format(b)} and {a} {'>=' if self.or_equal else '>'} {b}"


@dataclass(frozen=True)
class PairInSet(PairRule):
    """Both values together are one of these pairs; None stands for a missing one."""

    value_pairs_set: list[list[Any]]
    ignore_row_if: str = IGNORED[0]

    name = "expect_column_pair_values_to_be_in_set"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_list("value_pairs_set", self.value_pairs_set, (list, tuple), EXAMPLE)
        if not all(len(pair) == 2 and all(isinstance(one, ELEMENT) for one in pair) for pair in self.value_pairs_set):  # noqa: PLR2004
            fact = "Each element of value_pairs_set must be two values"
            raise ExpectationError(fact, received=self.value_pairs_set, remedy=EXAMPLE)

    def failed(self, a: Column, b: Column) -> Mask:
        (a_codes, a_values), (b_codes, b_values) = a.coded, b.coded
        first, second = ({value: i for i, value in enumerate([*c.tolist(), None])} for c in (a_values, b_values))
        wanted = [(first.get(x), second.get(y)) for x, y in self.value_pairs_set]
        width = len(second)
        known = [x * width + y for x, y in wanted if x is not None and y is not None]
        held = np.where(a_codes < 0, len(a_values), a_codes) * width + np.where(b_codes < 0, len(b_values), b_codes)
        return ~np.isin(held, known)

    def pair_test(self, a: str, b: str, bind: Bind) -> str:
        return f"({a}, {b}) in {bind(frozenset(map(tuple, self.value_pairs_set)))}"


def equal(a: Column, b: Column) -> Mask:
    """True for each row in which both values are there and equal."""
    first, second = (a.full, b.full) if alike(a, b) else (a.full.astype(object), b.full.astype(object))
    return np.asarray(first == second, dtype=bool) & ~a.missing & ~b.missing


def alike(*columns: Column) -> bool:
    """Whether the values of columns can be compared: all numbers, all texts, all times, or all booleans."""
    kinds = set().union(*(column.kinds for column in columns if column.count))
    return kinds <= set(NUMBERS) or len(kinds) == 1


def _said(column: Column) -> str:
    return " and ".join(sorted(column.kinds))
