"""What is shown of the profile of a table: a figure for each thing, and nothing that could be merged."""

from enum import StrEnum

from cellops.errors import printable
from cellops.records.base import Record
from cellops.records.finding import Finding

CLOSE = 0.001
"""A share that is told with one decimal is not told as nothing, or as all, where it is neither."""
WHOLE = 1e12
"""Whole numbers up to this have all their digits."""
SHOWN = 3
TELLING = 0.005
"""The share of the most frequent string below which its name says nothing."""


class SummaryKind(StrEnum):
    """What a column holds, told more finely than a contract needs it."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    STRING = "string"
    DATETIME = "datetime"
    TEXT = "text"
    NESTED = "nested"
    OTHER = "other"
    """Bytes, durations, times of day: counted, and not looked into."""
    MIXED = "mixed"
    EMPTY = "empty"
    """No value at all."""


def number(value: float) -> str:
    """Six digits at most; whole numbers have all of theirs as long as these are readable.

    >>> number(1234567.0), number(1496.58), number(0.123456789), number(1e300)
    ('1,234,567', '1,496.58', '0.123457', '1e+300')
    """
    return f"{value:,.0f}" if value == round(value) and abs(value) < WHOLE else f"{value:,.6g}"


def share(part: int, whole: int) -> str:
    """A share in percent that is 0 or 100 only where it is so exactly.

    >>> share(0, 9), share(1, 10**6), share(1, 8), share(10**6 - 1, 10**6)
    ('0 %', '< 0.1 %', '12.5 %', '> 99.9 %')
    """
    exact = part / whole if whole else 0.0
    if 0 < exact < CLOSE:
        return "< 0.1 %"
    if 1 - CLOSE < exact < 1:
        return "> 99.9 %"
    return f"{exact:.1%}".replace(".0%", "%").replace("%", " %")


class NumberFigures(Record, frozen=True, kw_only=True):
    """The finite numbers of a column; of times, their seconds since the epoch, UTC."""

    rows: int
    mean: float | None
    deviation: float | None
    skewness: float | None
    kurtosis: float | None
    quantiles: tuple[float, ...]
    """The smallest, the three quartiles, and the largest; empty where there is none."""
    rank_error: float
    """By which share of the rows a quartile may be off."""
    infinite: int
    histogram: tuple[int, ...]
    """Rows in stretches of equal width; what lies far out is in the outer ones."""
    bounds: tuple[float, float]
    """Where the first stretch begins and the last one ends."""


class TextFigures(Record, frozen=True, kw_only=True):
    """The strings of a column, or its booleans."""

    rows: int
    top: tuple[tuple[str, int], ...]
    """The most frequent ones with their rows."""
    other: int
    """Rows of all others."""
    error: int
    """By how many rows a count may be too low."""
    shortest: int
    mean_length: float
    longest: int
    empty: float
    """The share of the rows with an empty string."""

    def telling(self) -> tuple[tuple[str, int], ...]:
        """The few most frequent ones, where one comes often enough to tell something."""
        named = tuple(pair for pair in self.top[:SHOWN] if pair[1])
        return named if named and named[0][1] >= TELLING * self.rows else ()

    def told_lengths(self) -> str:
        """How long the strings are."""
        if self.shortest == self.longest:
            return f"{self.longest:,} characters"
        return f"{self.shortest:,} to {self.longest:,} characters, {self.mean_length:.4g} on average"


class ColumnFigures(Record, frozen=True, kw_only=True):
    name: str
    kind: SummaryKind
    types: tuple[str, ...]
    """What the sources call the types of its values."""
    rows: int
    missing: int
    distinct: int | None = None
    """How many different values there are; None where they are not looked into."""
    distinct_error: float = 0.0
    """The relative standard error of that; 0 where it is exact."""
    numbers: NumberFigures | None = None
    texts: TextFigures | None = None
    first: str | None = None
    """The first of its times, ISO 8601, UTC."""
    last: str | None = None

    @property
    def present(self) -> int:
        return self.rows - self.missing

    def told_distinct(self) -> str:
        """How many values are different, with a mark where that is an estimate."""
        if self.distinct is None:
            return ""
        return f"{'≈ ' if self.distinct_error else ''}{self.distinct:,}"

    def told_extremes(self) -> tuple[str, str, str]:
        """The smallest, the median and the largest value, of times the days; empty where there are none."""
        if self.first is not None and self.last is not None:
            days = self.first.partition("T")[0], self.last.partition("T")[0]
            return (days[0], "", days[1]) if days[0] != days[1] else (self.first, "", self.last)
        if self.numbers is None or not self.numbers.quantiles:
            return "", "", ""
        lowest, _, median, _, highest = self.numbers.quantiles
        if self.kind is SummaryKind.INTEGER and self.numbers.rank_error:
            median = round(median)  # a sketch lies between two integers; digits behind the point would tell nothing
        return number(lowest), number(median), number(highest)


class Correlations(Record, frozen=True, kw_only=True):
    """Pearson's coefficient of each pair of columns, over the rows in which both have a finite number."""

    columns: tuple[str, ...]
    coefficients: tuple[tuple[float | None, ...], ...]
    """Row by row; None where one of the two does not vary, or no row has both."""
    rows: tuple[tuple[int, ...], ...]
    """Over how many rows each one is."""

    def strongest(self, most: int) -> list[tuple[str, str, float]]:
        """The pairs that hang together most, each once."""
        pairs = [
            (name, other, value)
            for row, name in enumerate(self.columns)
            for other, value in zip(self.columns[:row], self.coefficients[row][:row], strict=True)
            if value is not None
        ]
        return sorted(pairs, key=lambda pair: -abs(pair[2]))[:most]


class Profiled(Record, frozen=True, kw_only=True):
    """The profile of a table, as it is shown."""

    name: str
    """Of the table or the files."""
    rows: int
    columns: tuple[ColumnFigures, ...]
    findings: tuple[Finding, ...] = ()
    correlations: Correlations | None = None
    saved: str | None = None
    """Path of the summary that was saved."""
    picture: str = ""
    """The same as HTML."""

    def column(self, name: str) -> ColumnFigures | None:
        return next((column for column in self.columns if column.name == name), None)

    def told(self) -> str:
        """The table in a line."""
        return printable(f"{self.name}: {self.rows:,} rows x {len(self.columns):,} columns")

    def __repr__(self) -> str:
        return self.told()

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What a notebook shows of it as the value of a cell."""
        return {"text/plain": self.told(), "text/html": self.picture}
