"""What is shown of a summary."""

import math

import numpy as np

from cellops.data.summary.column import ColumnSummary
from cellops.data.summary.numbers import NumberSummary
from cellops.data.summary.others import BooleanSummary
from cellops.data.summary.quantiles import histogram, quantiles
from cellops.data.summary.table import TableSummary
from cellops.data.summary.texts import TextSummary
from cellops.data.summary.times import written
from cellops.records.summary import ColumnFigures, NumberFigures, TextFigures

TOP = 10
QUARTILES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def figures(summary: TableSummary) -> tuple[ColumnFigures, ...]:
    """The figures of each column.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.data.summary.summarize import summarize
    >>> figures(summarize(pd.DataFrame({"hour": [5, 6, 9]})))[0].numbers.quantiles
    (5.0, 5.5, 6.0, 7.5, 9.0)
    """
    return tuple(map(_column, summary.columns))


def _column(column: ColumnSummary) -> ColumnFigures:
    parts = column.parts
    numbers = parts.times.seconds if parts.times is not None else parts.numbers
    texts = parts.texts if parts.texts is not None else parts.booleans
    flags = () if parts.booleans is None else (parts.booleans.true, parts.booleans.false)
    distinct = sum(part.distinct for part in parts.counted) + sum(rows > 0 for rows in flags)
    return ColumnFigures(
        name=column.name,
        kind=column.kind,
        types=tuple(sorted(column.types)),
        rows=column.rows,
        missing=column.missing,
        distinct=None if parts.opaque is not None or column.problems else distinct,
        distinct_error=max((part.distinct_error for part in parts.counted), default=0.0),
        numbers=None if numbers is None else _numbers(numbers),
        texts=None if texts is None else _texts(texts),
        first=None if parts.times is None else written(parts.times.first),
        last=None if parts.times is None else written(parts.times.last),
    )


def _numbers(part: NumberSummary) -> NumberFigures:
    moments, sketch = part.moments, part.sketch
    bars, bounds = histogram(sketch) if moments.count else ((), (0.0, 0.0))
    exact = (moments.minimum, moments.maximum)
    between = quantiles(sketch, QUARTILES[1:-1]).tolist() if moments.count else []
    return NumberFigures(
        rows=moments.count,
        mean=_finite(moments.mean) if moments.count else None,
        deviation=_finite(math.sqrt(moments.variance)) if moments.variance >= 0 else None,
        skewness=_finite(moments.skewness),
        kurtosis=_finite(moments.kurtosis),
        quantiles=(exact[0], *between, exact[1]) if moments.count else (),
        rank_error=sketch.quantile_sketch().rank_error if moments.count else 0.0,
        infinite=part.below + part.above,
        histogram=bars,
        bounds=bounds,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _texts(part: TextSummary | BooleanSummary) -> TextFigures:
    if isinstance(part, BooleanSummary):
        top = sorted((("true", part.true), ("false", part.false)), key=lambda pair: -pair[1])
        return TextFigures(
            rows=part.rows, top=tuple(top), other=0, error=0, shortest=0, mean_length=0.0, longest=0, empty=0.0
        )
    named = part.counts.ranked()[:TOP]
    return TextFigures(
        rows=part.rows,
        top=tuple(named),
        other=part.rows - sum(rows for _, rows in named),
        error=part.counts.error,
        shortest=part.lengths.shortest,
        mean_length=part.lengths.total / part.rows,
        longest=part.lengths.longest,
        empty=part.lengths.empty / part.rows,
    )
