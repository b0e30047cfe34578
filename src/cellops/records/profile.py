from enum import StrEnum

from cellops.records.base import Record


class ColumnKind(StrEnum):
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    """Strings, categorical or free."""
    DATETIME = "datetime"
    """Times are profiled as seconds since the epoch, UTC."""


class Bins(Record, frozen=True, kw_only=True):
    """Bins frozen at packaging. Missing values have a bin of their own, and so have unseen categories.

    Numeric columns have `edges` (k+1 of them, the outer ones standing for minus and plus infinity on comparison);
    bin i holds edges[i] <= x < edges[i+1]. Text and boolean columns have `categories`, the most frequent first.
    """

    edges: tuple[float, ...] | None = None
    categories: tuple[str, ...] | None = None
    counts: tuple[int, ...]
    """Rows in each bin or category."""
    other: int = 0
    """Rows whose category was too rare to have a bin; on comparison also the unseen ones are told apart from these."""
    unseen: int = 0
    """Rows whose category the reference never had: always 0 in a reference."""
    missing: int = 0


class QuantileSketch(Record, frozen=True, kw_only=True):
    """The distribution of a numeric column: distinct values with the number of rows at or below each.

    Exact (`rank_error` 0) when the column has few distinct values, else an equal-rank grid that is deterministic
    and whose largest error in rank is stated.
    """

    values: tuple[float, ...]
    cumulative: tuple[int, ...]
    rank_error: float = 0.0
    below: tuple[int, ...] = ()
    """Rows below each value, for a grid: between two values the rest lies on a line. Empty for an exact sketch."""
    distance_error: float | None = None
    """First Wasserstein distance between the grid, read so, and the rows."""


class Moments(Record, frozen=True, kw_only=True):
    """Mergeable moments of the finite values: count, mean, sum of squared deviations, extremes."""

    count: int
    mean: float
    squared_deviations: float
    minimum: float
    maximum: float


class TextProfile(Record, frozen=True, kw_only=True):
    """The strings of a column of free text: how long they are, and which words stand in them."""

    lengths: QuantileSketch
    """Characters; of 1,024 and more in steps of a sixty-fourth at most, so that it is exact and merges exactly."""
    words: tuple[str, ...] = ()
    """The most frequent first; each stands in enough rows to say nothing of one."""
    rows_with: tuple[int, ...] = ()
    """Rows in which each of them stands."""
    rows: int
    """Rows that have a text, the empty one also."""
    unseen: int = 0
    """Rows with a word that is not known. In a reference: with one that would not be if the row were not in it, which
    is what may be expected of new rows."""
    known: str = ""
    """The words that are known, as sorted hashes of 32 bits, little-endian, in Base64. An observation has none."""


class ColumnProfile(Record, frozen=True, kw_only=True):
    name: str
    kind: ColumnKind
    dtype: str
    rows: int
    missing: int
    bins: Bins | None
    """Absent for a column that could not be binned; of one without any value it has the missing ones alone."""
    moments: Moments | None = None
    sketch: QuantileSketch | None = None
    known: tuple[str, ...] | None = None
    """Every category seen, also the rare ones, up to a cap: what is not here is unseen.

    None where unseen cannot be told from rare, and of free text.
    """
    text: TextProfile | None = None
    """Of strings most of which have no bin of their own."""
    problem: str | None = None
    """Why the column could not be profiled."""


class Relations(Record, frozen=True, kw_only=True):
    """How the numbers of a row hang together: what the others leave over of each."""

    names: tuple[str, ...]
    """The columns that follow from the others in part."""
    knots: tuple[tuple[float, ...], ...]
    """Of each column some values, ascending."""
    scores: tuple[tuple[float, ...], ...]
    """The standardised rank of each of these; between them it lies on a line, and of a missing value it is 0."""
    weights: tuple[tuple[float, ...], ...]
    """Shape (columns, columns): times the ranks of a row, what is left over of each column; 1 for itself."""
    deviations: tuple[float, ...]
    """Root of the mean square of that, in rows from which the weights were not made; 1 if nothing followed."""
    errors: ColumnProfile
    """How badly each such row is reconstructed; 1 in the root of the mean square."""


class Profile(Record, frozen=True, kw_only=True):
    """A mergeable summary of a table."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    relations: Relations | None = None
    """Absent where no column of numbers follows from the others, or the rows are few."""

    def column(self, name: str) -> ColumnProfile | None:
        return next((c for c in self.columns if c.name == name), None)
