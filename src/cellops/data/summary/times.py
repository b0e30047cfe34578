"""What is known of the times of a column."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import MICROSECONDS
from cellops.data.summary.numbers import NumberSummary


@dataclass(frozen=True)
class TimeSummary:
    """Times: the first, the last, and their distribution as seconds since the epoch, UTC."""

    first: int
    """Microseconds since the epoch, UTC."""
    last: int
    zones: frozenset[str]
    """The time zones that the types named, "" for none: such times are read as UTC."""
    seconds: NumberSummary

    @classmethod
    def of(cls, microseconds: NDArray[np.int64], zone: str = "") -> Self:
        """The summary of times, shape (rows,), at least one.

        Examples
        --------
        >>> TimeSummary.of(np.array([0, 1_500_000])).seconds.moments.maximum
        1.5
        """
        seconds, _ = NumberSummary.of(microseconds / MICROSECONDS)
        return cls(int(microseconds.min()), int(microseconds.max()), frozenset({zone}), seconds)

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """The summary of all that several have seen."""
        held = list(parts)
        return cls(
            first=min(part.first for part in held),
            last=max(part.last for part in held),
            zones=frozenset[str]().union(*(part.zones for part in held)),
            seconds=NumberSummary.merged(part.seconds for part in held),
        )

    @property
    def rows(self) -> int:
        return self.seconds.rows


def written(microseconds: int) -> str:
    """A time as ISO 8601 in UTC, to the second where nothing is lost by that.

    >>> written(0), written(1_500_000)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500000Z')
    """
    unit: Any = "us" if microseconds % MICROSECONDS else "s"
    return f"{np.datetime_as_string(np.datetime64(microseconds, 'us'), unit=unit)}Z"
