"""One column of JSON scalars as one array: each kind of column has its function here, all of one shape."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.problems import SHOWN, Problem, row_numbers
from cellops.records.contract import Field
from cellops.records.profile import ColumnKind

Array = npt.NDArray[Any]
Rows = list[int]
Built = tuple[Array | None, Rows, str, str]
"""The array, or the rows that cannot be in it, what is wrong with them and the remedy."""

ACCEPTED: Mapping[ColumnKind, frozenset[type]] = {
    ColumnKind.NUMBER: frozenset({int, float}),
    ColumnKind.INTEGER: frozenset({int, float}),
    ColumnKind.BOOLEAN: frozenset({bool}),
    ColumnKind.TEXT: frozenset({str}),
    ColumnKind.DATETIME: frozenset({str}),
}
WANTED: Mapping[ColumnKind, str] = {
    ColumnKind.NUMBER: "a number",
    ColumnKind.INTEGER: "an integer",
    ColumnKind.BOOLEAN: "true or false",
    ColumnKind.TEXT: "a string",
    ColumnKind.DATETIME: "an ISO 8601 string",
}
SEEN: Mapping[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}
EXACT = 2**53
"""Beyond this a float64, which holds the nullable integers, skips integers."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, END = (int((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 10**9 for year in (1678, 2262))
"""The whole years that nanoseconds can count: all days, weeks and months of theirs can be told too."""
FINE = re.compile(r"[.,]\d{6}(\d{1,3})")
"""The digits of a time below a microsecond, which `datetime` drops."""


def build_column(field: Field, values: Sequence[Any]) -> tuple[Array | None, list[Problem]]:
    """The typed array of one column, or what is wrong with its values.

    Parameters
    ----------
    field
        What the contract says of the column.
    values
        JSON scalars, one per row; missing is None.

    Returns
    -------
    array, problems
        Shape (rows,): int64 (float64 with NaN where nullable), float64, bool (object with None where nullable), object
        of str and None, or datetime64[ns] in UTC. None when there are problems.
    """
    kinds = set(map(type, values))
    problems = []
    if None.__class__ in kinds and not field.nullable:
        rows = [row for row, value in enumerate(values) if value is None]
        remedy = "Send a value, or train and package the model on data that has missing values there"
        problems.append(_problem(field, rows, "null, and the training data had no missing value there", remedy))
    for kind in sorted(kinds - ACCEPTED[field.kind] - {None.__class__}, key=lambda kind: kind.__name__):
        rows = [row for row, value in enumerate(values) if type(value) is kind]
        seen = f"{SEEN.get(kind, f'a {kind.__name__}')} where {WANTED[field.kind]} is needed"
        problems.append(_problem(field, rows, seen, f"Send {WANTED[field.kind]} for {field.name}"))
    if problems:
        return None, problems
    array, rows, wrong, remedy = _BUILD[field.kind](field, values)
    return (None, [_problem(field, rows, wrong, remedy)]) if rows else (array, [])


def unfit_rows(field: Field, values: Sequence[Any]) -> Rows:
    """Every row whose value keeps `build_column` from making the array."""
    taken = ACCEPTED[field.kind] | ({None.__class__} if field.nullable else frozenset())
    rest = [row for row, value in enumerate(values) if type(value) in taken]
    _, wrong, _, _ = _BUILD[field.kind](field, [values[row] for row in rest])
    fit = set(rest).difference(rest[row] for row in wrong)
    return [row for row in range(len(values)) if row not in fit]


def _problem(field: Field, rows: Rows, wrong: str, remedy: str) -> Problem:
    verb = "is" if len(rows) == 1 else "are"
    fact = f"Column {field.name}, {row_numbers(rows)} {verb} {wrong}"
    return Problem(column=field.name, rows=tuple(rows[:SHOWN]), fact=fact, remedy=remedy)


def _number(field: Field, values: Sequence[Any]) -> Built:
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError:
        array = np.array([_as_float(value) for value in values])
    infinite = np.flatnonzero(~np.isfinite(array)).tolist()
    rows = [row for row in infinite if values[row] is not None]
    return array, rows, "not a finite number", f"Send null for a missing {field.name}, where the contract allows it"


def _as_float(value: float | None) -> float:
    try:
        return np.nan if value is None else float(value)
    except OverflowError:
        return np.inf


def _integer(field: Field, values: Sequence[Any]) -> Built:
    rows = [row for row, value in enumerate(values) if type(value) is float and not value.is_integer()]
    if rows:
        return None, rows, "a number with a fraction where an integer is needed", f"Send an integer for {field.name}"
    integers = [None if value is None else int(value) for value in values]
    low, high = (-EXACT, EXACT) if field.nullable else (-(2**63), 2**63 - 1)
    rows = [row for row, value in enumerate(integers) if value is not None and not low <= value <= high]
    if rows:
        return None, rows, "too large to be held exactly", f"Send an integer between {low} and {high}"
    return np.array(integers, dtype=np.float64 if field.nullable else np.int64), [], "", ""


def _boolean(field: Field, values: Sequence[Any]) -> Built:
    return np.array(values, dtype=object if field.nullable else np.bool_), [], "", ""


def _text(_field: Field, values: Sequence[Any]) -> Built:
    return np.array(values, dtype=object), [], "", ""


def _datetime(field: Field, values: Sequence[Any]) -> Built:
    times = [nanoseconds(value) for value in values]
    rows = [row for row, time in enumerate(times) if time is None]
    if rows:
        remedy = f"Send {field.name} as 2013-04-01T12:30:00Z, between the years 1678 and 2261"
        return None, rows, "not an ISO 8601 time", remedy
    return np.array(times, dtype=np.int64).view("datetime64[ns]"), [], "", ""


def nanoseconds(text: str | None) -> int | None:
    """Nanoseconds since the epoch, UTC; the value of NaT for None, and None for what is not a time."""
    if text is None:
        return int(np.iinfo(np.int64).min)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    difference = (time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH
    whole = (difference.days * 86_400 + difference.seconds) * 1_000_000 + difference.microseconds
    fine = FINE.search(text)
    total = whole * 1000 + (int(fine[1].ljust(3, "0")) if fine else 0)
    return total if EARLIEST <= total < END else None


_BUILD: Mapping[ColumnKind, Callable[[Field, Sequence[Any]], Built]] = {
    ColumnKind.NUMBER: _number,
    ColumnKind.INTEGER: _integer,
    ColumnKind.BOOLEAN: _boolean,
    ColumnKind.TEXT: _text,
    ColumnKind.DATETIME: _datetime,
}
