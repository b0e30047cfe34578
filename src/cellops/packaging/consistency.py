"""Whether the parts of a contract make sense: what is read from JSON has the right types, not the right numbers."""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

from cellops.data.decoder import decode_columns
from cellops.data.texts import MOST_KNOWN, MOST_WORDS, known_words
from cellops.errors import InputError, IntegrityError
from cellops.packaging.defaults import default_problems
from cellops.packaging.layout import contract_part
from cellops.records.contract import Background, Contract, Field, Parity, Performance, Schema, Task
from cellops.records.gate import GateFigure, Group
from cellops.records.profile import (
    Bins,
    ColumnKind,
    ColumnProfile,
    Moments,
    Profile,
    QuantileSketch,
    Relations,
    TextProfile,
)
from cellops.stats.samples import distribution

LEAST_CLASSES = 2
LARGEST = 1e150
"""A figure whose square can still be written down."""
LARGEST_WEIGHT = 1e9
"""Of a relation: the square of what weights make of ranks can still be written down."""
LEAST_DEVIATION = 1e-9
MOST_SHARES = 1.1
"""What all shares come to, as they are rounded."""
SHARES = frozenset({"accuracy", "precision", "recall", "roc_auc", "brier"})
NAMED = frozenset({ColumnKind.TEXT, ColumnKind.BOOLEAN})
"""The kinds whose bins are categories."""


def require_consistent(contract: Contract) -> None:
    """Refuse a contract that no model can have.

    Raises
    ------
    IntegrityError
        Naming the part and the first thing that is wrong with it.
    """
    schema, output, performance = contract.schema, contract.output, contract.performance
    _require("schema", _schema_problems(schema))
    _require("profile", _profile_problems(contract.profile.rows, contract.profile.columns))
    _require("profile", _relations_problems(contract.profile))
    _require("importance", _importance_problems(schema, contract.importance))
    _require("parity", _parity_problems(schema, contract.parity))
    _require("background", _background_problems(schema, contract.background))
    _require("performance", () if performance is None else _performance_problems(schema, performance))
    _require("groups", _groups_problems(contract.groups))
    _require("suite", () if contract.suite is None else default_problems(contract.suite, schema))
    _require("output", () if output is None else _profile_problems(output.rows, (output,)))


def _require(part: str, problems: Iterable[str]) -> None:
    problem = next(iter(problems), None)
    if problem is not None:
        path = contract_part(part)
        fact = f"{path} contradicts itself: {problem}"
        raise IntegrityError(fact, remedy="Do not use this package; build it again", path=path)


def _schema_problems(schema: Schema) -> Iterator[str]:
    names, classes = [field.name for field in schema.inputs], schema.classes
    if not names:
        yield "there are no inputs"
    if len(set(names)) < len(names):
        yield "an input is there twice"
    for field in schema.inputs:
        yield from _field_problems(field)
    if schema.task is Task.REGRESSION and (classes or schema.probabilities):
        yield "a regression has classes"
    if schema.task is Task.CLASSIFICATION and (len(classes) < LEAST_CLASSES or len(set(classes)) < len(classes)):
        yield "a classification needs two classes or more, each once"


def _field_problems(field: Field) -> Iterator[str]:
    from pandas.api.types import pandas_dtype

    try:
        pandas_dtype(field.dtype)
    except (TypeError, ValueError, ImportError):
        yield f"input {field.name} is of the unknown dtype {field.dtype[:50]!r}"
    if not _ascend(limit for limit in (field.minimum, field.maximum) if limit is not None):
        yield f"input {field.name} has a minimum above its maximum"


def _profile_problems(rows: int, columns: tuple[ColumnProfile, ...]) -> Iterator[str]:
    names = [column.name for column in columns if column.problem is None]
    if len(set(names)) < len(names):
        yield "a column is there twice"
    for column in columns:
        if not (column.rows == rows and 0 <= column.missing <= rows):
            yield f"column {column.name} has another number of rows"
        if column.bins is not None and not _bins_hold(column.bins, column.kind, rows):
            yield f"the bins of column {column.name} do not fit together"
        if column.sketch is not None and not _sketch_holds(column.sketch, rows):
            yield f"the quantiles of column {column.name} do not fit together"
        if column.moments is not None and not _moments_hold(column.moments, rows):
            yield f"the moments of column {column.name} do not fit together"
        if column.text is not None and not (column.kind is ColumnKind.TEXT and _text_holds(column.text, rows)):
            yield f"the words of column {column.name} do not fit together"


def _bins_hold(bins: Bins, kind: ColumnKind, rows: int) -> bool:
    counts = (*bins.counts, bins.other, bins.unseen, bins.missing)
    if min(counts) < 0 or sum(counts) != rows:
        return False
    if bins.edges is not None:
        right = bins.categories is None and kind not in NAMED
        return right and len(bins.counts) == len(bins.edges) - 1 >= 1 and _ascend(bins.edges)
    named = bins.categories is not None and len(set(bins.categories)) == len(bins.categories) == len(bins.counts)
    return named and (kind in NAMED or not bins.categories)


def _sketch_holds(sketch: QuantileSketch, rows: int) -> bool:
    try:
        distribution(sketch)
    except InputError:
        return False
    return (
        len(sketch.values) > 0
        and len(sketch.below) in {0, len(sketch.values)}
        and all(map(math.isfinite, sketch.values))
        and all(0 <= count <= rows for count in (*sketch.cumulative, *sketch.below))
        and 0 <= sketch.rank_error <= 1
        and (sketch.distance_error is None or 0 <= sketch.distance_error < math.inf)
    )


def _moments_hold(moments: Moments, rows: int) -> bool:
    numbers = (moments.mean, moments.squared_deviations, moments.minimum, moments.maximum)
    return (
        0 < moments.count <= rows
        and all(map(math.isfinite, numbers))
        and moments.squared_deviations >= 0
        and moments.minimum <= moments.maximum
    )


def _text_holds(text: TextProfile, rows: int) -> bool:
    if len(text.known) > MOST_KNOWN * 6:  # in Base64, before it is decoded
        return False
    try:
        known = known_words(text)
    except InputError:
        return False
    return (
        0 <= text.unseen <= text.rows <= rows
        and bool((known[1:] > known[:-1]).all())
        and len(set(text.words)) == len(text.words) == len(text.rows_with) <= MOST_WORDS
        and all(0 <= number <= text.rows for number in text.rows_with)
        and (not text.rows or _lengths_hold(text.lengths, text.rows))
    )


def _lengths_hold(lengths: QuantileSketch, rows: int) -> bool:
    return _sketch_holds(lengths, rows) and min(lengths.values) >= 0 and lengths.cumulative[-1] == rows


def _relations_problems(profile: Profile) -> Iterator[str]:
    held = profile.relations
    if held is None:
        return
    yield from _profile_problems(held.errors.rows, (held.errors,))
    if held.errors.kind is not ColumnKind.NUMBER or held.errors.bins is None or held.errors.bins.edges is None:
        yield "the errors of its relations are no numbers in bins"
    many = len(held.names)
    tables = (held.knots, held.scores, held.weights, held.deviations)
    if not (many == len(set(held.names)) and all(len(table) == many for table in tables)):
        yield "its relations are not one for each column"
    if not {*held.names} <= {column.name for column in profile.columns}:
        yield "its relations are of columns that it does not have"
    yield from _ranks_problems(held)
    if not all(len(row) == many and all(map(_is_weight, row)) for row in held.weights):
        yield "the weights of its relations do not fit together"
    if not all(LEAST_DEVIATION <= deviation <= LARGEST_WEIGHT for deviation in held.deviations):
        yield "a relation leaves over no more than nothing"


def _ranks_problems(held: Relations) -> Iterator[str]:
    if not all(len(knots) == len(scores) > 1 for knots, scores in zip(held.knots, held.scores, strict=False)):
        yield "the ranks of its relations do not fit together"
    if not all(map(_ascend, (*held.knots, *held.scores))):
        yield "the ranks of its relations do not ascend"
    if not all(_is_weight(score) for scores in held.scores for score in scores):
        yield "the ranks of its relations are beyond all that rows have"


def _is_weight(number: float) -> bool:
    return abs(number) <= LARGEST_WEIGHT


def _importance_problems(schema: Schema, importance: dict[str, float]) -> Iterator[str]:
    if not importance.keys() <= {field.name for field in schema.inputs}:
        yield "it speaks of other columns than the inputs of the schema"
    if not all(0 <= share <= 1 for share in importance.values()):
        yield "an input has a share below 0 or above 1"
    if sum(importance.values()) > MOST_SHARES:
        yield "its shares are more than a whole"


def _parity_problems(schema: Schema, parity: Parity) -> Iterator[str]:
    rows, chances = len(parity.labels), parity.probabilities
    if parity.inputs.keys() != {field.name for field in schema.inputs}:
        yield "its columns are not the inputs of the schema"
    if not rows or any(len(values) != rows for values in parity.inputs.values()):
        yield "its columns and labels differ in length"
    if (chances is not None) != schema.probabilities:
        yield "it has probabilities where the schema has none, or none where the schema has them"
    if chances is not None and (len(chances) != rows or any(len(row) != len(schema.classes) for row in chances)):
        yield "its probabilities are not one for each row and class"
    if not 0 <= parity.tolerance < math.inf:
        yield "its tolerance is no distance"


def _background_problems(schema: Schema, background: Background | None) -> Iterator[str]:
    if background is None:
        return
    lengths = set(map(len, background.inputs.values()))
    if background.inputs.keys() != {field.name for field in schema.inputs}:
        yield "its columns are not the inputs of the schema"
    if len(lengths) != 1 or not 1 <= max(lengths) <= background.drawn_from:
        yield "its columns differ in length, are empty, or have more rows than they were drawn from"
    try:
        decode_columns(schema, background.inputs)
    except InputError as error:
        yield f"a request could not have its rows: {error.fact}"


def _performance_problems(schema: Schema, performance: Performance) -> Iterator[str]:
    if performance.task is not schema.task or performance.rows < 1:
        yield "it is of another task, or of no rows"
    names = [figure.name for figure in performance.measures]
    if len(set(names)) < len(names):
        yield "a figure is there twice"
    for figure in performance.measures:
        numbers = [number for number in (figure.low, figure.value, figure.high) if number is not None]
        bounds = [number for number in (figure.low, figure.high) if number is not None]
        least, most = (0, 1) if figure.name in SHARES else (-LARGEST, LARGEST)
        if not (_ascend(bounds) and all(least <= number <= most for number in numbers) and 0 < figure.level < 1):
            yield f"{figure.name} has a value or interval that no model has"


def _groups_problems(figures: tuple[GateFigure, ...]) -> Iterator[str]:
    names = [figure.name for figure in figures]
    if len(set(names)) < len(names):
        yield "a figure is there twice"
    for figure in figures:
        if not all(map(_group_holds, figure.groups)):
            yield f"a group of {figure.name[:80]} has rows or a value that no group has"


def _group_holds(group: Group) -> bool:
    numbers = [number for number in (group.low, group.value, group.high) if number is not None]
    bounds = [number for number in (group.low, group.high) if number is not None]
    return 0 <= group.counted <= group.rows and _ascend(bounds) and all(abs(number) <= LARGEST for number in numbers)


def _ascend(numbers: Iterable[float]) -> bool:
    listed = list(numbers)
    return all(map(math.isfinite, listed)) and all(before <= after for before, after in pairwise(listed))
