"""The shape that all rules share: a frozen dataclass whose fields are the arguments of the rule."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellops.data.expectations.table import Column, Mask, Table, Values
from cellops.errors import ExpectationError
from cellops.records.base import Value

SHORT_DATE = re.compile(r"\d{4}(-\d{2})?", re.ASCII)


@dataclass(frozen=True)
class Judgement:
    """What a rule found: the rows it looked at and, of those, the ones that fail."""

    checked: int
    failed_rows: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    holds: bool | None = None
    """The verdict of a rule on the whole column or table, which fails no single row."""
    observed: Value = None


class Rule(ABC):
    name: ClassVar[str]
    row_wise: ClassVar[bool] = False
    """Whether a single row can be judged."""

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    @abstractmethod
    def judge(self, table: Table) -> Judgement:
        """Hold the table against the rule.

        Raises
        ------
        InputError
            When it cannot be judged: the column is not there, or holds values of another type.
        """


@dataclass(frozen=True)
class ColumnRule(Rule):
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True)
class ValueRule(ColumnRule):
    """A rule on each present value of a column; as in Great Expectations, missing values are no concern of it."""

    row_wise = True

    def judge(self, table: Table) -> Judgement:
        column = table.column(self.column)
        return Judgement(len(column.present), column.rows_where(self.failed(column)))

    @abstractmethod
    def failed(self, column: Column) -> Mask:
        """True for each present value that breaks the rule."""


@dataclass(frozen=True)
class Bounds:
    """The arguments of rules that hold something between two others; a bound that is None does not bind."""

    min_value: float | str | None = None
    max_value: float | str | None = None
    strict_min: bool = False
    strict_max: bool = False

    text: ClassVar[bool] = False
    """Whether bounds may be ISO 8601 times."""

    def __post_init__(self) -> None:
        kinds = {_kind(bound) for bound in (self.min_value, self.max_value) if bound is not None}
        if len(kinds) != 1 or not kinds <= ({"number", "time"} if self.text else {"number"}):
            fact = f"min_value and max_value must be numbers{' or ISO 8601 times' if self.text else ''}, one or both"
            raise self._refused(fact)
        if (
            self.min_value is not None
            and self.max_value is not None
            and _bound(self.min_value) > _bound(self.max_value)
        ):
            fact = "min_value is larger than max_value"
            raise self._refused(fact)
        require_type("strict_min", self.strict_min, bool, "Leave it out to include the bound")
        require_type("strict_max", self.strict_max, bool, "Leave it out to include the bound")

    def _refused(self, fact: str) -> ExpectationError:
        given = (self.min_value, self.max_value)
        return ExpectationError(fact, received=given, remedy="For example: min_value=0, max_value=100")

    def outside(self, values: Values) -> Mask:
        """True for each value beyond a bound."""
        if values.dtype.kind == "M":
            values = values.astype("datetime64[us]")  # in nanoseconds a bound such as 9999-12-31 would wrap around
        outside = np.zeros(len(values), dtype=bool)
        if self.min_value is not None:
            low = _bound(self.min_value)
            outside |= values <= low if self.strict_min else values < low
        if self.max_value is not None:
            high = _bound(self.max_value)
            outside |= values >= high if self.strict_max else values > high
        return outside


@dataclass(frozen=True)
class ObservedRule(Bounds, Rule):
    """A rule that compares one number, observed on the whole table, with bounds."""

    def judge(self, table: Table) -> Judgement:
        observed = self.observe(table)
        return Judgement(table.rows, holds=not self.outside(np.array([observed])).any(), observed=observed)

    @abstractmethod
    def observe(self, table: Table) -> float:
        """The number, of the table or of a column."""


def require_type(argument: str, value: object, type_: type, remedy: str) -> None:
    """Refuse an argument of another type, as a person may write anything."""
    if not isinstance(value, type_):
        fact = f"{argument} must be of type {type_.__name__}"
        raise ExpectationError(fact, received=value, remedy=remedy)


def _kind(bound: object) -> str:
    if isinstance(bound, int | float) and not isinstance(bound, bool):
        return "number" if bound == bound else "not a number"  # noqa: PLR0124 - NaN is unlike itself
    if isinstance(bound, str):
        return "text" if _time(bound) is None else "time"
    return type(bound).__name__


def _bound(bound: float | str) -> Any:
    return _time(bound) if isinstance(bound, str) else bound


def _time(text: str) -> np.datetime64 | None:
    """A time in UTC from ISO 8601, also a year or a month alone; None for anything else, such as `now`."""
    try:
        if SHORT_DATE.fullmatch(text):
            return np.datetime64(text, "us")
        time = datetime.fromisoformat(text)
        return np.datetime64(time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time, "us")
    except (ValueError, OverflowError):
        return None
