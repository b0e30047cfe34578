"""The shape that all rules share: a frozen dataclass whose fields are the arguments of the rule."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from cellops.data.expectations.column import Column, Mask
from cellops.data.expectations.table import Table
from cellops.errors import ExpectationError

Bind: TypeAlias = Callable[[object], str]
"""Gives a name for a value that a test of single rows needs."""
COLUMN_LIST = ("column_list",)
CLOSER = "False"
"""The test of a rule that has none of its own: each row is looked at more closely."""


@dataclass(frozen=True)
class Judgement:
    """What a rule found: the rows it looked at and, of those, the ones that fail."""

    checked: int
    failed_rows: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    holds: bool | None = None
    """The verdict of a rule on the whole column or table, which fails no single row."""
    observed: Any = None


class Rule(ABC):
    name: ClassVar[str]
    row_wise: ClassVar[bool] = False
    """Whether a single row can be judged."""
    convex: ClassVar[bool] = False
    """Whether every number between two that hold holds too."""
    domain: ClassVar[tuple[str, ...]] = ()
    """The arguments that name columns."""

    @property
    def columns(self) -> tuple[str, ...]:
        if self.domain == COLUMN_LIST:
            return tuple(getattr(self, "column_list"))  # noqa: B009 - only such rules have it
        return tuple(getattr(self, argument) for argument in self.domain)

    @abstractmethod
    def judge(self, table: Table) -> Judgement:
        """Hold the table against the rule.

        Raises
        ------
        InputError
            When it cannot be judged: the column is not there, or holds values of another type.
        """

    def row_test(self, values: Sequence[str], bind: Bind) -> str:  # noqa: ARG002 - for those that have one
        """An expression of Python that is true only for a row that holds, made of templates and names alone.

        Parameters
        ----------
        values
            The names of the values of its columns.
        bind
            Gives a name for anything else: what a user wrote never stands in the expression.
        """
        return CLOSER

    def number_test(self, values: Sequence[str], bind: Bind) -> str:
        """The same for a row of finite floats, where less has to be asked."""
        return self.row_test(values, bind)


@dataclass(frozen=True)
class ColumnRule(Rule):
    column: str

    domain = ("column",)

    def __post_init__(self) -> None:
        require_type("column", self.column, str, "Put the name in quotes")


@dataclass(frozen=True)
class ValueRule(ColumnRule):
    """A rule on each present value of a column; as in Great Expectations, missing values are no concern of it."""

    row_wise = True

    def judge(self, table: Table) -> Judgement:
        column = table.column(self.column)
        if not column.count:
            return Judgement(0)
        return Judgement(column.count, column.rows_where(self.failed(column)))

    @abstractmethod
    def failed(self, column: Column) -> Mask:
        """True for each value that breaks the rule: one for each row, or for each row that has a value."""

    def row_test(self, values: Sequence[str], bind: Bind) -> str:
        (value,) = values
        test = self.value_test(value, bind)
        return CLOSER if test == CLOSER else f"({test}) or {value} is None or {value} != {value}"

    def value_test(self, value: str, bind: Bind) -> str:  # noqa: ARG002 - for those that have one
        """An expression that is true only for a value that holds."""
        return CLOSER


def require_type(argument: str, value: object, type_: type, remedy: str) -> None:
    """Refuse an argument of another type, as a person may write anything."""
    if not isinstance(value, type_) or (isinstance(value, bool) and type_ is not bool):
        fact = f"{argument} must be of type {type_.__name__}"
        raise ExpectationError(fact, received=value, remedy=remedy)


def require_number(argument: str, value: object, remedy: str) -> None:
    """Refuse what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        fact = f"{argument} must be a number"
        raise ExpectationError(fact, received=value, remedy=remedy)


def require_one_of(argument: str, value: object, allowed: Sequence[str]) -> None:
    """Refuse what is none of a few texts."""
    if value not in allowed:
        fact = f"{argument} must be one of {', '.join(allowed)}"
        raise ExpectationError(fact, received=value, remedy=f'For example: {argument}="{allowed[0]}"')


def require_list(argument: str, value: object, element: type | tuple[type, ...], remedy: str) -> None:
    """Refuse what is no list, is empty, or holds an element of another type."""
    require_type(argument, value, list, remedy)
    assert isinstance(value, list)  # noqa: S101 - it was just looked at
    strange = [one for one in value if not isinstance(one, element)]
    if strange:
        fact = f"An element of {argument} cannot be of type {type(strange[0]).__name__}"
        raise ExpectationError(fact, received=value, remedy=remedy)
