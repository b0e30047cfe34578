"""The defaults of rules that impute: words become what the training data had, and each must satisfy its rule."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from cellops.data.arrays import Array, build_column
from cellops.data.expectations.actions import MEDIAN, MODE, broken_rows, require_action
from cellops.errors import ExpectationError, InputError
from cellops.records.base import Value
from cellops.records.contract import Action, Contract, Expectation, Schema, Suite, Task
from cellops.records.profile import Bins, ColumnKind, ColumnProfile, QuantileSketch

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def resolved(suite: Suite, contract: Contract) -> Suite:
    """A suite whose defaults are values.

    Parameters
    ----------
    suite
        Where `median` and `mode` may stand for what the training data had.
    contract
        Its profile has the training data; its output, for a rule on what a regression predicts, what the model gave.

    Raises
    ------
    ExpectationError
        When a default does not fit its column, breaks its own rule, or cannot be taken from the profile.
    """
    return suite.replace(expectations=tuple(_resolved(one, contract) for one in suite.expectations))


def default_problems(suite: Suite, schema: Schema) -> Iterator[str]:
    """What is wrong with the actions of a suite that a package has."""
    for one in suite.expectations:
        try:
            require_action(one)
            _require_fit(one, schema)
        except ExpectationError as error:
            yield error.fact


def default_column(expectation: Expectation, schema: Schema) -> Array:
    """The default as a column of one row, typed as requests and answers are.

    Raises
    ------
    ExpectationError
        When it is not of its column's type.
    """
    (name,), default = expectation.columns, expectation.default
    field = next((field for field in schema.inputs if field.name == name), None)
    if field is None:
        return _answer(default, schema)
    array, problems = build_column(field, [default])
    if array is None:
        fact = f"The default of {expectation.rule} does not fit: {problems[0].fact}"
        raise ExpectationError(fact, received=default, remedy=problems[0].remedy)
    return array


def _answer(default: Value, schema: Schema) -> Array:
    """A default for what the model predicts."""
    if schema.task is Task.CLASSIFICATION:
        for place, known in enumerate(schema.classes):
            if type(known) is type(default) and known == default:
                return np.array(schema.classes)[place : place + 1]
        fact = f"The default of {schema.target} is none of the model's classes"
        raise ExpectationError(fact, received=default, remedy=f"They are: {', '.join(map(repr, schema.classes))}")
    if isinstance(default, bool) or not isinstance(default, int | float):
        fact = f"The default of {schema.target} is not a number, as what the model predicts is"
        raise ExpectationError(fact, received=default, remedy="Give a number")
    return np.array([default], dtype=np.float64)


def _resolved(expectation: Expectation, contract: Contract) -> Expectation:
    if expectation.action is not Action.IMPUTE:
        return expectation
    if expectation.default in (MEDIAN, MODE):
        found = _from_profile(expectation, contract)
        if found is None:
            fact = f"{expectation.columns[0]} has no {expectation.default} that its profile knows"
            raise ExpectationError(fact, remedy="Give a value as the default")
        expectation = expectation.replace(default=found)
    _require_fit(expectation, contract.schema)
    return expectation


def _require_fit(expectation: Expectation, schema: Schema) -> None:
    known = {schema.target, *(field.name for field in schema.inputs)}
    if expectation.action is not Action.IMPUTE or not known.issuperset(expectation.columns):
        return
    column = expectation.columns[0]
    try:
        broken = len(broken_rows(expectation, {column: default_column(expectation, schema)})) > 0
    except InputError as error:
        fact = f"{expectation.rule} cannot be held against what stands in {column}: {error.fact}"
        raise ExpectationError(fact, remedy=error.remedy) from error
    if broken:
        fact = f"The default of {column} breaks its own rule, {expectation.rule}"
        raise ExpectationError(fact, received=expectation.default, remedy="Give a default that satisfies it")


def _from_profile(expectation: Expectation, contract: Contract) -> Value:
    name = expectation.columns[0]
    if name == contract.schema.target:
        column = contract.output if contract.schema.task is Task.REGRESSION else None
        kind = ColumnKind.NUMBER
    else:
        column = contract.profile.column(name)
        kind = next((f.kind for f in contract.schema.inputs if f.name == name), ColumnKind.TEXT)
    if column is None:
        return None
    if kind in (ColumnKind.TEXT, ColumnKind.BOOLEAN):
        common = None if expectation.default == MEDIAN else _most_common(column.bins)
        return common == "True" if common is not None and kind is ColumnKind.BOOLEAN else common
    number = _number(column, str(expectation.default))
    if number is None or kind is ColumnKind.NUMBER:
        return number
    return int(number) if kind is ColumnKind.INTEGER else (EPOCH + timedelta(seconds=number)).isoformat()


def _most_common(bins: Bins | None) -> str | None:
    """The most frequent category; the first of them."""
    return bins.categories[0] if bins is not None and bins.categories else None


def _number(column: ColumnProfile, word: str) -> float | None:
    """A number that stood in the column: the lower median, or the most frequent where all are counted."""
    sketch: QuantileSketch | None = column.sketch
    if sketch is None or not sketch.values:
        return None
    if word == MEDIAN:
        place = np.searchsorted(sketch.cumulative, sketch.cumulative[-1] / 2)
    elif sketch.rank_error == 0:
        place = np.argmax(np.diff(sketch.cumulative, prepend=0))
    else:
        return None
    return sketch.values[int(place)]
