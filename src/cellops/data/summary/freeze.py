"""The profile that a package keeps, made of a summary: frozen bins, sketch and moments."""

import re

import numpy as np

from cellops.data.bins import Stretches, freeze_categories, freeze_missing, freeze_stretches
from cellops.data.buckets import Sketch
from cellops.data.summary.column import ColumnSummary
from cellops.data.summary.counts import is_abbreviated
from cellops.data.summary.findings import findings
from cellops.data.summary.numbers import NumberSummary
from cellops.data.summary.others import BooleanSummary
from cellops.data.summary.table import TableSummary
from cellops.data.texts import freeze_text, is_free_text
from cellops.errors import InputError
from cellops.records.profile import ColumnKind, ColumnProfile, Profile, QuantileSketch

LARGEST = float(np.finfo(np.float64).max)
TYPES = {
    r"float|double|halffloat": ColumnKind.NUMBER,
    r"u?int\d": ColumnKind.INTEGER,
    r"bool": ColumnKind.BOOLEAN,
    r"datetime|timestamp": ColumnKind.DATETIME,
}
"""How the names of types begin."""


def freeze(summary: TableSummary) -> Profile:
    """Freeze the bins of a table by its summary.

    Columns with up to 512 distinct numbers, or up to 4,096 strings, have the profile that `cellops.data.profile` makes
    of the table itself; of others each edge is where a bucket of the sketch begins, so that the counts are exact and a
    decile is off by the stated error in rank at most. Relations between columns are left out, for they need the rows a
    second time, and so is what texts hold of columns with more strings than are counted.

    Parameters
    ----------
    summary
        Of a table with rows and columns.

    Returns
    -------
    Profile
        A column that cannot be profiled has `bins` None and the reason in `problem`.

    Raises
    ------
    InputError
        When the table has no rows or no columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.data.profile import profile
    >>> from cellops.data.summary.summarize import summarize
    >>> table = pd.DataFrame({"hour": [5, 6, 6, None], "carrier": ["UA"] * 4})
    >>> freeze(summarize(table)) == profile(table)
    True
    """
    if not summary.rows or not summary.columns:
        fact = "The table has no rows or no columns"
        shape = (summary.rows, len(summary.columns))
        raise InputError(fact, received=shape, remedy="Give the rows that the model was trained on")
    return Profile(rows=summary.rows, columns=tuple(_column(column, summary) for column in summary.columns))


def _column(column: ColumnSummary, summary: TableSummary) -> ColumnProfile:
    blank = ColumnProfile(
        name=column.name,
        kind=column.column_kind,
        dtype=" or ".join(sorted(column.types)),
        rows=column.rows,
        missing=column.missing,
        bins=None,
    )
    parts = column.parts.filled
    if column.problems or len(parts) > 1 or column.parts.opaque is not None:
        return blank.replace(kind=ColumnKind.TEXT, problem=_problem(column, summary))
    if not parts:
        return blank.replace(kind=_empty_kind(column), bins=freeze_missing(column.missing), known=())
    times, numbers = column.parts.times, column.parts.numbers
    if times is not None or numbers is not None:
        part = numbers if times is None else times.seconds
        return blank if part is None else _numbers(blank, part)
    return _categories(blank, column)


def _problem(column: ColumnSummary, summary: TableSummary) -> str:
    own = TableSummary(summary.rows, (column,))
    return "; ".join(sorted(column.problems)) or "; ".join(finding.seen for finding in findings(own))


def _empty_kind(column: ColumnSummary) -> ColumnKind:
    """What a column without any value would hold by its type."""
    name = min(column.types, default="").lower()
    return next((kind for pattern, kind in TYPES.items() if re.match(pattern, name)), ColumnKind.TEXT)


def _categories(blank: ColumnProfile, column: ColumnSummary) -> ColumnProfile:
    """Bins of the most frequent strings; of booleans there are always two."""
    import pandas as pd

    texts, booleans = column.parts.texts, column.parts.booleans or BooleanSummary(0, 0)
    pairs = {"False": booleans.false, "True": booleans.true} if texts is None else texts.counts.rows
    named = [
        pair for pair in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])) if not is_abbreviated(pair[0])
    ]
    names = pd.Index([name for name, _ in named], dtype=object)
    counts = pd.Series([rows for _, rows in named], index=names, dtype="int64")
    bins, known = freeze_categories(counts, blank.kind, blank.missing)
    rest = blank.rows - blank.missing - int(counts.sum())
    if rest:
        return blank.replace(bins=bins.replace(other=bins.other + rest))
    text = freeze_text(counts) if blank.kind is ColumnKind.TEXT and is_free_text(bins) else None
    # Sentences of single rows would leave with the package; of free text the unknown words tell what is new.
    return blank.replace(bins=bins, known=known if text is None else None, text=text)


def _numbers(blank: ColumnProfile, part: NumberSummary) -> ColumnProfile:
    told = with_infinite(part.sketch.quantile_sketch(), part.below, part.above)
    if not part.moments.count:
        return blank.replace(sketch=told, problem="All values are infinite")
    bins = freeze_stretches(_stretches(part.sketch), blank.kind, blank.missing)
    counts = list(bins.counts)
    counts[0] += part.below
    counts[-1] += part.above
    return blank.replace(bins=bins.replace(counts=tuple(counts)), moments=part.moments.record(), sketch=told)


def _stretches(sketch: Sketch) -> Stretches:
    """Distinct values, or the buckets of the finer scale with the values that they can hold."""
    if sketch.exact is not None:
        values, rows = sketch.exact
        return Stretches(values, values, rows)
    assert sketch.even is not None and sketch.relative is not None  # noqa: PT018, S101 - else it is exact
    best = min(sketch.even, sketch.relative, key=lambda levelled: levelled.widest)
    held = best.buckets
    lower, upper = best.edges()
    # A bucket towards minus infinity holds the value at its upper bound, others that at the lower one.
    lower = np.where(held.keys > 0, lower, np.nextafter(lower, np.inf))
    alone = ~np.isnan(held.values)
    starts, ends = (np.where(alone, held.values, bound) for bound in (lower, upper))
    if sketch.extremes is not None:
        starts[0], ends[-1] = sketch.extremes
    return Stretches(starts, ends, held.counts)


def with_infinite(told: QuantileSketch, lower: int, upper: int) -> QuantileSketch:
    """The sketch with so many rows of minus and plus infinity, as the largest floats: JSON has no infinities."""
    values, upto = list(told.values), [rows + lower for rows in told.cumulative]
    below = [rows + lower for rows in told.below]
    if lower and (not values or values[0] != -LARGEST):
        values, upto, below = [-LARGEST, *values], [lower, *upto], [0, *below] if below else []
    if upper and (not values or values[-1] != LARGEST):
        values, below = [*values, LARGEST], [*below, upto[-1]] if below else []
        upto = [*upto, (upto[-1] if upto else 0) + upper]
    elif upper:
        upto[-1] += upper
    rows = upto[-1] if upto else 1
    error = told.rank_error * (rows - lower - upper) / rows
    return told.replace(values=tuple(values), cumulative=tuple(upto), below=tuple(below), rank_error=error)
