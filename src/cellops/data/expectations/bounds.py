"""The arguments of rules that hold something between two others."""

import re
from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np

from cellops.data.expectations.column import Mask
from cellops.data.expectations.conversions import Values
from cellops.data.expectations.rule import Bind, ColumnRule, Judgement, Rule, require_type
from cellops.data.expectations.table import Table
from cellops.errors import ExpectationError, InputError

SHORT_DATE = re.compile(r"\d{4}(-\d{2})?", re.ASCII)


@dataclass(frozen=True)
class Bounds:
    """A bound that is None does not bind."""

    min_value: float | str | None = None
    max_value: float | str | None = None
    strict_min: bool = False
    strict_max: bool = False

    times: ClassVar[bool] = False
    """Whether bounds may be ISO 8601 times."""

    def __post_init__(self) -> None:
        kinds = {_kind(bound) for bound in self._given()}
        if len(kinds) != 1 or not kinds <= ({"number", "time"} if self.times else {"number"}):
            fact = f"min_value and max_value must be numbers{' or ISO 8601 times' if self.times else ''}, one or both"
            raise self._refused(fact)
        bounds = [_bound(bound) for bound in self._given()]
        if len(bounds) == 2 and bounds[0] > bounds[1]:  # noqa: PLR2004 - both
            fact = "min_value is larger than max_value"
            raise self._refused(fact)
        require_type("strict_min", self.strict_min, bool, "Leave it out to include the bound")
        require_type("strict_max", self.strict_max, bool, "Leave it out to include the bound")

    def _given(self) -> list[float | str]:
        return [bound for bound in (self.min_value, self.max_value) if bound is not None]

    def _refused(self, fact: str) -> ExpectationError:
        given = (self.min_value, self.max_value)
        return ExpectationError(fact, received=given, remedy="For example: min_value=0, max_value=100")

    @property
    def of_times(self) -> bool:
        return any(isinstance(bound, str) for bound in self._given())

    def outside(self, values: Values) -> Mask:
        """True for each value beyond a bound."""
        if values.dtype.kind == "M":
            values = values.astype("datetime64[us]")  # in nanoseconds a bound such as 9999-12-31 would wrap around
        low, high = (None if bound is None else _bound(bound) for bound in (self.min_value, self.max_value))
        below = None if low is None else values <= low if self.strict_min else values < low
        above = None if high is None else values >= high if self.strict_max else values > high
        if below is None or above is None:
            return np.asarray(above if below is None else below)
        outside: Mask = np.logical_or(below, above, out=below)
        return outside

    def inside_test(self, value: str, bind: Bind, held: type = datetime) -> str:
        """An expression that is true where a value lies between the bounds.

        Parameters
        ----------
        value
            An expression for it; `name := expression` for one that is to be computed once.
        held
            Of which type it is: Python compares two numbers of one type faster than others.
        """
        name = value.partition(" := ")[0].strip("(")
        tests = [
            f"{{}} {sign}{'' if strict else '='} {bind(_bound_as(bound, held))}"
            for bound, sign, strict in ((self.min_value, ">", self.strict_min), (self.max_value, "<", self.strict_max))
            if bound is not None
        ]
        return " and ".join(test.format(name if place else value) for place, test in enumerate(tests))


@dataclass(frozen=True)
class ObservedRule(Bounds, Rule):
    """A rule that compares one number or time, observed on the whole table, with bounds."""

    def judge(self, table: Table) -> Judgement:
        observed = self.observe(table)
        if observed != observed:  # noqa: PLR0124 - NaN and NaT are unlike themselves
            fact = f"{self.name} has nothing to compare: too few values, or infinities of both signs"
            raise InputError(fact, remedy="Look for why values are missing, or for where infinities come from")
        return Judgement(table.rows, holds=not self.outside(np.array([observed])).any(), observed=observed)

    @abstractmethod
    def observe(self, table: Table) -> Any:
        """The number or time, of the table or of a column."""


@dataclass(frozen=True)
class ObservedColumnRule(ObservedRule, ColumnRule):
    """The same of one column."""

    def __post_init__(self) -> None:
        ColumnRule.__post_init__(self)
        ObservedRule.__post_init__(self)


def _kind(bound: object) -> str:
    if isinstance(bound, int | float) and not isinstance(bound, bool):
        return "number" if bound == bound else "not a number"  # noqa: PLR0124 - NaN is unlike itself
    if isinstance(bound, str):
        return "text" if time_of(bound) is None else "time"
    return type(bound).__name__


def _bound(bound: float | str) -> Any:
    return time_of(bound) if isinstance(bound, str) else bound


def _bound_as(bound: float | str, held: type) -> object:
    """A bound of the type of what it is compared with, where that changes nothing."""
    if isinstance(bound, str):
        return _bound(bound).item()
    return held(bound) if held in (int, float) and held(bound) == bound else bound


def time_of(text: str) -> np.datetime64 | None:
    """A time in UTC from ISO 8601, also a year or a month alone; None for anything else, such as `now`."""
    try:
        if SHORT_DATE.fullmatch(text):
            return np.datetime64(text, "us")
        time = datetime.fromisoformat(text)
        return np.datetime64(time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time, "us")
    except (ValueError, OverflowError):
        return None
