"""A column of times, dates or numbers as numbers that can be compared, and back."""

import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellops.errors import InputError

SECOND = 10**9
"""Nanoseconds."""
LEAST = -(2**63)
LONGEST = 2**34
"""Seconds that are more than lie between any two times here."""


class Clock:
    """The times of a column: nanoseconds since 1970 in UTC, or its numbers.

    Parameters
    ----------
    name
        Of the column.
    column
        An Arrow array of shape (rows,) without missing values.

    Raises
    ------
    InputError
        When it holds neither times nor numbers.
    """

    def __init__(self, name: str, column: Any) -> None:
        import pyarrow as pa

        kind = column.type
        self._name = name
        self.is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        self.has_zone = pa.types.is_timestamp(kind) and kind.tz is not None
        if not (self.is_number or pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
            fact = f"Column {name} holds {kind} values where times are needed"
            remedy = f"Convert it before: table[{name!r}] = pandas.to_datetime(table[{name!r}])"
            raise InputError(fact, remedy=remedy, column=name)
        self.ticks: NDArray[Any] = _in_numpy(self._numbers(column) if self.is_number else self._nanoseconds(column))

    def read(self, cuts: Sequence[Any]) -> list[Any]:
        """Cuts that a person gives, as numbers."""
        return [self._number(cut) if self.is_number else self._time(cut) for cut in cuts]

    def written(self, cuts: Sequence[Any]) -> tuple[str | int | float, ...]:
        """Cuts as a plan holds them: numbers, or ISO 8601 with a Z where the column has a time zone."""
        if self.is_number:
            return tuple(cut.item() if hasattr(cut, "item") else cut for cut in cuts)
        times = [_shortest(np.datetime64(int(cut), "ns")) for cut in cuts]
        return tuple(f"{time}Z" if self.has_zone else time.removesuffix("T00:00:00") for time in times)

    def before(self, cut: Any, gap: float) -> Any:
        """The first tick in a gap of seconds, or of the column's own numbers, before a cut."""
        span = gap if self.is_number else round(min(gap, LONGEST) * SECOND)
        first = (cut.item() if hasattr(cut, "item") else cut) - span
        return max(first, LEAST) if isinstance(first, int) else first

    def _numbers(self, column: Any) -> Any:
        """Whole numbers in one type, in which none of their differences wraps around."""
        import pyarrow as pa

        try:
            return column.cast(pa.int64()) if pa.types.is_integer(column.type) else column
        except pa.ArrowInvalid as error:
            fact = f"Column {self._name} holds numbers beyond 2**63"
            raise InputError(fact, remedy="Give a column of smaller ones, or of times", column=self._name) from error

    def _nanoseconds(self, column: Any) -> Any:
        import pyarrow as pa

        try:
            zone = column.type.tz if self.has_zone else None
            return column.cast(pa.timestamp("ns", zone)).cast(pa.int64())
        except pa.ArrowInvalid as error:
            fact = f"Column {self._name} holds times outside of the years 1678 to 2261"
            raise InputError(fact, remedy="Correct them, or give a column of numbers", column=self._name) from error

    def _number(self, cut: Any) -> float:
        cut = cut.item() if isinstance(cut, np.number) else cut
        if isinstance(cut, bool) or not isinstance(cut, int | float) or not math.isfinite(cut):
            fact = f"Column {self._name} holds numbers, and a cut of it is none"
            raise InputError(fact, received=cut, remedy="Give numbers as cuts", column=self._name)
        return cut

    def _time(self, cut: Any) -> int:
        import pandas as pd

        if not isinstance(cut, str | date | datetime | np.datetime64):
            raise self._no_time(cut)
        try:
            time = pd.Timestamp(cut)
            ticks = int(time.as_unit("ns").value)
        except ValueError as error:
            raise self._no_time(cut) from error
        if pd.isna(time):
            raise self._no_time(cut)
        if (time.tzinfo is not None) != self.has_zone:
            has, lacks = ("has", "names none") if self.has_zone else ("has no", "names one")
            fact = f"Column {self._name} {has} time zone, and a cut of it {lacks}"
            raise InputError(
                fact, received=cut, remedy="Write both with a time zone, or both without", column=self._name
            )
        return ticks

    def _no_time(self, cut: object) -> InputError:
        fact = f"A cut of {self._name} is no time"
        remedy = "Give a time as 2024-01-31 or 2024-01-31T12:00, of the years 1678 to 2261"
        return InputError(fact, received=cut, remedy=remedy, column=self._name)


def _in_numpy(column: Any) -> NDArray[Any]:
    found: NDArray[Any] = column.to_numpy() if hasattr(column, "chunks") else column.to_numpy(zero_copy_only=False)
    return found


def _shortest(time: np.datetime64) -> str:
    """ISO 8601 without digits that say nothing.

    >>> _shortest(np.datetime64("2024-01-31T12:00:00.500000000"))
    '2024-01-31T12:00:00.5'
    """
    text = str(time)
    whole, _, fine = text.partition(".")
    return f"{whole}.{fine.rstrip('0')}".rstrip(".")
