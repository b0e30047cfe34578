"""The profile of a table, and the same summary of new values in the bins that it froze."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.bins import (
    count_categories,
    count_numbers,
    finite_part,
    freeze_categories,
    freeze_missing,
    freeze_numbers,
)
from cellops.data.column import Numbers, Values, as_series, category_counts, column_kind, numbers
from cellops.data.counting import count_texts, count_unordered
from cellops.data.relations import freeze_relations
from cellops.data.sketch import sketch, sketch_ordered
from cellops.data.texts import freeze_text, is_free_text, observe_strings
from cellops.errors import InputError
from cellops.records.profile import Bins, ColumnKind, ColumnProfile, Moments, Profile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["count", "observe", "observe_ordered", "profile", "profile_column", "sketch"]

MANY_CELLS = 1_000_000
"""Values in a table from which its columns are read by several threads."""
MOST_THREADS = 4
BLOCK = 16_384
"""Values that stay in the processor's cache while they are read several times."""
CATEGORICAL = frozenset({ColumnKind.TEXT, ColumnKind.BOOLEAN})


def profile(table: "pd.DataFrame") -> Profile:
    """Summarise every column of a table, kind, missing values, frozen bins, moments and sketch; and its relations.

    A column that cannot be profiled (values of several kinds, nested ones, a name that is there twice) keeps its place
    with `bins` None and the reason in `problem`; the others are profiled all the same.

    Raises
    ------
    InputError
        When the table has no rows or no columns.

    Examples
    --------
    >>> import pandas as pd
    >>> carrier = profile(pd.DataFrame({"carrier": ["UA", "AA", "UA", "AA", "UA", None] * 10})).column("carrier")
    >>> carrier.bins.categories, carrier.bins.counts, carrier.bins.missing
    (('UA', 'AA'), (30, 20), 10)
    """
    if table.empty:
        fact = "The table has no rows or no columns"
        raise InputError(fact, received=table.shape, remedy="Give the rows that the model was trained on")
    times = Counter(str(name) for name in table.columns)
    places = {str(name): place for place, name in enumerate(table.columns)}
    columns = [column for _, column in table.items()]
    given = [(name, columns[place], times[name]) for name, place in places.items()]
    profiles = tuple(_side_by_side(given, cells=table.size))
    return Profile(rows=len(table), columns=profiles, relations=freeze_relations(table, profiles))


def _side_by_side(given: "Sequence[tuple[str, pd.Series[Any], int]]", cells: int) -> Iterable[ColumnProfile]:
    """The profiles of columns, on several cores where that pays: sorting numbers leaves the interpreter free."""
    if cells < MANY_CELLS:
        return [_profile_or_problem(*column) for column in given]
    with ThreadPoolExecutor(min(MOST_THREADS, len(given)), "cellops-profile") as pool:
        return list(pool.map(lambda column: _profile_or_problem(*column), given))


def profile_column(name: str, values: Values) -> ColumnProfile:
    """Summarise one column and freeze its bins.

    Raises
    ------
    InputError
        When the values are of several kinds or of one that cannot be profiled.
    """
    column = as_series(values)
    kind = column_kind(column)
    if kind in CATEGORICAL:
        counts = category_counts(column, kind)
        blank = _blank(name, kind, column, missing=len(column) - int(counts.sum()))
        if blank.missing == blank.rows:
            return blank.replace(bins=freeze_missing(blank.missing), known=())
        bins, known = freeze_categories(counts, kind, blank.missing)
        text = freeze_text(counts) if kind is ColumnKind.TEXT and is_free_text(bins) else None
        # Sentences of single rows would leave with the package; of free text the unknown words tell what is new.
        return blank.replace(bins=bins, known=known if text is None else None, text=text)
    ordered, missing = _ordered(column, kind)
    blank = _blank(name, kind, column, missing)
    if not len(ordered):
        return blank.replace(bins=freeze_missing(missing), known=())
    seen = _numeric(blank, ordered, freeze_numbers(ordered, kind, missing))
    return seen if seen.bins else seen.replace(problem="All values are infinite")


def observe(reference: ColumnProfile, values: Values) -> ColumnProfile:
    """Summarise new values of a profiled column in its frozen bins, and by its known words where it has them.

    Raises
    ------
    InputError
        When the column has no frozen bins, or the values are of another kind than it had.
    """
    return observe_ordered(reference, values)[0]


def observe_ordered(reference: ColumnProfile, values: Values) -> tuple[ColumnProfile, Numbers | None]:
    """The same, with all numbers that are there, ascending; None of a column of categories.

    Raises
    ------
    InputError
        As `observe` does.
    """
    bins, column = _frozen(reference), as_series(values)
    if bins.edges is None:
        if reference.text is None:
            counted, text = count(reference, column), None
        else:
            counts = category_counts(column, reference.kind)
            counted, text = _counted(reference, bins, counts, len(column)), observe_strings(reference.text, counts)
        blank = _blank(reference.name, reference.kind, column, counted.missing)
        return blank.replace(bins=counted, known=reference.known, text=text), None
    ordered, missing = _ordered(column, reference.kind)
    blank = _blank(reference.name, reference.kind, column, missing)
    return _numeric(blank, ordered, count_numbers(bins.edges, ordered, missing)), ordered


def count(reference: ColumnProfile, values: Values) -> Bins:
    """Rows of new values in the frozen bins of `reference`; categories it never had count as unseen.

    Raises
    ------
    InputError
        When the column has no frozen bins, or the values are of another kind than it had.
    """
    bins = _frozen(reference)
    if bins.edges is not None:
        return count_unordered(bins.edges, numbers(values, reference.kind))
    quick = None if reference.kind is ColumnKind.BOOLEAN else count_texts(bins, reference.known, as_series(values))
    return quick or _counted(reference, bins, category_counts(values, reference.kind), len(values))


def _counted(reference: ColumnProfile, bins: Bins, counts: "pd.Series[int]", rows: int) -> Bins:
    return count_categories(bins.categories or (), reference.known, counts, rows - int(counts.sum()))


def _frozen(reference: ColumnProfile) -> Bins:
    if reference.bins is None:
        fact = f"Column {reference.name} has no frozen bins"
        raise InputError(
            fact,
            remedy=f"It could not be binned when the package was built: {reference.problem or 'no finite value'}",
            column=reference.name,
        )
    return reference.bins


def _profile_or_problem(name: str, values: "pd.Series[Any]", times: int) -> ColumnProfile:
    problem = f"{times} columns have this name" if times > 1 else ""
    if not problem:
        try:
            return profile_column(name, values)
        except InputError as error:
            problem = error.fact
        except (
            TypeError,
            ValueError,
            ArithmeticError,
            NotImplementedError,
        ) as error:  # what pandas, numpy, Arrow and Decimal raise on values they cannot hold
            problem = str(error) or type(error).__name__
    return _blank(name, ColumnKind.TEXT, values, _missing(values)).replace(problem=problem)


def _missing(values: "pd.Series[Any]") -> int:
    """How many values are missing; pandas cannot say it of a decimal that signals."""
    try:
        return int(values.isna().sum())
    except ArithmeticError:
        return sum(value is None for value in values)


def _blank(name: str, kind: ColumnKind, column: "pd.Series[Any]", missing: int) -> ColumnProfile:
    return ColumnProfile(name=name, kind=kind, dtype=str(column.dtype), rows=len(column), missing=missing, bins=None)


def _ordered(values: Values, kind: ColumnKind) -> tuple[Numbers, int]:
    """Ascending values, and how many are missing: one sort serves bins, sketch and moments."""
    ordered = np.sort(numbers(values, kind))
    present = int(np.searchsorted(ordered, np.nan))
    return ordered[:present], len(ordered) - present


def _numeric(blank: ColumnProfile, ordered: Numbers, bins: Bins | None) -> ColumnProfile:
    moments, points = _moments(ordered), sketch_ordered(ordered) if len(ordered) else None
    return blank.replace(bins=bins, moments=moments, sketch=points)


def _moments(ordered: Numbers) -> Moments | None:
    """Moments of the finite values; None where there are none, or where they are too large to be squared."""
    finite = finite_part(ordered)
    if not len(finite):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(finite.mean())
        blocks = (finite[begin : begin + BLOCK] - mean for begin in range(0, len(finite), BLOCK))
        squared_deviations = float(np.sum([np.square(block, out=block).sum() for block in blocks]))
    if not np.isfinite(squared_deviations):
        return None
    return Moments(
        count=len(finite),
        mean=mean,
        squared_deviations=squared_deviations,
        minimum=float(finite[0]),
        maximum=float(finite[-1]),
    )
