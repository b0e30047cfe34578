"""What rows showed of a profiled column, in its frozen bins: observations of other rows merge with it.

A table that fits in memory is observed as a whole by `cellops.data.profile.observe`, whose quantiles stand at exact
ranks. A longer one is observed chunk by chunk: its counts are exact, and its quantiles come from a sketch that merges
exactly, so that they do not depend on how the table was cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from cellops.data.bins import count_numbers
from cellops.data.buckets import Sketch
from cellops.data.column import Values, as_series, column_kind, numbers
from cellops.data.profile import observe
from cellops.data.summary.freeze import with_infinite
from cellops.data.summary.moments import CentralMoments
from cellops.data.texts import merged_texts
from cellops.records.profile import Bins, ColumnKind, ColumnProfile, TextProfile


@dataclass(frozen=True)
class NumbersSeen:
    """Numbers of a column, infinite ones counted apart."""

    below: int
    """Rows of minus infinity."""
    above: int
    """Rows of infinity."""
    moments: CentralMoments
    """Of the finite ones, as far as floats allow the same however they are merged."""
    sketch: Sketch
    """Of the finite ones."""

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """The numbers of all parts."""
        held = list(parts)
        return cls(
            sum(part.below for part in held),
            sum(part.above for part in held),
            CentralMoments.merged(part.moments for part in held),
            Sketch.merged(part.sketch for part in held),
        )


@dataclass(frozen=True)
class Observation:
    """Rows of one column, counted in the bins of a profile."""

    rows: int
    counts: tuple[int, ...] | None
    """Rows in each bin, then rare, unseen and missing ones; None where the column could not be read."""
    types: frozenset[str] = frozenset()
    """What the sources call the type of its values."""
    kinds: frozenset[ColumnKind] = frozenset()
    """Of the values that are there, where they were read as numbers or truths."""
    seen: NumbersSeen | None = None
    """Of a column that has edges."""
    text: TextProfile | None = None
    """Of free text."""
    problems: frozenset[tuple[str, str]] = frozenset()
    """Why it could not be read, each with what to do."""

    @classmethod
    def of(cls, reference: ColumnProfile, values: Values) -> Self:
        """Observe new values of a profiled column.

        Parameters
        ----------
        reference
            The column, with frozen bins.
        values
            Shape (rows,).

        Raises
        ------
        InputError
            When the column has no frozen bins, or the values are of another kind than it had.

        Examples
        --------
        >>> from cellops.data.profile import profile_column
        >>> hour = profile_column("hour", np.array([5, 6, 6, 7]))
        >>> parts = [Observation.of(hour, np.array(part)) for part in ([5, 5], [7, 9])]
        >>> whole = Observation.of(hour, np.array([5, 5, 7, 9]))
        >>> Observation.merged(parts).profile(hour) == whole.profile(hour)
        True
        """
        column = as_series(values)
        types = frozenset({str(column.dtype)})
        if reference.bins is None or reference.bins.edges is None:
            found = observe(reference, column)
            assert found.bins is not None  # noqa: S101 - those of the reference, which has them
            truths = reference.kind is ColumnKind.BOOLEAN and found.missing < len(column)
            kinds = frozenset({column_kind(column)} if truths else ())
            return cls(len(column), counted(found.bins), types, kinds, text=found.text)
        ordered = np.sort(numbers(column, reference.kind))
        present = int(np.searchsorted(ordered, np.nan))
        bins = count_numbers(reference.bins.edges, ordered[:present], len(ordered) - present)
        below = int(np.searchsorted(ordered, -np.inf, side="right"))
        above = int(np.searchsorted(ordered, np.inf))
        finite = ordered[below:above]
        moments = CentralMoments.of_ordered(finite)
        seen = NumbersSeen(below, present - above, moments, Sketch.of_ordered(finite))
        kinds = frozenset({column_kind(column)} if present else ())
        return cls(len(column), counted(bins), types, kinds, seen)

    @classmethod
    def unreadable(cls, rows: int, seen: str, remedy: str) -> Self:
        """Rows whose values could not be read."""
        return cls(rows, None, problems=frozenset({(seen, remedy)}))

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """What all parts showed together; where one could not be read, neither can the whole.

        Parameters
        ----------
        parts
            At least one, of the same column.
        """
        held = list(parts)
        rows = sum(part.rows for part in held)
        types = frozenset[str]().union(*(part.types for part in held))
        kinds = frozenset[ColumnKind]().union(*(part.kinds for part in held))
        problems = _mixed(kinds).union(*(part.problems for part in held))
        counts = [part.counts for part in held if part.counts is not None]
        if problems or len(counts) < len(held):
            return cls(rows, None, types, kinds, problems=problems)
        numbers_seen = [part.seen for part in held if part.seen is not None]
        texts = [part.text for part in held if part.text is not None]
        return cls(
            rows,
            tuple(map(sum, zip(*counts, strict=True))),
            types,
            kinds,
            NumbersSeen.merged(numbers_seen) if numbers_seen else None,
            merged_texts(texts) if texts else None,
        )

    def profile(self, reference: ColumnProfile) -> ColumnProfile | None:
        """The same as a package's profile says it; None where the column could not be read."""
        if self.counts is None or reference.bins is None:
            return None
        *inside, other, unseen, missing = self.counts
        bins = reference.bins.replace(counts=tuple(inside), other=other, unseen=unseen, missing=missing)
        blank = ColumnProfile(
            name=reference.name,
            kind=reference.kind,
            dtype=" or ".join(sorted(self.types)),
            rows=self.rows,
            missing=missing,
            bins=bins,
            known=reference.known,
            text=self.text,
        )
        if self.seen is None or missing == self.rows:
            return blank
        told = with_infinite(self.seen.sketch.quantile_sketch(), self.seen.below, self.seen.above)
        return blank.replace(moments=self.seen.moments.record(), sketch=told)

    @property
    def problem(self) -> tuple[str, str] | None:
        """The first reason by name why it could not be read, and what to do."""
        return min(self.problems, default=None)


def _mixed(kinds: frozenset[ColumnKind]) -> frozenset[tuple[str, str]]:
    """What is wrong where some parts hold truths and others numbers, each of which alone could be read as the other."""
    if ColumnKind.BOOLEAN not in kinds or len(kinds) == 1:
        return frozenset()
    fact = f"The values are of several kinds: some {', others '.join(sorted(kinds))}"
    return frozenset({(fact, "Convert all of it to what the model was trained on")})


def counted(bins: Bins) -> tuple[int, ...]:
    """Every count of bins in one row."""
    return (*bins.counts, bins.other, bins.unseen, bins.missing)
