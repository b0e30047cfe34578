"""The rule on how recent the times of a column are."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from cellops.data.expectations.bounds import time_of
from cellops.data.expectations.rule import ColumnRule, Judgement, require_type
from cellops.data.expectations.table import Table
from cellops.errors import ExpectationError, InputError

DURATION = re.compile(r"(\d+(?:\.\d+)?) (second|minute|hour|day|week)s?", re.ASCII)
EXAMPLE = 'For example: "2 days", "36 hours", "1 week"'


@dataclass(frozen=True)
class MaxWithin(ColumnRule):
    """The latest time lies no further from now than `within`, such as "2 days"; `now` may be given as ISO 8601, in UTC.

    A rule of cellops; Great Expectations has none of this kind.
    """

    within: str
    now: str | None = None

    name = "expect_column_max_to_be_within"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_type("within", self.within, str, EXAMPLE)
        _duration(self.within)
        require_type("now", self.now or "", str, "Put it in quotes")
        if self.now is not None and time_of(self.now) is None:
            fact = "now must be an ISO 8601 time"
            raise ExpectationError(fact, received=self.now, remedy="Leave it out for the time of the check")

    def judge(self, table: Table) -> Judgement:
        column = table.column(self.column)
        column.refuse_other_than("time")
        if not column.count:
            fact = f"Column {self.column} has no values, so none is the latest"
            raise InputError(fact, remedy="Look for why all of them are missing", column=self.column)
        latest = column.numbers.max().astype("datetime64[us]")
        now = np.datetime64(datetime.now(UTC).replace(tzinfo=None), "us") if self.now is None else time_of(self.now)
        holds = bool(abs(latest - now) <= np.timedelta64(_duration(self.within)))
        return Judgement(table.rows, holds=holds, observed=latest)


def _duration(text: str) -> timedelta:
    found = DURATION.fullmatch(text)
    if found is None:
        fact = "within must be a number and a unit: seconds, minutes, hours, days or weeks"
        raise ExpectationError(fact, received=text, remedy=EXAMPLE)
    try:
        return timedelta(**{f"{found[2]}s": float(found[1])})
    except OverflowError as error:
        fact = "within is longer than any time"
        raise ExpectationError(fact, received=text, remedy=EXAMPLE) from error
