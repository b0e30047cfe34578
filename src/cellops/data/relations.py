"""How the numbers of a row hang together: frozen on the reference, then measured row by row in any other table."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers, column_kind, numbers
from cellops.errors import InputError
from cellops.records.profile import ColumnKind, ColumnProfile, Relations
from cellops.stats.splitmix import stream

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 100
"""Rows below which there is nothing to say of how columns hang together."""
MOST_ROWS = 200_000
"""Rows of the reference that are looked at, spread over it."""
MOST_COLUMNS = 200
"""The first that vary."""
PARTS = 5
"""Each part of the reference is reconstructed from what the others show."""
LEAST_EXPLAINED = 0.05
"""Share of the variance of a column's ranks that follows from the others, below which it is left out."""
RIDGE = 0.001
"""Added to the diagonal of the correlation, with the columns over the rows, so that copies of a column do no harm."""
BLOCK = 16_384
"""Rows that are measured at once."""
MANY_CELLS = 1_000_000
MOST_THREADS = 4
SHARES = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
"""The ranks at which a column with many values has knots, beside its ends."""
LEAST_DEVIATION = 0.01
"""What is left over is held against no less than this, in standard deviations: a copied column leaves nothing over."""
DIGITS = 6
KINDS = frozenset({ColumnKind.NUMBER, ColumnKind.INTEGER, ColumnKind.BOOLEAN})

Matrix = NDArray[np.float64]


class LeftOver(NamedTuple):
    """What the components of a reference leave over of some rows."""

    errors: Numbers
    """Shape (rows,): about 1 is usual."""
    squares: Numbers
    """Shape (columns,): sums over the rows, so that they add up. Over the number of rows, about 1 is usual."""


def freeze_relations(table: "pd.DataFrame", columns: Sequence[ColumnProfile]) -> Relations | None:
    r"""How each number of a row follows from the others, and how well rows are reconstructed so.

    .. math:: e(x)^2 = \frac{\sum_j w_j r_j^2 / s_j^2}{\sum_j w_j}, \quad
              r_j = z_j - \sum_{i \ne j} b_{ji} z_i, \quad w_j = 1 - s_j^2

    with z the standardised ranks of a row's numbers, b the ridge regression of column j on the others, and s_j the root
    of the mean square of what it leaves over: a column counts for as much as it follows from the others, in what is
    usual for it, and one that does not follow at all is left out. Ranks, read off a line through some quantiles, keep
    single outliers and heavy tails from owning the regression. A missing value has the mean rank, and one beyond all
    others that of the outermost.

    A regression knows the rows that it was made of too well; therefore each fifth of the reference is reconstructed by
    that of the other four, so that `errors` is what new rows of the same kind have. Against main components, of which
    those that hold little turn with every sample, weights change little from one sample to the next.

    Parameters
    ----------
    table
        The reference, shape (rows, columns).
    columns
        The profiles of its columns.

    Returns
    -------
    Relations or None
        None where no column of numbers or booleans follows from others, or there are fewer than 100 rows. Of more than
        200,000 rows so many are taken, evenly spread, and of more than 200 columns the first. Times are left out: they
        always go on.

    References
    ----------
    Hawkins, Multivariate quality control based on regression-adjusted variables, Technometrics 33 (1991), for the
    adjusted variables and that they see more than main components; Hoerl and Kennard, Ridge regression, Technometrics
    12 (1970); Liu, Han, Yuan, Lafferty and Wasserman, High-dimensional semiparametric Gaussian copula graphical models,
    Ann. Statist. 40 (2012), for ranks.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.data.profile import profile
    >>> random = np.random.default_rng(0)
    >>> distance, wind = random.exponential(size=(2, 400))
    >>> table = pd.DataFrame({"distance": distance, "minutes": distance / 7 + 0.5, "wind": wind})
    >>> frozen = freeze_relations(table, profile(table).columns)
    >>> frozen.names
    ('distance', 'minutes')
    >>> broken = table.assign(minutes=random.permutation(table["minutes"]))
    >>> bool(reconstruction_errors(frozen, broken).mean() > 10 * reconstruction_errors(frozen, table).mean())
    True
    """
    scales = list(islice(filter(None, map(_scale, columns)), MOST_COLUMNS))
    if len(table) < LEAST_ROWS or not scales:
        return None
    rows = np.linspace(0, len(table) - 1, min(len(table), MOST_ROWS)).round().astype(np.intp)
    return _frozen(table if len(rows) == len(table) else table.iloc[rows], scales)


def reconstruction_errors(relations: Relations, table: "pd.DataFrame") -> Numbers:
    """How badly each row is reconstructed, shape (rows,), to be observed as a column like any other.

    Raises
    ------
    InputError
        When a column is not there, is there twice, or holds other things than numbers.
    """
    return left_over(relations, table).errors


def left_over(relations: Relations, table: "pd.DataFrame") -> LeftOver:
    """What is left over of each row, and of each column: whether relations are broken, and whose.

    Raises
    ------
    InputError
        When a column is not there, is there twice, or holds other things than numbers.
    """
    columns = [_column(name, table) for name in relations.names]
    scales = [
        _Scale(name, np.asarray(knots), np.asarray(scores))
        for name, knots, scores in zip(relations.names, relations.knots, relations.scores, strict=True)
    ]
    weights, deviations = np.asarray(relations.weights), np.asarray(relations.deviations)
    errors = np.empty(len(table))

    def measure(held: slice) -> Numbers:
        relative = np.square((_ranks(columns, scales, held) @ weights.T) / deviations)
        errors[held] = _errors(relative, deviations)
        sums: Numbers = relative.sum(axis=0)
        return sums

    squares = sum(_each_block(measure, len(table), len(columns)), start=np.zeros(len(columns)))
    return LeftOver(errors, squares)


class _Scale(NamedTuple):
    """The standardised rank of a column's values, as a line through some of them."""

    name: str
    knots: Numbers
    scores: Numbers


def _scale(column: ColumnProfile) -> _Scale | None:
    """None for a column that holds no numbers, or always the same one."""
    if column.problem is not None or column.kind not in KINDS or column.bins is None:
        return None
    if column.bins.categories is not None:
        values, counts = np.array([0.0, 1.0]), np.array(column.bins.counts or (0, 0))
        upto = counts.cumsum()
    elif column.sketch is not None:
        values, upto = np.asarray(column.sketch.values), np.asarray(column.sketch.cumulative)
        counts = upto - (column.sketch.below or (0, *column.sketch.cumulative[:-1]))
    else:
        return None
    middles = upto - counts / 2
    if counts.max() == upto[-1]:
        return None
    spread = max(float(np.sqrt(np.diff(upto, prepend=0) @ np.square(middles - upto[-1] / 2) / upto[-1])), 1.0)
    at = np.arange(len(values))
    if len(values) > len(SHARES) + 2:
        at = np.unique([0, *np.searchsorted(upto, np.array(SHARES) * upto[-1]), len(values) - 1])
    return _Scale(column.name, values[at], (middles[at] - upto[-1] / 2) / spread)


def _column(name: str, table: "pd.DataFrame") -> Numbers:
    places = [place for place, held in enumerate(table.columns) if str(held) == name]
    if len(places) != 1:
        fact = f"{len(places)} columns are called {name}" if places else f"The column {name} is not there"
        raise InputError(fact, remedy="Give the inputs of the model, each column once", column=name)
    column = table.iloc[:, places[0]]
    kind = column_kind(column)
    if kind not in KINDS and not column.isna().all():
        fact = f"The column {name} held numbers and now holds {kind}"
        raise InputError(fact, remedy="Convert it to what the model was trained on", column=name)
    return numbers(column, ColumnKind.NUMBER)


def _ranks(columns: Sequence[Numbers], scales: Sequence[_Scale], held: slice) -> Matrix:
    """Standardised ranks of some rows, shape (rows, columns)."""
    scores = np.empty((held.stop - held.start, len(scales)))
    for place, (values, scale) in enumerate(zip(columns, scales, strict=True)):
        read = np.interp(values[held], scale.knots, scale.scores)
        scores[:, place] = np.where(np.isnan(read), 0.0, read)
    return scores


def _errors(relative: Matrix, deviations: Numbers) -> Numbers:
    """Of squares in what is usual, shape (rows, columns), the root of the mean over the columns that follow."""
    explained = np.maximum(1 - np.square(deviations), LEAST_EXPLAINED)
    errors: Numbers = np.sqrt(relative @ (explained / explained.sum()))
    return errors


def _each_block(measure: Callable[[slice], Numbers], rows: int, columns: int) -> list[Numbers]:
    """What a function gives for each block of rows, in their order; on several cores where that pays."""
    blocks = [slice(begin, min(begin + BLOCK, rows)) for begin in range(0, rows, BLOCK)]
    if rows * columns < MANY_CELLS:
        return [measure(block) for block in blocks]
    with ThreadPoolExecutor(MOST_THREADS, "cellops-relations") as pool:
        return list(pool.map(measure, blocks))


def _frozen(table: "pd.DataFrame", scales: Sequence[_Scale]) -> Relations | None:
    from cellops.data.profile import profile_column

    parts = (stream(0, len(table)) % np.uint64(PARTS)).astype(np.intp)
    columns = [_column(scale.name, table) for scale in scales]
    scales, products = _standardised(scales, _products(columns, scales, parts), len(table))
    # In the rows that were taken a column may have no value but missing ones.
    there = np.diag(products.sum(axis=0)) > 0
    kept = np.flatnonzero(there & (1 - np.square(_usual(products, len(table))) >= LEAST_EXPLAINED))
    if len(kept) < 2:  # noqa: PLR2004 - a relation is between two
        return None
    scales, columns = [scales[place] for place in kept], [columns[place] for place in kept]
    products = products[:, kept][:, :, kept]
    deviations = np.maximum(_usual(products, len(table)), LEAST_DEVIATION).round(DIGITS)
    others = [weights.T / deviations for weights in _held_out(products, len(table))]
    errors = np.empty(len(table))

    def measure(held: slice) -> Numbers:
        ranks = _ranks(columns, scales, held)
        for part, weights in enumerate(others):
            own = np.flatnonzero(parts[held] == part)
            errors[held.start + own] = _errors(np.square(ranks[own] @ weights), deviations)
        return deviations

    _each_block(measure, len(table), len(columns))
    return Relations(
        names=tuple(scale.name for scale in scales),
        knots=tuple(tuple(scale.knots.tolist()) for scale in scales),
        scores=tuple(tuple(scale.scores.round(DIGITS).tolist()) for scale in scales),
        weights=tuple(tuple(row) for row in _weights(products.sum(axis=0), len(table)).round(DIGITS).tolist()),
        deviations=tuple(deviations.tolist()),
        errors=profile_column("reconstruction error", errors.round(DIGITS)),
    )


def _products(columns: Sequence[Numbers], scales: Sequence[_Scale], parts: NDArray[np.intp]) -> Matrix:
    """Sums of the products of ranks over the rows of each part, shape (parts, columns, columns)."""

    def measure(held: slice) -> Matrix:
        ranks = _ranks(columns, scales, held)
        of_parts = [ranks[parts[held] == part] for part in range(PARTS)]
        return np.stack([of_part.T @ of_part for of_part in of_parts])

    return sum(_each_block(measure, len(parts), len(columns)), start=np.zeros((PARTS, len(columns), len(columns))))


def _standardised(scales: Sequence[_Scale], products: Matrix, rows: int) -> tuple[list[_Scale], Matrix]:
    """Ranks in their standard deviations over these rows, in which missing ones are 0."""
    unit = np.sqrt(np.maximum(np.diag(products.sum(axis=0)) / rows, np.finfo(np.float64).tiny))
    exact = [scale._replace(scores=scale.scores / one) for scale, one in zip(scales, unit, strict=True)]
    return exact, products / np.outer(unit, unit)


def _held_out(products: Matrix, rows: int) -> list[Matrix]:
    """For each part the weights that the others give."""
    whole = products.sum(axis=0)
    return [_weights(whole - of_part, rows) for of_part in products]


def _usual(products: Matrix, rows: int) -> Numbers:
    """Root of the mean square of what is left over of each column in rows of the other parts."""
    pairs = zip(products, _held_out(products, rows), strict=True)
    left = np.sum([(weights @ of_part * weights).sum(axis=1) for of_part, weights in pairs], axis=0)
    usual: Numbers = np.sqrt(left / rows)
    return usual


def _weights(products: Matrix, rows: int) -> Matrix:
    """What is left over of each column by ridge regression on the others: the inverse, over its diagonal."""
    many = len(products)
    # As much beside the rows of four parts as beside all: what is left over where columns are close copies hangs on it.
    ridge = (RIDGE + many / rows) * np.trace(products) / many
    inverse = np.linalg.inv(products + ridge * np.eye(many))
    found: Matrix = inverse / np.diag(inverse)[:, None]
    return found
